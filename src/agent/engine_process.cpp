#include "agent/child.hpp"
namespace coff::agent {
namespace {
Result<void> run(Channel& channel) {
  Setup setup = TRY(receive_setup(channel));
  TRY(lock_in(Sandbox()
                  .user(setup.uid, setup.gid)
                  .capabilities({})
                  .descriptors({channel.fd()})
                  .files({})
                  .syscalls(Syscalls::kPeer),
              channel));
  Loop loop = TRY(Loop::open());
  Peer supervisor(
      loop,
      [&](Frame&& f) -> Result<void> {
        if (f.type == 4) loop.stop();
        return {};
      },
      [&](const Error&) -> Result<void> {
        loop.stop();
        return {};
      });
  TRY(supervisor.attach(std::move(channel)));
  return loop.run();
}
}  // namespace
int engine_main(Channel supervisor) {
  const Result<void> o = run(supervisor);
  return end_child(Role::kEngine, o, supervisor);
}
}  // namespace coff::agent
