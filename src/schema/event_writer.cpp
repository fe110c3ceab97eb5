// JSON members with a byte budget.
#include "schema/event_writer.hpp"

#include <algorithm>

#include "base/bytes.hpp"

namespace coff::schema {

namespace {

// Numbers, our own words and brackets of one event, and the list of what was cut.
constexpr size_t kReserve = 6'000;
constexpr size_t kSmallest = 8'192;
constexpr size_t kCutsMax = 16;
constexpr size_t kEscapeMax = 6;  // "\u0001"

size_t escaped_size(std::string_view sequence, size_t length) {
  if (length == 0) return 3;  // U+FFFD
  if (length > 1) return length;
  const char byte = sequence[0];
  if (byte == '"' || byte == '\\' || byte == '\n' || byte == '\r' || byte == '\t') return 2;
  return static_cast<unsigned char>(byte) < 0x20 || byte == 0x7F ? kEscapeMax : 1;
}

std::string_view fitting_prefix(std::string_view value, size_t room) {
  size_t cost = 2;
  size_t at = 0;
  while (at < value.size()) {
    const size_t length = utf8_sequence(value.substr(at));
    cost += escaped_size(value.substr(at), length);
    if (cost > room) break;
    at += length == 0 ? 1 : length;
  }
  return value.substr(0, at);
}

}  // namespace

EventWriter::EventWriter(std::string& out, const JsonOptions& options)
    : json(out),
      out_(out),
      start_(out.size()),
      limit_(std::max(options.size_bytes_max, kSmallest) - kReserve) {}

size_t EventWriter::left() const {
  const size_t used = out_.size() - start_ + pending_;
  return used < limit_ ? limit_ - used : 0;
}

std::string EventWriter::place(std::string_view key) const {
  std::string place;
  for (size_t at = 0; at < depth_; ++at) {
    const Level& level = levels_[at];
    if (!level.key.empty()) {
      if (!place.empty()) place += '.';
      place += level.key;
    }
    if (level.array) place += '[' + std::to_string(level.count) + ']';
  }
  if (!key.empty()) {
    if (!place.empty()) place += '.';
    place += key;
  }
  return place;
}

void EventWriter::note_cut(std::string_view key) {
  if (cut_.size() >= kCutsMax) return;
  std::string where = place(key);
  if (cut_.empty() || cut_.back() != where) cut_.push_back(std::move(where));
}

void EventWriter::open(std::string_view key) {
  COFF_ASSERT(depth_ < levels_.size());
  json.key(key).begin_object();
  levels_[depth_++] = {.key = key};
}

void EventWriter::open_array(std::string_view key) {
  COFF_ASSERT(depth_ < levels_.size());
  json.key(key).begin_array();
  levels_[depth_++] = {.key = key, .array = true};
}

void EventWriter::open_element() {
  COFF_ASSERT(depth_ < levels_.size());
  json.begin_object();
  levels_[depth_++] = {};
}

void EventWriter::close() {
  COFF_ASSERT(depth_ > 0);
  const Level closed = levels_[--depth_];
  if (closed.array) json.end_array();
  else json.end_object();
  if (closed.key.empty() && depth_ > 0 && levels_[depth_ - 1].array) ++levels_[depth_ - 1].count;
}

void EventWriter::value(std::string_view key, std::string_view value) {
  if (value.size() * kEscapeMax + 2 > left()) {
    const std::string_view fitting = fitting_prefix(value, left());
    if (fitting.size() < value.size()) note_cut(key);
    value = fitting;
  }
  const std::uint64_t replaced_before = json.replaced_count();
  json.string(value);
  if (json.replaced_count() == replaced_before) return;
  std::string where = place(key);
  const size_t cost = where.size() + (value.size() + 2) / 3 * 4 + 6;
  if (cost > left()) return note_cut(key);
  pending_ += cost;
  bytes_.emplace_back(std::move(where), to_base64(octets(value)));
}

void EventWriter::text(std::string_view key, std::string_view untrusted) {
  if (untrusted.empty()) return;
  if (left() < key.size() + 16) return note_cut(key);
  json.key(key);
  value(key, untrusted);
}

void EventWriter::element(std::string_view untrusted) {
  value({}, untrusted);
  if (depth_ > 0) ++levels_[depth_ - 1].count;
}

void EventWriter::pair(std::string_view untrusted_key, std::string_view untrusted) {
  if (untrusted_key.size() * kEscapeMax + 16 > left()) return note_cut({});
  std::string quoted;
  JsonWriter(quoted).string(untrusted_key);
  json.key(std::string_view(quoted).substr(1, quoted.size() - 2));
  value({}, untrusted);
}

void EventWriter::word(std::string_view key, std::string_view own) {
  if (!own.empty()) json.member(key, own);
}

void EventWriter::hex(std::string_view key, std::uint64_t number) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  char digits[16];
  for (int at = 15; at >= 0; --at) {
    digits[at] = kDigits[number & 15];
    number >>= 4;
  }
  json.key(key).string({digits, sizeof digits});
}

bool EventWriter::has_room(size_t bytes) {
  if (left() >= bytes) return true;
  note_cut({});
  return false;
}

void EventWriter::finish() {
  if (!bytes_.empty()) {
    json.key("bytes").begin_object();
    for (const auto& [where, base64] : bytes_) json.member(where, base64);
    json.end_object();
  }
  if (!cut_.empty()) {
    json.key("cut").begin_array();
    for (const std::string& where : cut_) json.string(where);
    json.end_array();
  }
}

}  // namespace coff::schema
