// Calls from the control process to sensor and keeper: handlers there, pending calls here.
#include "agent/calls.hpp"

#include "agent/messages.hpp"
#include "agent/payload.hpp"

namespace coff::agent {
namespace {
/// One kAnswer frame.
constexpr std::size_t kAnswerFrameBytes = 128U << 10U;
/// The other process has this long to take an answer before it counts as dead.
constexpr int kAnswerTimeoutMs = 5000;
}  // namespace

Result<void> Answer::line(std::string_view json) {
  if (total_bytes_ + json.size() > kAnswerBytesMax) {
    return fail(Code::kLimit, "the answer is longer than " + std::to_string(kAnswerBytesMax) +
                                  " bytes; narrow the question or ask on from the last line");
  }
  total_bytes_ += json.size() + 1;
  lines_.append(json).push_back('\n');
  return lines_.size() >= kAnswerFrameBytes ? send_lines() : Result<void>();
}

Result<void> Answer::send_lines() {
  if (lines_.empty()) return {};
  std::string payload;
  PayloadWriter(payload).number(call_).text(lines_);
  lines_.clear();
  return peer_.send(static_cast<std::uint16_t>(Message::kAnswer), payload);
}

Result<void> Answer::finish(const Result<void>& outcome) {
  TRY(send_lines());
  std::string payload;
  const auto code = outcome ? 0 : static_cast<unsigned>(outcome.error().code) + 1;
  PayloadWriter(payload)
      .number(call_)
      .number(static_cast<std::uint8_t>(code))
      .text(outcome ? "" : outcome.error().message());
  return peer_.send(static_cast<std::uint16_t>(Message::kDone), payload);
}

Result<void> CallHandlers::handle(std::string_view payload, Peer& peer) {
  PayloadReader reader(payload);
  const auto call = reader.number<std::uint64_t>();
  const std::string name(reader.text());
  const std::string_view arguments = reader.text();
  TRY(reader.done());
  Answer answer(peer, call);
  if (const auto later = deferred_.find(name); later != deferred_.end()) {
    const Result<void> taken = later->second(arguments, call);
    return taken ? taken : answer.finish(taken);
  }
  const auto found = handlers_.find(name);
  const Result<void> outcome =
      found == handlers_.end()
          ? Result<void>(fail(Code::kUnsupported, "this process doesn't answer " + name))
          : found->second(arguments, answer);
  // A caller that went away or is stuck is no failure of this process.
  if (answer.finish(outcome)) return {};
  [[maybe_unused]] const auto ignored = peer.flush_wait(kAnswerTimeoutMs);
  return {};
}

void PendingCalls::call(Peer& peer, std::string_view name, std::string_view arguments,
                        Receiver receiver) {
  const std::uint64_t number = next_++;
  std::string payload;
  PayloadWriter(payload).number(number).text(name).text(arguments);
  if (auto sent = peer.send(static_cast<std::uint16_t>(Message::kCall), payload); !sent) {
    receiver.on_done(std::unexpected(sent.error()));
    return;
  }
  pending_.emplace(number, std::move(receiver));
}

Result<void> PendingCalls::handle_answer(std::string_view payload) {
  PayloadReader reader(payload);
  const auto found = pending_.find(reader.number<std::uint64_t>());
  const std::string_view lines = reader.text();
  TRY(reader.done());
  if (found != pending_.end()) found->second.on_lines(lines);
  return {};
}

Result<void> PendingCalls::handle_done(std::string_view payload) {
  PayloadReader reader(payload);
  const auto found = pending_.find(reader.number<std::uint64_t>());
  const auto code = reader.number<std::uint8_t>();
  std::string text(reader.text());
  TRY(reader.done());
  if (code > static_cast<unsigned>(Code::kInternal) + 1) {
    return fail(Code::kInvalid, "an answer has an unknown code");
  }
  if (found == pending_.end()) return {};
  const Receiver receiver = std::move(found->second);
  pending_.erase(found);
  if (code == 0) receiver.on_done({});
  else receiver.on_done(fail(static_cast<Code>(code - 1), std::move(text)));
  return {};
}

void PendingCalls::fail_all(const Error& error) {
  auto all = std::move(pending_);
  pending_.clear();
  for (auto& [number, receiver] : all) receiver.on_done(std::unexpected(error));
}

}  // namespace coff::agent
