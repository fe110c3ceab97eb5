// The keeper process: own user, no capabilities, the trail's directory and nothing else.
#include <unistd.h>

#include <array>

#include "agent/child.hpp"
#include "agent/keeper.hpp"
#include "agent/process.hpp"
#include "base/log.hpp"

namespace coff::agent {
namespace {

constexpr std::uint64_t kDescriptors = 1024;
constexpr std::size_t kMachineIdBytesMax = 64;

/// Fills in what the host says about itself while /etc can still be read.
void name_host(config::HostSettings& host) {
  if (host.name.empty()) {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) == 0) host.name = name.data();
  }
  if (!host.id.empty()) return;
  const auto id = read_file("/etc/machine-id", kMachineIdBytesMax);
  if (id && id->size() >= 32) host.id = id->substr(0, 32);
  // Without a machine id (minimal containers) the host's name must do.
  else host.id = host.name;
}

Result<void> handle_supervisor(Frame&& frame, Keeper& keeper, Loop& loop,
                               const config::HostSettings& host) {
  switch (static_cast<Message>(frame.type)) {
    case Message::kLink: {
      if (frame.payload.size() != 1 || frame.descriptors.size() != 1) break;
      const auto link = static_cast<Link>(frame.payload[0]);
      return keeper.attach(link, TRY(Channel::from(std::move(frame.descriptors[0]))));
    }
    case Message::kAppend: return keeper.append_from_supervisor(std::move(frame.payload));
    case Message::kConfig: {
      config::Config settings = TRY(read_settings(frame.payload));
      settings.host = host;
      keeper.replace_settings(settings);
      return {};
    }
    case Message::kStop: loop.stop(); return {};
    default: break;
  }
  return fail(Code::kInvalid, "the supervisor sent a message that the keeper doesn't know");
}

Result<void> run(Channel& channel) {
  Setup setup = TRY(receive_setup(channel));
  name_host(setup.settings.host);
  TRY(lock_in(Sandbox()
                  .user(setup.uid, setup.gid)
                  .capabilities({})
                  .descriptors({channel.fd()})
                  .limits({.descriptors = kDescriptors})
                  .files({{.path = setup.settings.trail_dir(), .writable = true}})
                  .syscalls(Syscalls::kKeeper),
              channel));
  Loop loop = TRY(Loop::open());
  const std::unique_ptr<Keeper> keeper = TRY(Keeper::open(loop, setup.settings));
  Peer supervisor(
      loop,
      [&](Frame&& frame) {
        return handle_supervisor(std::move(frame), *keeper, loop, setup.settings.host);
      },
      // The supervisor was killed: finish as if it had ordered it.
      [&](const Error&) -> Result<void> {
        loop.stop();
        return {};
      });
  TRY(supervisor.attach(std::move(channel)));
  keeper->set_supervisor(supervisor);
  const Result<void> ran = loop.run();
  const Result<void> finished = keeper->finish();
  if (!ran) return ran;
  return finished;
}

}  // namespace

int keeper_main(Channel supervisor) {
  const Result<void> outcome = run(supervisor);
  return end_child(Role::kKeeper, outcome, supervisor);
}

}  // namespace coff::agent
