// What the keeper answers to the control process: state, entries, proofs, checkpoints.
#include <algorithm>

#include "agent/call_arguments.hpp"
#include "agent/keeper.hpp"
#include "base/bytes.hpp"
#include "trail/proof.hpp"

namespace coff::agent {
namespace {

namespace json = boost::json;

/// Entries of one trail.show answer; kAnswerBytesMax bounds their bytes too.
constexpr std::uint64_t kShowMax = 10'000;

}  // namespace

void Keeper::write_counters(JsonWriter& json) {
  json.member("disk_full", log_.disk_full())
      .member("pending_bytes", static_cast<std::uint64_t>(pending_bytes_))
      .member("taken", counters_.entries)
      .member("batches", counters_.batches)
      .member("commits", counters_.commits)
      .member("commit_errors", counters_.commit_errors)
      .member("malformed", counters_.malformed)
      .member("own_refused", counters_.own_refused)
      .member("redacted_values", counters_.values)
      .member("redacted_values_lost", counters_.values_lost)
      .member("redacted_values_erased", counters_.values_erased)
      .member("last_commit_us", counters_.last_commit_us)
      .member("slowest_commit_us", counters_.slowest_commit_us);
  witnesses_.write_status(json);
  const trail::IndexLag lag = index_ ? index_->lag() : trail::IndexLag{.problem = index_problem_};
  json.key("index")
      .begin_object()
      .member("lag_entries", lag.entries)
      .member("lag_ms", lag.oldest_ns / 1'000'000)
      .member("problem", lag.problem)
      .end_object();
  json.key("queries")
      .begin_object()
      .member("answered", queries_->answered())
      .member("refused", queries_->refused())
      .end_object();
}

void Keeper::write_status(JsonWriter& json) {
  const trail::Recovery& recovery = log_.recovery();
  json.begin_object()
      .member("part", "trail")
      .member("dir", settings_.trail_dir())
      .member("origin", log_.verifier_key().name)
      .member("epoch", log_.epoch())
      .member("entries", log_.size())
      .member("durable", log_.durable_size())
      .member("signed", log_.signed_size());
  write_counters(json);
  json.key("retention")
      .begin_object()
      .member("removed_entries", counters_.removed_entries)
      .member("removed_bytes", counters_.removed_bytes)
      .member("problem", retention_problem_)
      .end_object();
  json.key("recovery")
      .begin_object()
      .member("created", recovery.created)
      .member("torn_bytes", recovery.torn_bytes)
      .member("unsigned_entries", recovery.unsigned_entries)
      .end_object();
  json.end_object();
}

void Keeper::add_calls() {
  calls_.add("status", [this](std::string_view, Answer& answer) {
    std::string line;
    JsonWriter json(line);
    write_status(json);
    return answer.line(line);
  });
  calls_.add_deferred("events.query", [this](std::string_view arguments, std::uint64_t call) {
    if (!index_) return Result<void>(fail(Code::kUnsupported, "no index: " + index_problem_));
    return queries_->ask({call, control_number_, std::string(arguments)});
  });
  calls_.add("trail.checkpoint", [this](std::string_view, Answer& answer) -> Result<void> {
    const trail::SignedCheckpoint newest = TRY(log_.checkpoint());
    std::string line;
    JsonWriter(line)
        .begin_object()
        .member("checkpoint", newest.note.to_string())
        .member("vkey", log_.verifier_key().to_string())
        .end_object();
    return answer.line(line);
  });
  calls_.add("trail.prove", [this](std::string_view text, Answer& answer) -> Result<void> {
    const json::object arguments = TRY(arguments_of(text));
    const std::uint64_t seq = TRY(number_of(arguments, "seq", std::nullopt));
    const trail::LogProof proof = TRY(trail::prove_entry(log_.reader(), seq));
    const std::string entry = TRY(log_.reader().entry(seq));
    std::string line;
    JsonWriter(line)
        .begin_object()
        .member("seq", seq)
        .member("entry_base64", to_base64(octets(entry)))
        .member("proof", proof.to_string())
        .end_object();
    return answer.line(line);
  });
  calls_.add("trail.erase",
             [this](std::string_view text, Answer& answer) { return erase_values(text, answer); });
  calls_.add("evidence.seal", [this](std::string_view text, Answer& answer) {
    return record_evidence(text, answer);
  });
  calls_.add("trail.show", [this](std::string_view text, Answer& answer) -> Result<void> {
    const json::object arguments = TRY(arguments_of(text));
    const std::uint64_t from = TRY(number_of(arguments, "from", 0));
    const std::uint64_t limit = TRY(number_of(arguments, "limit", kShowMax));
    Result<void> sent;
    TRY(log_.reader().refresh());
    const std::uint64_t most = std::min(limit, kShowMax);
    TRY(log_.reader().scan(from, from + std::min(most, UINT64_MAX - from),
                           [&](const trail::EntryAt& at) {
                             sent = answer.line(at.entry);
                             return sent.has_value();
                           }));
    return sent;
  });
}

}  // namespace coff::agent
