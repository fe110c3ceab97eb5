// Turns YAML nodes into values, and collects every problem with its place. Private to the room.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/yaml.hpp"
#include "config/config.hpp"

namespace coff::config {

/// Bounds of an integer setting.
struct Range {
  std::uint64_t min = 0;
  std::uint64_t max = std::numeric_limits<std::uint64_t>::max();
  bool power_of_two = false;
};

/// Says what is wrong with a text, or "" when nothing is.
using TextCheck = std::string (*)(std::string_view);

/// Bounds of a list of texts.
struct ListLimit {
  size_t count_max = 256;
  TextCheck check = nullptr;
};

/// One member that a mapping may have.
struct Member {
  std::string_view name;
  std::function<void(const YamlNode&)> read;
};

class Reader {
 public:
  Reader(std::string_view text, std::string_view file) : text_(text), file_(file) {}

  void problem(size_t line, size_t column, std::string message);
  void problem(const YamlNode& at, std::string message) {
    problem(at.line, at.column, std::move(message));
  }

  /// Reads each member; unknown and repeated keys are problems, an empty value is an empty
  /// mapping. `where` names the mapping in messages, "" for the file itself.
  void members(const YamlNode& node, std::string_view where, std::span<const Member> known);
  /// Calls `each` for every element of a list.
  void elements(const YamlNode& node, std::string_view name, size_t count_max,
                const std::function<void(const YamlNode&)>& each);

  void text(const YamlNode& node, std::string_view name, TextCheck check, std::string& out);
  void texts(const YamlNode& node, std::string_view name, const ListLimit& limit,
             std::vector<std::string>& out);
  void integer(const YamlNode& node, std::string_view name, const Range& range, std::uint64_t& out);
  /// The index in `names` of what the node says; unchanged and a problem when it is none.
  void choice(const YamlNode& node, std::string_view name, std::span<const std::string_view> names,
              size_t& out);

  [[nodiscard]] size_t problem_count() const { return problems_.size(); }
  /// Problems in the order of the file.
  std::vector<Problem> take();

 private:
  [[nodiscard]] std::string line_text(size_t line) const;

  std::string_view text_;
  std::string_view file_;
  std::vector<Problem> problems_;
};

/// " Did you mean x?" for the nearest of `candidates`, or "" when none is near.
std::string did_you_mean(std::string_view given, std::span<const std::string_view> candidates);

// Checks of texts. Each returns what is wrong, or "".
std::string check_path(std::string_view text);          ///< Absolute, without "..".
std::string check_path_or_none(std::string_view text);  ///< The same, or empty.
std::string check_socket(std::string_view text);        ///< check_path, at most 107 bytes.
std::string check_socket_or_none(std::string_view text);
std::string check_name(std::string_view text);  ///< Of a user, group, host: no spaces.
std::string check_name_or_none(std::string_view text);
std::string check_variable(std::string_view text);  ///< Of an environment variable.
std::string check_pattern(std::string_view text);   ///< A part of a path.
std::string check_rule(std::string_view text);      ///< Name, pattern or tag of a rule.
std::string check_tenant(std::string_view text);
std::string check_url(std::string_view text);
std::string check_vkey(std::string_view text);

}  // namespace coff::config
