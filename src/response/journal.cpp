// What is applied to which container, on disk before it is done, so that no end of a process loses
// it.
#include "response/journal.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>
#include <sstream>

#include "base/clock.hpp"
#include "base/json_writer.hpp"

namespace coff::response {
namespace {

namespace json = boost::json;

constexpr std::int64_t kFormatVersion = 1;
constexpr std::size_t kJsonDepthMax = 8;
constexpr std::string_view kSuffix = ".json";
/// Times of use that are kept.
constexpr std::size_t kUsesMax = 4096;
constexpr std::size_t kUsesBytesMax = 1U << 20U;

std::string text_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::int64_t number_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

Result<Record> read_object(const json::object& object) {
  if (number_of(object, "version") != kFormatVersion) {
    return fail(Code::kUnsupported, "a response record has a version that this program can't read");
  }
  Record record{.action = text_of(object, "action"),
                .container_id = text_of(object, "container_id"),
                .container_name = text_of(object, "container_name"),
                .since_wall_ns = number_of(object, "since_ns"),
                .until_wall_ns = number_of(object, "until_ns"),
                .who = text_of(object, "who"),
                .reason = text_of(object, "reason"),
                .break_glass = text_of(object, "break_glass")};
  const auto* stage = std::ranges::find(kStageNames, text_of(object, "stage"));
  if (stage == std::end(kStageNames) || record.action.empty() || record.container_id.empty()) {
    return fail(Code::kCorrupt, "a response record is damaged");
  }
  record.stage = static_cast<Stage>(stage - std::begin(kStageNames));
  if (const json::value* allowed = object.if_contains("allowed"); allowed && allowed->is_array()) {
    for (const json::value& each : allowed->get_array()) {
      if (each.is_string()) record.allowed.emplace_back(each.get_string());
    }
  }
  if (const json::value* before = object.if_contains("before"); before && before->is_object()) {
    for (const auto& [name, value] : before->get_object()) {
      if (value.is_string()) record.before[std::string(name)] = std::string(value.get_string());
    }
  }
  return record;
}

}  // namespace

std::string to_json(const Record& record) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object()
      .member("version", kFormatVersion)
      .member("action", record.action)
      .member("container_id", record.container_id)
      .member("container_name", record.container_name)
      .member("stage", kStageNames[static_cast<std::size_t>(record.stage)])
      .member("since_ns", record.since_wall_ns)
      .member("until_ns", record.until_wall_ns)
      .member("who", record.who)
      .member("reason", record.reason)
      .member("break_glass", record.break_glass);
  writer.key("allowed").begin_array();
  for (const std::string& address : record.allowed) writer.string(address);
  writer.end_array().key("before").begin_object();
  for (const auto& [name, value] : record.before) writer.member(name, value);
  writer.end_object().end_object();
  return out;
}

Result<Record> parse_record(std::string_view text) {
  json::parse_options options;
  options.max_depth = kJsonDepthMax;
  return TRY(guard(Code::kCorrupt, "a response record", [&]() -> Result<Record> {
    json::error_code problem;
    const json::value value = json::parse(text, problem, {}, options);
    if (problem || !value.is_object()) {
      return fail(Code::kCorrupt, "a response record is no JSON object");
    }
    return read_object(value.get_object());
  }));
}

Result<Journal> Journal::open(const std::string& directory) {
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail_errno("cannot make " + directory);
  }
  return Journal(directory);
}

Result<Fd> Journal::lock(int timeout_ms) const {
  Fd lock = TRY(open_file(directory_ + "/lock", O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  const std::int64_t deadline_ns = boot_now_ns() + timeout_ms * std::int64_t{1'000'000};
  while (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return fail_errno("cannot lock " + directory_);
    if (boot_now_ns() > deadline_ns) {
      return fail(Code::kBusy, "another action is under way; try again in a moment");
    }
    ::usleep(2000);
  }
  return lock;
}

std::string Journal::path_of(const Record& record) const {
  return directory_ + "/" + record.container_id + "." + record.action + std::string(kSuffix);
}

Result<std::vector<Record>> Journal::list() const {
  std::vector<std::string> paths;
  std::error_code problem;
  for (auto entry = std::filesystem::directory_iterator(directory_, problem);
       !problem && entry != std::filesystem::directory_iterator(); entry.increment(problem)) {
    if (entry->path().extension() == kSuffix) paths.push_back(entry->path().string());
  }
  if (problem) return fail(Code::kIo, "cannot read " + directory_ + ": " + problem.message());
  if (paths.size() > kRecordsMax) return fail(Code::kLimit, "too many records in " + directory_);
  std::ranges::sort(paths);
  std::vector<Record> records;
  for (const std::string& path : paths) {
    auto record = parse_record(TRY(read_file(path, kRecordBytesMax)));
    if (!record) return fail(record.error().code, path + ": " + record.error().message());
    records.push_back(std::move(*record));
  }
  return records;
}

Result<void> Journal::put(const Record& record) const {
  const std::string text = to_json(record);
  if (text.size() > kRecordBytesMax) return fail(Code::kLimit, "a response record is too long");
  return replace_file(path_of(record), text, 0600);
}

Result<void> Journal::erase(const Record& record) const {
  if (::unlink(path_of(record).c_str()) != 0 && errno != ENOENT) {
    return fail_errno("cannot remove " + path_of(record));
  }
  return sync_directory(directory_);
}

Result<void> Journal::note_use(std::int64_t wall_ns, const std::string& container_id) const {
  const std::string path = directory_ + "/uses";
  std::vector<std::string> lines;
  if (const auto text = read_file(path, kUsesBytesMax)) {
    std::istringstream words(*text);
    for (std::string line; std::getline(words, line);) lines.push_back(line);
  }
  lines.push_back(std::to_string(wall_ns) + " " + container_id);
  if (lines.size() > kUsesMax) lines.erase(lines.begin());
  std::string all;
  for (const std::string& line : lines) all += line + "\n";
  return replace_file(path, all, 0600);
}

Result<std::vector<std::string>> Journal::used_since(std::int64_t wall_ns) const {
  std::vector<std::string> found;
  auto text = read_file(directory_ + "/uses", kUsesBytesMax);
  if (!text && text.error().code == Code::kNotFound) return found;
  if (!text) return std::unexpected(text.error());
  std::istringstream lines(*text);
  std::int64_t when_ns = 0;
  for (std::string id; lines >> when_ns >> id;) {
    if (when_ns >= wall_ns && std::ranges::find(found, id) == found.end()) found.push_back(id);
  }
  return found;
}

}  // namespace coff::response
