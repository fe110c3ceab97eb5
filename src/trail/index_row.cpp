// What the index keeps of one entry, read from its JSON.
#include "trail/index_row.hpp"

#include <boost/json.hpp>
#include <charconv>

#include "base/clock.hpp"

namespace coff::trail {

namespace {

namespace json = boost::json;

// Times, numbers and what has a column of its own would fill the text index with words that nobody
// looks for: they are most of an entry, and indexing them most of its cost.
constexpr std::string_view kUnsearched[] = {
    "type",         "kind",        "syscall", "time",   "boot_id",   "start",
    "created",      "started",     "mtime",   "ctime",  "ancestors", "env",
    "capabilities", "namespaces",  "id",      "cookie", "image_id",  "digest",
    "family",       "socket_type", "flags",   "labels", "sentence"};

const json::value* walk(const json::object& object, std::string_view first,
                        std::string_view second = {}, std::string_view third = {}) {
  const json::value* value = object.if_contains(first);
  for (const std::string_view name : {second, third}) {
    if (name.empty() || value == nullptr) return value;
    value = value->is_object() ? value->get_object().if_contains(name) : nullptr;
  }
  return value;
}

std::string text_at(const json::value* value) {
  if (value == nullptr || !value->is_string()) return {};
  return std::string(value->get_string());
}

std::optional<std::int64_t> number_at(const json::value* value) {
  if (value == nullptr) return std::nullopt;
  std::error_code problem;
  const auto number = value->to_number<std::int64_t>(problem);
  return problem ? std::nullopt : std::optional(number);
}

std::optional<std::int64_t> hex_at(const json::value* value) {
  const std::string digits = text_at(value);
  std::uint64_t number = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, problem] = std::from_chars(digits.data(), end, number, 16);
  if (digits.empty() || problem != std::errc() || stop != end) return number_at(value);
  return static_cast<std::int64_t>(number);
}

void gather_text(const json::value& value, std::string& out) {
  if (out.size() >= kIndexedTextBytesMax) return;
  if (value.is_string()) {
    const std::string_view text = value.get_string();
    out += text.substr(0, kIndexedTextBytesMax - out.size());
    out += ' ';
  } else if (value.is_array()) {
    for (const json::value& item : value.get_array()) gather_text(item, out);
  } else if (value.is_object()) {
    for (const auto& [key, item] : value.get_object()) {
      const std::string_view name = key;
      if (std::ranges::find(kUnsearched, name) == std::end(kUnsearched)) gather_text(item, out);
    }
  }
}

}  // namespace

IndexRow read_index_row(std::string_view entry) {
  IndexRow row;
  unsigned char buffer[16384];
  json::monotonic_resource memory(buffer, sizeof buffer);
  std::error_code problem;
  const json::value value = json::parse(entry, problem, &memory);
  if (problem || !value.is_object()) return row;
  const json::object& object = value.get_object();
  if (const auto time = parse_time(text_at(walk(object, "time")))) row.wall_ns = *time;
  row.boot_ns = number_at(walk(object, "boot"));
  row.type = text_at(walk(object, "type"));
  row.kind = text_at(walk(object, "kind"));
  row.container_id = text_at(walk(object, "container", "id"));
  row.container_name = text_at(walk(object, "container", "name"));
  row.image = text_at(walk(object, "container", "image"));
  row.pid = number_at(walk(object, "process", "pid"));
  row.process_id = hex_at(walk(object, "process", "id"));
  row.uid = number_at(walk(object, "user", "uid"));
  row.login_uid = number_at(walk(object, "user", "login", "uid"));
  row.exe = text_at(walk(object, "process", "exe"));
  row.path = text_at(walk(object, "file", "path"));
  if (row.path.empty()) row.path = text_at(walk(object, "socket", "path"));
  gather_text(value, row.text);
  return row;
}

}  // namespace coff::trail
