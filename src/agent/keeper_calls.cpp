// What the keeper answers to the control process: state, entries, proofs, checkpoints.
#include <boost/json.hpp>

#include <algorithm>
#include <map>

#include "agent/keeper.hpp"
#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "trail/proof.hpp"

namespace coff::agent {
namespace {

namespace json = boost::json;

/// Entries of one trail.show answer; kAnswerBytesMax bounds their bytes too.
constexpr std::uint64_t kShowMax = 10'000;
/// Kinds that one query names.
constexpr std::size_t kKindsMax = 64;

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

Result<std::string> text_of(const json::object& arguments, std::string_view name) {
  const json::value* value = arguments.if_contains(name);
  if (value == nullptr) return std::string();
  if (!value->is_string()) return fail(Code::kInvalid, std::string(name) + " must be a string");
  return std::string(value->get_string());
}

Result<std::optional<std::int64_t>> time_of(const json::object& arguments, std::string_view name) {
  const std::string text = TRY(text_of(arguments, name));
  if (text.empty()) return std::nullopt;
  return TRY(parse_time(text));
}

/// One name, or a list of them.
Result<std::vector<std::string>> names_of(const json::object& arguments, std::string_view name) {
  const json::value* value = arguments.if_contains(name);
  if (value == nullptr || !value->is_array()) {
    std::string one = TRY(text_of(arguments, name));
    return one.empty() ? std::vector<std::string>() : std::vector<std::string>{std::move(one)};
  }
  std::vector<std::string> names;
  for (const json::value& element : value->get_array()) {
    if (!element.is_string() || names.size() >= kKindsMax) {
      return fail(Code::kInvalid, std::string(name) + " must be a short list of strings");
    }
    names.emplace_back(element.get_string());
  }
  return names;
}

}  // namespace

Result<void> Keeper::answer_query(std::string_view text, Answer& answer) {
  if (!index_) return fail(Code::kUnsupported, "the index can't be used: " + index_problem_);
  if (!query_) query_ = TRY(trail::Query::open(settings_.trail_dir()));
  const json::object arguments = TRY(arguments_of(text));
  trail::QueryFilter filter;
  filter.from_wall_ns = TRY(time_of(arguments, "since"));
  filter.until_wall_ns = TRY(time_of(arguments, "until"));
  filter.container = TRY(text_of(arguments, "container"));
  filter.text = TRY(text_of(arguments, "text"));
  filter.limit = std::min<std::uint64_t>(TRY(number_of(arguments, "limit", 1000)), kShowMax);
  filter.newest_first = true;
  // By position, so what two filters find stands once and in order. A name is the kind of an
  // event, or the type of another entry (heartbeat, gap, view, …).
  std::map<std::uint64_t, std::string> found;
  const auto collect = [&](const trail::QueryFilter& one) -> Result<void> {
    for (trail::QueryRow& row : TRY(query_->run(one))) {
      found.emplace(row.position, std::move(row.entry));
    }
    return {};
  };
  const std::vector<std::string> kinds = TRY(names_of(arguments, "kind"));
  if (kinds.empty()) TRY(collect(filter));
  for (const std::string& kind : kinds) {
    trail::QueryFilter one = filter;
    one.kind = kind;
    TRY(collect(one));
    one.kind.clear();
    one.type = kind;
    TRY(collect(one));
  }
  // The newest that fit, oldest of them first.
  std::size_t bytes = 0;
  std::size_t count = 0;
  auto first = found.end();
  while (first != found.begin() && count < filter.limit) {
    const auto before = std::prev(first);
    bytes += before->second.size() + 1;
    if (bytes > kAnswerBytesMax) break;
    first = before;
    ++count;
  }
  for (auto row = first; row != found.end(); ++row) TRY(answer.line(row->second));
  if (bytes <= kAnswerBytesMax) return {};
  return fail(Code::kLimit, "only the newest " + std::to_string(count) +
                                " entries fit into the answer; ask for a shorter time");
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
  const trail::IndexLag lag = index_ ? index_->lag() : trail::IndexLag{.problem = index_problem_};
  json.key("index")
      .begin_object()
      .member("lag_entries", lag.entries)
      .member("lag_ms", lag.oldest_ns / 1'000'000)
      .member("problem", lag.problem)
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
  calls_.add("events.query", [this](std::string_view arguments, Answer& answer) {
    return answer_query(arguments, answer);
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
