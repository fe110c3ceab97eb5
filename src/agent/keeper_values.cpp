// What the keeper does with redacted values: a sidecar beside the tree holds them until erased.
#include "agent/call_arguments.hpp"
#include "agent/keeper.hpp"
#include "base/log.hpp"
#include "trail/commitments.hpp"

namespace coff::agent {

void Keeper::lose_values(const Error& error) {
  if (counters_.values_lost % 1000 == 0) {
    log_error("keeper", "redacted values can't be stored: " + error.message());
  }
  counters_.values_lost += values_unflushed_;
  values_unflushed_ = 0;
  // A transaction that failed may be half open; the next value begins on a new connection.
  sidecar_.reset();
}

Result<void> Keeper::open_sidecar() {
  if (!sidecar_) {
    sidecar_ =
        TRY(trail::Sidecar::open(settings_.trail_dir() + "/" + std::string(trail::kSidecarFile),
                                 trail::Sidecar::Mode::kReadWrite));
  }
  return {};
}

Result<void> Keeper::erase_values_before(std::int64_t wall_ns) {
  TRY(open_sidecar());
  TRY(sidecar_->erase_before(wall_ns));
  return {};
}

Result<std::string> Keeper::entry_of(std::uint64_t epoch, std::uint64_t seq) {
  if (epoch == log_.epoch()) return log_.reader().entry(seq);
  if (epoch == 0 || epoch > log_.epoch()) {
    return fail(Code::kNotFound, "there is no epoch " + std::to_string(epoch));
  }
  const std::string name = trail::epoch_name(static_cast<unsigned>(epoch));
  auto reader = TRY(trail::EpochReader::open(settings_.trail_dir() + "/" + name));
  return reader.entry(seq);
}

// First the values go, then the entry says so: what is between the two has the `view` entry of the
// call, and the sidecar's own note.
Result<void> Keeper::erase_values(std::string_view text, Answer& answer) {
  const boost::json::object arguments = TRY(arguments_of(text));
  const std::uint64_t seq = TRY(number_of(arguments, "seq", std::nullopt));
  const std::uint64_t epoch = TRY(number_of(arguments, "epoch", log_.epoch()));
  const std::string field = TRY(text_argument(arguments, "field"));
  const std::string reason = TRY(text_argument(arguments, "reason"));
  if (reason.empty() || reason.size() > trail::kErasureReasonBytesMax) {
    return fail(Code::kInvalid, "an erasure needs a reason of at most " +
                                    std::to_string(trail::kErasureReasonBytesMax) + " bytes");
  }
  if (log_.disk_full()) {
    return fail(Code::kIo, "the disk is full, and what can't be recorded isn't done");
  }
  const std::string entry = TRY(entry_of(epoch, seq));
  const std::vector<std::string> commitments = TRY(trail::commitments_in(entry, field));
  if (commitments.empty()) return fail(Code::kNotFound, "no redacted value stands there");
  TRY(open_sidecar());
  std::string members;
  JsonWriter json(members);
  json.begin_object().key("of").begin_object();
  json.member("epoch", epoch).member("seq", seq).member("field", field).end_object();
  json.member("reason", reason).key("commitments").begin_array();
  std::uint64_t absent = 0;
  for (const std::string& commitment : commitments) {
    if (auto erased = sidecar_->erase(commitment, reason); erased) {
      json.string(commitment);
      ++counters_.values_erased;
    } else if (erased.error().code == Code::kNotFound) {
      ++absent;
    } else {
      lose_values(erased.error());
      return erased;
    }
  }
  json.end_array().member("absent", absent);
  if (const auto* who = arguments.if_contains("who")) {
    json.key("who").raw(boost::json::serialize(*who));
  }
  json.end_object();
  append_own("erase", members.substr(1, members.size() - 2));
  TRY(commit());
  return answer.line(members);
}

void Keeper::store_values(std::span<const trail::Disclosure> values) {
  for (const trail::Disclosure& value : values) {
    ++values_unflushed_;
    ++counters_.values;
    if (auto opened = open_sidecar(); !opened) {
      lose_values(opened.error());
      continue;
    }
    if (auto stored = sidecar_->store(value); !stored) lose_values(stored.error());
  }
}

}  // namespace coff::agent
