// What the index reads of one entry's JSON.
#include "trail/index_row.hpp"

#include <algorithm>
#include <array>
#include <boost/json/basic_parser_impl.hpp>
#include <charconv>
#include <functional>
#include <limits>
#include <memory>
#include <string>

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

constexpr size_t name_slot(std::string_view name) {
  return (static_cast<unsigned char>(name.front()) ^ name.size() << 2) & 127;
}

// Most names are none of these: one look into a small table says so.
constexpr auto kUnsearchedSlots = [] {
  std::array<bool, 128> slots{};
  for (const std::string_view name : kUnsearched) slots[name_slot(name)] = true;
  return slots;
}();

bool is_unsearched(std::string_view name) {
  return !name.empty() && kUnsearchedSlots[name_slot(name)] &&
         std::ranges::find(kUnsearched, name) != std::end(kUnsearched);
}

/// The objects of an entry that have columns.
enum class Place : unsigned char {
  kElsewhere,
  kRoot,
  kContainer,
  kProcess,
  kUser,
  kLogin,
  kFile,
  kSocket,
  kBy
};

Place place_in(Place parent, std::string_view name) {
  if (parent == Place::kRoot) {
    if (name == "container") return Place::kContainer;
    if (name == "process") return Place::kProcess;
    if (name == "user") return Place::kUser;
    if (name == "file") return Place::kFile;
    if (name == "socket") return Place::kSocket;
    if (name == "by") return Place::kBy;
  }
  if (parent == Place::kUser && name == "login") return Place::kLogin;
  return Place::kElsewhere;
}

std::optional<std::int64_t> parse_id(std::string_view digits) {
  std::uint64_t number = 0;
  const char* end = std::to_address(digits.end());
  const auto [stop, problem] = std::from_chars(std::to_address(digits.begin()), end, number, 16);
  if (digits.empty() || problem != std::errc() || stop != end) return std::nullopt;
  return static_cast<std::int64_t>(number);
}

/// Receives what the JSON parser meets and fills the row.
class Handler {
 public:
  // NOLINTBEGIN(readability-identifier-naming): the parser's names.
  // Limits that the parser wants to know; an entry is smaller than each.
  static constexpr size_t max_object_size = std::numeric_limits<size_t>::max();
  static constexpr size_t max_array_size = max_object_size;
  static constexpr size_t max_key_size = max_object_size;
  static constexpr size_t max_string_size = max_object_size;

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_object_begin(json::error_code&) { return push(true); }
  bool on_object_end(size_t, json::error_code&) { return pop(); }
  bool on_array_begin(json::error_code&) { return push(false); }
  bool on_array_end(size_t, json::error_code&) { return pop(); }
  bool on_key_part(std::string_view, size_t, json::error_code&) { return key_is_cut_ = true; }
  bool on_key(std::string_view name, size_t, json::error_code&) {
    // No writer of entries escapes names, so one with escapes is none that is known. The parser
    // shows it in a buffer that is gone before its value comes.
    key_ = key_is_cut_ || !is_in_entry(name) ? std::string_view() : name;
    key_is_cut_ = false;
    key_is_silent_ = is_unsearched(key_);
    return true;
  }
  bool on_string_part(std::string_view part, size_t, json::error_code&) {
    if (part_start_ == std::string::npos) part_start_ = unescaped_.size();
    unescaped_ += part;
    return true;
  }
  bool on_string(std::string_view text, size_t, json::error_code& problem) {
    if (part_start_ != std::string::npos || !is_in_entry(text)) {
      on_string_part(text, 0, problem);
      text = std::string_view(unescaped_).substr(part_start_);
      part_start_ = std::string::npos;
    }
    if (depth_ == 0) return false;
    take_text(text);
    return true;
  }
  bool on_number_part(std::string_view, json::error_code&) { return true; }
  bool on_int64(std::int64_t number, std::string_view, json::error_code&) {
    take_number(number);
    return true;
  }
  bool on_uint64(std::uint64_t, std::string_view, json::error_code&) { return true; }
  bool on_double(double, std::string_view, json::error_code&) { return true; }
  bool on_bool(bool, json::error_code&) { return true; }
  bool on_null(json::error_code&) { return true; }
  bool on_comment_part(std::string_view, json::error_code&) { return true; }
  bool on_comment(std::string_view, json::error_code&) { return true; }
  // NOLINTEND(readability-identifier-naming)

  void begin(std::string_view entry) {
    std::vector<std::string_view> texts = std::move(row_.texts);
    texts.clear();
    row_ = IndexRow{};
    row_.texts = std::move(texts);
    entry_ = entry;
    // Views into it are kept: it never grows beyond this, as no escape is shorter than its meaning.
    unescaped_.clear();
    unescaped_.reserve(entry.size());
    part_start_ = std::string::npos;
    key_is_cut_ = false;
    depth_ = 0;
    text_bytes_ = 0;
  }

