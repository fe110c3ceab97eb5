// The keeper's rounds to its witnesses: asks one after the other for cosignatures.
#include "agent/witness_rounds.hpp"

#include "agent/messages.hpp"
#include "agent/payload.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"

namespace coff::agent {

void WitnessRounds::use_settings(const config::TrailSettings& settings) {
  interval_ns_ = static_cast<std::int64_t>(settings.witness_interval_s) * 1'000'000'000;
  std::vector<One> fresh;
  for (const config::Witness& configured : settings.witnesses) {
    One one;
    one.peer.url = configured.url;
    while (one.peer.url.ends_with('/')) one.peer.url.pop_back();
    auto key = trail::VerifierKey::parse(configured.vkey);
    if (key) one.peer.key = std::move(*key);
    else one.problem = "vkey: " + key.error().message();
    for (const One& known : witnesses_) {
      if (known.peer.url == one.peer.url && known.peer.key == one.peer.key) one = known;
    }
    fresh.push_back(std::move(one));
  }
  witnesses_ = std::move(fresh);
  dialog_.reset();
  next_ = SIZE_MAX;
}

void WitnessRounds::tick(trail::Log& log) {
  const std::int64_t now_ns = boot_now_ns();
  if (dialog_) {
    if (now_ns - asked_boot_ns_ < kWitnessWaitNs) return;
    give_up("no answer");
  }
  if (next_ >= witnesses_.size()) {
    const bool due = round_boot_ns_ == 0 || now_ns - round_boot_ns_ >= interval_ns_;
    if (!due || witnesses_.empty() || !peer_.attached()) return;
    round_boot_ns_ = now_ns;
    next_ = 0;
  }
  ask_next(log);
}

void WitnessRounds::ask_next(trail::Log& log) {
  while (!dialog_ && next_ < witnesses_.size()) {
    const One& one = witnesses_[next_++];
    if (one.peer.key.name.empty()) continue;
    auto checkpoint = log.checkpoint();
    if (!checkpoint) {
      give_up(checkpoint.error().message());
      continue;
    }
    dialog_.emplace(one.peer, std::move(*checkpoint), one.size);
    send(log);
  }
}

void WitnessRounds::send(trail::Log& log) {
  const auto body = dialog_->request(log.reader());
  if (!body) return give_up(body.error().message());
  std::string payload;
  PayloadWriter(payload).number(++request_).text(dialog_->peer().url).text(*body);
  asked_boot_ns_ = boot_now_ns();
  const auto sent = peer_.send(static_cast<std::uint16_t>(Message::kWitnessPost), payload);
  if (!sent) give_up("the witness process can't be reached: " + sent.error().message());
}

void WitnessRounds::give_up(std::string problem) {
  dialog_.reset();
  One& one = witnesses_[next_ - 1];
  if (one.problem.empty()) log_warning("keeper", one.peer.url + ": " + problem);
  one.problem = std::move(problem);
}

Result<std::optional<std::string>> WitnessRounds::handle(trail::Log& log,
                                                         std::string_view payload) {
  PayloadReader reader(payload);
  const auto request = reader.number<std::uint64_t>();
  trail::WitnessAnswerHttp answer;
  answer.status = static_cast<long>(reader.number<std::uint32_t>());
  answer.body = reader.text();
  std::string error(reader.text());
  TRY(reader.done());
  if (!dialog_ || request != request_) return std::nullopt;  // Given up meanwhile.
  One& one = witnesses_[next_ - 1];
  auto taken = error.empty()
                   ? dialog_->take(answer)
                   : Result<std::optional<trail::WitnessReply>>(fail(Code::kIo, std::move(error)));
  std::optional<std::string> contradiction;
  if (!taken) {
    give_up(taken.error().message());
  } else if (!*taken) {
    send(log);
  } else if (const trail::WitnessReply& reply = **taken;
             reply.outcome == trail::WitnessOutcome::kCosigned) {
    const trail::SignedCheckpoint checkpoint = dialog_->checkpoint();
    dialog_.reset();
    one.size = checkpoint.checkpoint.size;
    one.cosigned_boot_ns = boot_now_ns();
    one.problem.clear();
    if (auto kept = log.add_cosignatures(checkpoint, reply.lines); !kept) {
      one.problem = kept.error().message();
    }
  } else {
    if (reply.outcome != trail::WitnessOutcome::kRefused) {
      contradiction = one.peer.key.name + " (" + one.peer.url + "): " + reply.detail;
    }
    give_up(std::string(trail::witness_outcome_name(reply.outcome)) + ": " + reply.detail);
  }
  if (!contradiction) ask_next(log);
  return contradiction;
}

void WitnessRounds::forget_sizes() {
  dialog_.reset();
  next_ = SIZE_MAX;
  for (One& one : witnesses_) one.size = 0;
}

void WitnessRounds::write_status(JsonWriter& json) const {
  json.key("witnesses").begin_array();
  for (const One& one : witnesses_) {
    json.begin_object()
        .member("url", one.peer.url)
        .member("name", one.peer.key.name)
        .member("size", one.size)
        .member("age_s", one.cosigned_boot_ns == 0
                             ? std::int64_t{-1}
                             : (boot_now_ns() - one.cosigned_boot_ns) / 1'000'000'000)
        .member("problem", one.problem)
        .end_object();
  }
  json.end_array();
}

}  // namespace coff::agent
