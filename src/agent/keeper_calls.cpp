// What the keeper answers to the control process: state, entries, proofs, checkpoints.
#include <boost/json.hpp>

#include "agent/keeper.hpp"
#include "base/bytes.hpp"
#include "trail/proof.hpp"

namespace coff::agent {
namespace {

namespace json = boost::json;

/// Entries of one trail.show answer; kAnswerBytesMax bounds their bytes too.
constexpr std::uint64_t kShowMax = 10'000;

Result<json::object> arguments_of(std::string_view text) {
  return guard(Code::kInvalid, "malformed arguments", [&]() -> json::object {
    json::error_code problem;
    json::value value = json::parse(text, problem);
    if (problem || !value.is_object()) return {};
    return std::move(value.as_object());
  });
}

/// A whole number of this name; `missing` when it isn't there.
Result<std::uint64_t> number_of(const json::object& arguments, std::string_view name,
                                std::optional<std::uint64_t> missing) {
  const json::value* value = arguments.if_contains(name);
  if (value == nullptr && missing) return *missing;
  json::error_code problem;
  const auto number = value == nullptr ? 0 : value->to_number<std::uint64_t>(problem);
  if (value == nullptr || problem) {
    return fail(Code::kInvalid, std::string(name) + " must be a whole number");
  }
  return number;
}

}  // namespace

void Keeper::write_status(JsonWriter& json) {
  const trail::Recovery& recovery = log_.recovery();
  json.begin_object()
      .member("part", "trail")
      .member("dir", settings_.trail_dir())
      .member("origin", log_.verifier_key().name)
      .member("epoch", log_.epoch())
      .member("entries", log_.size())
      .member("durable", log_.durable_size())
      .member("signed", log_.signed_size())
      .member("disk_full", log_.disk_full())
      .member("pending_bytes", static_cast<std::uint64_t>(pending_bytes_))
      .member("taken", counters_.entries)
      .member("batches", counters_.batches)
      .member("commits", counters_.commits)
      .member("commit_errors", counters_.commit_errors)
      .member("malformed", counters_.malformed)
      .member("last_commit_us", counters_.last_commit_us)
      .member("slowest_commit_us", counters_.slowest_commit_us)
      .member("witnesses", static_cast<std::uint64_t>(settings_.trail.witnesses.size()));
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