  [[nodiscard]] const IndexRow& row() const { return row_; }

 private:
  struct Frame {
    Place place = Place::kElsewhere;
    bool is_object = false;
    bool silent = false;  ///< Its strings aren't searched.
  };
  // The parser's own limit of depth is 32.
  static constexpr size_t kDepthMax = 40;

  [[nodiscard]] bool is_in_entry(std::string_view text) const {
    return !std::less<>()(text.data(), entry_.data()) &&
           !std::less<>()(entry_.data() + entry_.size(), text.data() + text.size());
  }

  [[nodiscard]] bool is_silent() const {
    const Frame& frame = frames_[depth_ - 1];
    return frame.silent || (frame.is_object && key_is_silent_);
  }

  bool push(bool is_object) {
    if (depth_ == kDepthMax || (depth_ == 0 && !is_object)) return false;
    Frame frame{Place::kElsewhere, is_object, false};
    if (depth_ == 0) {
      frame.place = Place::kRoot;
    } else {
      frame.silent = is_silent();
      if (is_object) frame.place = place_in(frames_[depth_ - 1].place, key_);
    }
    frames_[depth_++] = frame;
    return true;
  }
  bool pop() {
    --depth_;
    return true;
  }

  void take_text(std::string_view text) {
    switch (frames_[depth_ - 1].place) {
      case Place::kElsewhere: break;
      case Place::kRoot:
        if (key_ == "type") row_.type = text;
        if (key_ == "kind") row_.kind = text;
        if (key_ == "time") {
          const auto time = parse_time(text);
          row_.wall_ns = time ? std::optional(*time) : std::nullopt;
        }
        break;
      case Place::kContainer:
        if (key_ == "id") row_.container_id = text;
        if (key_ == "name") row_.container_name = text;
        if (key_ == "image") row_.image = text;
        break;
      case Place::kProcess:
        if (key_ == "id") row_.process_id = parse_id(text);
        if (key_ == "exe") row_.exe = text;
        break;
      case Place::kFile:
        if (key_ == "path") row_.file_path = text;
        break;
      case Place::kSocket:
        if (key_ == "path") row_.socket_path = text;
        break;
      case Place::kUser:
        if (key_ == "name") row_.user_name = text;
        break;
      case Place::kLogin:
        if (key_ == "name") row_.login_name = text;
        break;
      case Place::kBy:
        if (key_ == "user") row_.by_user = text;
        if (key_ == "component") row_.by_component = text;
        break;
    }
    if (text.empty() || is_silent() || text_bytes_ >= kIndexedTextBytesMax) return;
    row_.texts.push_back(text.substr(0, kIndexedTextBytesMax - text_bytes_));
    text_bytes_ += row_.texts.back().size();
  }

  void take_number(std::int64_t number) {
    switch (depth_ == 0 ? Place::kElsewhere : frames_[depth_ - 1].place) {
      case Place::kProcess:
        if (key_ == "pid") row_.pid = number;
        break;
      case Place::kUser:
        if (key_ == "uid") row_.uid = number;
        break;
      case Place::kLogin:
        if (key_ == "uid") row_.login_uid = number;
        break;
      default: break;
    }
  }

  IndexRow row_;
  std::string_view entry_;
  std::string unescaped_;  ///< Strings of this entry that had escapes.
  size_t part_start_ = std::string::npos;
  std::string_view key_;
  bool key_is_cut_ = false;
  bool key_is_silent_ = false;
  std::array<Frame, kDepthMax> frames_;
  size_t depth_ = 0;
  size_t text_bytes_ = 0;
};

}  // namespace

struct IndexRowReader::Parser {
  json::basic_parser<Handler> json{json::parse_options()};
};

IndexRowReader::IndexRowReader() : parser_(std::make_unique<Parser>()) {}
IndexRowReader::IndexRowReader(IndexRowReader&&) noexcept = default;
IndexRowReader& IndexRowReader::operator=(IndexRowReader&&) noexcept = default;
IndexRowReader::~IndexRowReader() = default;

const IndexRow& IndexRowReader::read(std::string_view entry) {
  auto& parser = parser_->json;
  Handler& handler = parser.handler();
  parser.reset();
  handler.begin(entry);
  json::error_code problem;
  const size_t used = parser.write_some(false, entry.data(), entry.size(), problem);
  if (problem || used != entry.size() || !parser.done()) handler.begin(entry);
  return handler.row();
}

}  // namespace coff::trail
