// The control process: the only one that talks to local users; it has no rights of its own.
#include "agent/child.hpp"
#include "agent/control_server.hpp"
#include "agent/payload.hpp"
#include "agent/process.hpp"

namespace coff::agent {
namespace {

constexpr std::uint64_t kDescriptors = 256;
constexpr std::uint64_t kMemoryBytes = 512U << 20U;
/// View entries get this long to become durable when the agent stops.
constexpr int kDrainMs = 3000;

Result<void> handle_supervisor(Frame&& frame, ControlServer& server, Loop& loop) {
  switch (static_cast<Message>(frame.type)) {
    case Message::kLink: {
      if (frame.payload.size() != 1 || frame.descriptors.size() != 1) break;
      const auto link = static_cast<Link>(frame.payload[0]);
      return server.attach(link, TRY(Channel::from(std::move(frame.descriptors[0]))));
    }
    case Message::kListener: {
      if (frame.descriptors.size() != 1) break;
      return server.listen(std::move(frame.descriptors[0]), TRY(decode_names(frame.payload)));
    }
    case Message::kProcesses: {
      PayloadReader reader(frame.payload);
      std::string table(reader.text());
      TRY(reader.done());
      server.set_processes(std::move(table));
      return {};
    }
    case Message::kConfig: server.replace_settings(TRY(read_settings(frame.payload))); return {};
    case Message::kStop: loop.stop(); return {};
    default: break;
  }
  return fail(Code::kInvalid, "the supervisor sent a message that control doesn't know");
}

Result<void> run(Channel& channel) {
  Setup setup = TRY(receive_setup(channel));
  TRY(lock_in(
      Sandbox()
          .user(setup.uid, setup.gid)
          .capabilities({})
          .descriptors({channel.fd()})
          .limits(
              {.memory_bytes = kMemoryBytes, .descriptors = kDescriptors, .no_new_processes = true})
          // For the login user of who asks: /proc/<pid>/loginuid.
          .files({{.path = "/proc"}})
          .syscalls(Syscalls::kControl),
      channel));
  Loop loop = TRY(Loop::open());
  ControlServer server(loop, std::move(setup.settings));
  Peer supervisor(
      loop, [&](Frame&& frame) { return handle_supervisor(std::move(frame), server, loop); },
      [&](const Error&) -> Result<void> {
        loop.stop();
        return {};
      });
  TRY(supervisor.attach(std::move(channel)));
  TRY(loop.run());
  return server.drain(kDrainMs);
}

}  // namespace

int control_main(Channel supervisor) {
  const Result<void> outcome = run(supervisor);
  return end_child(Role::kControl, outcome, supervisor);
}

}  // namespace coff::agent
