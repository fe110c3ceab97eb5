// Lines of /proc/PID/mountinfo, and the options of an overlay.
#include "evidence/collect/mount_line.hpp"

#include <algorithm>

namespace coff::evidence {
namespace {

bool is_octal(char c) { return c >= '0' && c <= '7'; }

std::string undo_escapes(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\\' && at + 3 < text.size() && is_octal(text[at + 1]) &&
        is_octal(text[at + 2]) && is_octal(text[at + 3])) {
      out += static_cast<char>((text[at + 1] - '0') * 64 + (text[at + 2] - '0') * 8 +
                               (text[at + 3] - '0'));
      at += 3;
    } else {
      out += text[at];
    }
  }
  return out;
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (!line.empty()) {
    const std::size_t space = std::min(line.find(' '), line.size());
    words.push_back(line.substr(0, space));
    line.remove_prefix(std::min(space + 1, line.size()));
  }
  return words;
}

/// Splits at a sign that has no backslash before it.
std::vector<std::string> split(std::string_view text, char sign) {
  std::vector<std::string> parts(1);
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\\' && at + 1 < text.size()) {
      parts.back() += text[at];
      parts.back() += text[++at];
    } else if (text[at] == sign) {
      parts.emplace_back();
    } else {
      parts.back() += text[at];
    }
  }
  return parts;
}

std::string without_backslashes(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\\' && at + 1 < text.size()) ++at;
    out += text[at];
  }
  return out;
}

std::string raw_option(std::string_view options, std::string_view name) {
  for (const std::string& option : split(options, ',')) {
    const std::size_t equals = option.find('=');
    if (equals != option.npos && option.substr(0, equals) == name) {
      return option.substr(equals + 1);
    }
  }
  return {};
}

}  // namespace

Result<std::vector<MountLine>> parse_mountinfo(std::string_view text, std::size_t mounts_max) {
  std::vector<MountLine> mounts;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::vector<std::string_view> words = words_of(line);
    const auto dash = std::ranges::find(words, "-");
    if (words.size() < 10 || words.end() - dash < 4 || dash - words.begin() < 6) {
      return fail(Code::kInvalid, "a malformed line in mountinfo");
    }
    if (mounts.size() >= mounts_max) return fail(Code::kLimit, "too many mounts");
    mounts.push_back({.point = undo_escapes(words[4]),
                      .type = std::string(dash[1]),
                      .source = undo_escapes(dash[2]),
                      .options = undo_escapes(dash[3])});
  }
  return mounts;
}

std::string overlay_option(std::string_view options, std::string_view name) {
  return without_backslashes(raw_option(options, name));
}

std::vector<std::string> overlay_lowers(std::string_view options) {
  std::vector<std::string> lowers;
  const std::string raw = raw_option(options, "lowerdir");
  for (const std::string& part : split(raw, ':')) {
    if (!part.empty()) lowers.push_back(without_backslashes(part));
  }
  // "lowerdir+=" of newer mounts gives one folder each.
  for (const std::string& option : split(options, ',')) {
    if (option.starts_with("lowerdir+=")) lowers.push_back(without_backslashes(option.substr(10)));
  }
  return lowers;
}

}  // namespace coff::evidence
