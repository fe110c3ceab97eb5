// The witness process: carries the keeper's questions to witnesses, and has nothing else.
#include <unistd.h>

#include "agent/child.hpp"
#include "agent/payload.hpp"
#include "agent/process.hpp"
#include "base/log.hpp"
#include "trail/witness_client.hpp"

namespace coff::agent {
namespace {

constexpr std::uint64_t kDescriptors = 64;
/// One question; shorter than the supervisor's patience when the agent stops.
constexpr std::int64_t kPostMs = 4000;
/// Where names and certificates are looked up. Landlock is told of those that exist.
constexpr const char* kReadable[] = {"/etc", "/usr/lib", "/usr/share/ca-certificates",
                                     "/run/systemd/resolve"};

std::vector<Reachable> readable() {
  std::vector<Reachable> found;
  for (const char* path : kReadable) {
    if (::access(path, R_OK | X_OK) == 0) found.push_back({.path = path});
  }
  return found;
}

Result<void> post(const Frame& frame, Peer& keeper) {
  PayloadReader reader(frame.payload);
  const auto request = reader.number<std::uint64_t>();
  const std::string url(reader.text());
  const std::string body(reader.text());
  TRY(reader.done());
  if (frame.type != static_cast<std::uint16_t>(Message::kWitnessPost)) {
    return fail(Code::kInvalid, "the keeper sent a message that witness doesn't know");
  }
  const auto answer = trail::post_to_witness(url, kPostMs, body);
  std::string payload;
  PayloadWriter(payload)
      .number(request)
      .number(static_cast<std::uint32_t>(answer ? answer->status : 0))
      .text(answer ? answer->body : "")
      .text(answer ? "" : answer.error().message());
  // A keeper that died meanwhile asks again when it was started anew.
  [[maybe_unused]] const auto ignored =
      keeper.send(static_cast<std::uint16_t>(Message::kWitnessAnswer), payload);
  return {};
}

Result<void> handle_supervisor(Frame&& frame, Peer& keeper, Loop& loop) {
  switch (static_cast<Message>(frame.type)) {
    case Message::kLink:
      if (frame.payload.size() != 1 || frame.descriptors.size() != 1) break;
      if (static_cast<Link>(frame.payload[0]) != Link::kToKeeper) break;
      return keeper.attach(TRY(Channel::from(std::move(frame.descriptors[0]))));
    case Message::kConfig: return {};  // The keeper says where to ask.
    case Message::kStop: loop.stop(); return {};
    default: break;
  }
  return fail(Code::kInvalid, "the supervisor sent a message that witness doesn't know");
}

Result<void> run(Channel& channel) {
  const Setup setup = TRY(receive_setup(channel));
  TRY(lock_in(Sandbox()
                  .user(setup.uid, setup.gid)
                  .capabilities({})
                  .descriptors({channel.fd()})
                  .limits({.descriptors = kDescriptors, .no_new_file_content = true})
                  .files(readable())
                  .may_connect()
                  .syscalls(Syscalls::kWitness),
              channel));
  Loop loop = TRY(Loop::open());
  // One question at a time, so the loop may wait for its answer.
  Peer keeper(
      loop, [&](Frame&& frame) { return post(frame, keeper); },
      [](const Error&) -> Result<void> { return {}; });
  Peer supervisor(
      loop, [&](Frame&& frame) { return handle_supervisor(std::move(frame), keeper, loop); },
      [&](const Error&) -> Result<void> {
        loop.stop();
        return {};
      });
  TRY(supervisor.attach(std::move(channel)));
  return loop.run();
}

}  // namespace

int witness_main(Channel supervisor) {
  const Result<void> outcome = run(supervisor);
  return end_child(Role::kWitness, outcome, supervisor);
}

}  // namespace coff::agent
