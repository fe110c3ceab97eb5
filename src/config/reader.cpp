// Strict reading of YAML nodes: types, ranges, known keys, near misses.
#include "config/reader.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <set>
#include <utility>

#include "base/bytes.hpp"

namespace coff::config {
namespace {

/// More are counted by nobody: the first hundred will do to mend a file.
constexpr size_t kProblemsMax = 100;
/// A source line is quoted up to this many bytes.
constexpr size_t kQuotedBytesMax = 400;

/// Levenshtein distance, by one row.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({change, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  append_printable(out, text.substr(0, 80));
  if (text.size() > 80) out += "…";
  return out + '"';
}

std::string join(std::span<const std::string_view> names) {
  std::string out;
  for (const std::string_view name : names) {
    if (!out.empty()) out += ", ";
    out += name;
  }
  return out;
}

std::string range_text(const Range& range) {
  std::string out = range.power_of_two ? "a power of two" : "a whole number";
  return out + " from " + std::to_string(range.min) + " to " + std::to_string(range.max);
}

}  // namespace

std::string did_you_mean(std::string_view given, std::span<const std::string_view> candidates) {
  if (given.size() > 64) return "";
  std::string_view best;
  size_t nearest = std::max<size_t>(2, given.size() / 3) + 1;
  for (const std::string_view candidate : candidates) {
    // A word cut short is near however much is missing.
    const bool cut = given.size() >= 3 && candidate.starts_with(given);
    const size_t far = cut ? 1 : distance(given, candidate);
    if (far < nearest && far < candidate.size()) {
      nearest = far;
      best = candidate;
    }
  }
  return best.empty() ? "" : "; did you mean " + std::string(best) + "?";
}

void Reader::problem(size_t line, size_t column, std::string message) {
  if (problems_.size() >= kProblemsMax) return;
  problems_.push_back({std::string(file_), line, column, std::move(message), line_text(line)});
}

std::string Reader::line_text(size_t line) const {
  size_t start = 0;
  for (size_t i = 1; i < line && start < text_.size(); ++i) {
    const size_t end = text_.find('\n', start);
    start = end == std::string_view::npos ? text_.size() : end + 1;
  }
  return std::string(
      text_.substr(start, text_.find('\n', start) - start).substr(0, kQuotedBytesMax));
}

std::vector<Problem> Reader::take() {
  std::ranges::stable_sort(problems_, [](const Problem& a, const Problem& b) {
    return std::pair(a.line, a.column) < std::pair(b.line, b.column);
  });
  return std::move(problems_);
}

void Reader::members(const YamlNode& node, std::string_view where, std::span<const Member> known) {
  const std::string name = where.empty() ? "the file" : std::string(where);
  if (node.type == YamlNode::Type::kNull) return;
  if (node.type != YamlNode::Type::kMapping) {
    problem(node, name + " must be a mapping (key: value), not " + std::string(describe(node)));
    return;
  }
  std::vector<std::string_view> names;
  for (const Member& member : known) names.push_back(member.name);
  std::set<std::string_view> seen;
  for (size_t i = 0; i < node.keys.size() && i < node.items.size(); ++i) {
    const YamlNode& key = node.keys[i];
    if (!seen.insert(key.scalar).second) {
      problem(key, quoted(key.scalar) + " stands twice in " + name);
      continue;
    }
    const auto found = std::ranges::find(known, std::string_view(key.scalar), &Member::name);
    if (found == known.end()) {
      problem(key, "unknown key " + quoted(key.scalar) + " in " + name +
                       did_you_mean(key.scalar, names));
      continue;
    }
    found->read(node.items[i]);
  }
}

void Reader::elements(const YamlNode& node, std::string_view name, size_t count_max,
                      const std::function<void(const YamlNode&)>& each) {
  if (node.type != YamlNode::Type::kSequence) {
    problem(node, std::string(name) + " must be a list, not " + std::string(describe(node)));
    return;
  }
  if (node.items.size() > count_max) {
    problem(node, std::string(name) + " has " + std::to_string(node.items.size()) +
                      " elements; the limit is " + std::to_string(count_max));
    return;
  }
  for (const YamlNode& item : node.items) each(item);
}

void Reader::text(const YamlNode& node, std::string_view name, TextCheck check, std::string& out) {
  if (node.type != YamlNode::Type::kScalar) {
    problem(node, std::string(name) + " must be text, not " + std::string(describe(node)));
    return;
  }
  const std::string wrong = check == nullptr ? "" : check(node.scalar);
  if (wrong.empty()) out = node.scalar;
  else problem(node, std::string(name) + " " + quoted(node.scalar) + " " + wrong);
}

void Reader::texts(const YamlNode& node, std::string_view name, const ListLimit& limit,
                   std::vector<std::string>& out) {
  std::vector<std::string> found;
  elements(node, name, limit.count_max, [&](const YamlNode& item) {
    std::string value;
    text(item, "an element of " + std::string(name), limit.check, value);
    if (std::ranges::find(found, value) != found.end() && !value.empty()) {
      problem(item, quoted(value) + " stands twice in " + std::string(name));
    }
    found.push_back(std::move(value));
  });
  if (node.type == YamlNode::Type::kSequence) out = std::move(found);
}

void Reader::integer(const YamlNode& node, std::string_view name, const Range& range,
                     std::uint64_t& out) {
  std::uint64_t value = 0;
  const char* const end = node.scalar.data() + node.scalar.size();
  const auto [stop, code] = std::from_chars(node.scalar.data(), end, value);
  if (node.type != YamlNode::Type::kScalar || !node.plain || code == std::errc::invalid_argument ||
      stop != end) {
    const std::string got =
        node.type == YamlNode::Type::kScalar ? quoted(node.scalar) : std::string(describe(node));
    problem(node, std::string(name) + " must be " + range_text(range) + ", not " + got);
    return;
  }
  const bool in_range = code == std::errc() && value >= range.min && value <= range.max;
  if (!in_range || (range.power_of_two && !std::has_single_bit(value))) {
    problem(node, std::string(name) + " is " + node.scalar.substr(0, 24) + ", but must be " +
                      range_text(range));
    return;
  }
  out = value;
}

void Reader::choice(const YamlNode& node, std::string_view name,
                    std::span<const std::string_view> names, size_t& out) {
  if (node.type != YamlNode::Type::kScalar) {
    problem(node, std::string(name) + " must be one of " + join(names) + ", not " +
                      std::string(describe(node)));
    return;
  }
  const auto found = std::ranges::find(names, std::string_view(node.scalar));
  if (found == names.end()) {
    problem(node, std::string(name) + " cannot be " + quoted(node.scalar) + ": one of " +
                      join(names) + did_you_mean(node.scalar, names));
    return;
  }
  out = static_cast<size_t>(found - names.begin());
}

}  // namespace coff::config
