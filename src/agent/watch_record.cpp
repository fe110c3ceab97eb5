// From when to when nobody watched the kernel, told from what the sensor has put into the trail.
#include "agent/watch_record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/clock.hpp"
#include "base/json_writer.hpp"

namespace coff::agent {
namespace {

enum class Sign : unsigned char { kNone, kEvent, kHeartbeat, kBegin, kEnd };

Sign sign_of(std::string_view entry) {
  const std::string_view head = entry.substr(0, WatchRecord::kHeadBytes);
  const std::size_t at = head.find("\"type\":\"");
  if (at == std::string_view::npos) return Sign::kNone;
  const std::string_view type = head.substr(at + 8);
  if (type.starts_with("event\"")) return Sign::kEvent;
  if (type.starts_with("heartbeat\"") && type.contains("\"sensor\":{\"watching\":true,")) {
    return Sign::kHeartbeat;
  }
  if (!type.starts_with("watch\"")) return Sign::kNone;
  return type.contains("\"action\":\"begin\"") ? Sign::kBegin : Sign::kEnd;
}

/// One end of a gap, as entries of ours tell it.
struct Moment {
  std::string time;
  std::int64_t wall_ns = 0;
  std::int64_t boot_ns = 0;
  std::string boot_id;
  std::string version;
};

Moment moment_of(std::string_view entry) {
  Moment moment;
  boost::system::error_code error;
  const auto value = boost::json::parse(entry, error);
  // Entries of ours; a trail that somebody has edited gives an empty moment.
  if (error || !value.is_object()) return moment;
  const auto text = [&](const boost::json::object& object, std::string_view name) {
    const auto* found = object.if_contains(name);
    const auto* string = found == nullptr ? nullptr : found->if_string();
    return string == nullptr ? std::string() : std::string(*string);
  };
  const auto& object = value.get_object();
  moment.time = text(object, "time");
  moment.wall_ns = parse_time(moment.time).value_or(0);
  moment.boot_id = text(object, "boot_id");
  moment.version = text(object, "version");
  if (const auto* boot = object.if_contains("boot")) {
    const auto number = boot->to_number<std::int64_t>(error);
    if (!error) moment.boot_ns = number;
  }
  if (const auto* sensor = object.if_contains("sensor"); sensor != nullptr && sensor->is_object()) {
    moment.version = text(sensor->get_object(), "version");
  }
  return moment;
}

void write_moment(JsonWriter& json, std::string_view name, const Moment& moment) {
  json.key(name)
      .begin_object()
      .member("time", moment.time)
      .member("boot", moment.boot_ns)
      .member("boot_id", moment.boot_id)
      .member("version", moment.version)
      .end_object();
}

std::string_view reason_of(const Moment& from, const Moment& until, bool in_order) {
  if (from.boot_id != until.boot_id) return "reboot";
  if (from.version != until.version) return "upgrade";
  return in_order ? "restart" : "crash";
}

}  // namespace

Result<void> WatchRecord::read_tail(trail::EpochReader& reader, std::uint64_t end_seq) {
  const std::uint64_t oldest = reader.first_seq();
  const std::uint64_t from = end_seq > kTailEntries ? end_seq - kTailEntries : 0;
  return reader.scan(std::max(from, oldest), end_seq, [this](const trail::EntryAt& at) {
    take(at.entry);
    return true;
  });
}

void WatchRecord::take(std::string_view entry) {
  const Sign sign = sign_of(entry);
  if (sign == Sign::kNone) return;
  sign_ = entry;
  ++since_mark_;
  if (sign == Sign::kEvent) return;
  mark_ = entry;
  since_mark_ = 0;
}

std::optional<std::string> WatchRecord::gap_before(std::string_view entry) const {
  if (sign_of(entry) != Sign::kBegin || sign_.empty()) return std::nullopt;
  const Moment until = moment_of(entry);
  Moment from = moment_of(sign_);
  const Moment mark = moment_of(mark_);
  from.boot_id = mark.boot_id;
  from.version = mark.version;
  const bool in_order = since_mark_ == 0 && sign_of(mark_) == Sign::kEnd;
  const std::string_view reason = reason_of(from, until, in_order);
  const bool same_boot = from.boot_id == until.boot_id;
  // Entries are handed over at least once: this begin was met before.
  if (same_boot && until.boot_ns <= from.boot_ns) return std::nullopt;
  const std::int64_t blind_ns =
      same_boot ? until.boot_ns - from.boot_ns : until.wall_ns - from.wall_ns;
  std::string members;
  JsonWriter json(members);
  json.begin_object()
      .member("reason", reason)
      .member("detail", fmt::format("Nothing was watched from {} to {}: {:.3f} s.", from.time,
                                    until.time, static_cast<double>(blind_ns) / 1e9))
      .key("lost")
      .null()
      .member("in_order", in_order)
      .member("duration_ns", blind_ns);
  write_moment(json, "from", from);
  write_moment(json, "until", until);
  json.end_object();
  return members.substr(1, members.size() - 2);
}

std::string watch_members(bool begins) {
  std::string members;
  JsonWriter(members)
      .begin_object()
      .member("action", std::string_view(begins ? "begin" : "end"))
      .member("version", std::string_view(COFF_VERSION))
      .end_object();
  return members.substr(1, members.size() - 2);
}

}  // namespace coff::agent
