// A YAML document as a tree of values with their places: the only file that knows yaml-cpp is
// yaml.cpp. Anchors, aliases, tags and second documents are refused, so size bounds the work.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace coff::config {

inline constexpr size_t kYamlDepthMax = 16;
inline constexpr size_t kYamlNodesMax = 50000;

struct YamlNode {
  enum class Type : unsigned char { kNull, kScalar, kSequence, kMapping };
  Type type = Type::kNull;
  bool plain = true;  ///< A scalar without quotes: may mean a number or a boolean.
  std::string scalar;
  size_t line = 1;              ///< From 1.
  size_t column = 1;            ///< From 1, in bytes.
  std::vector<YamlNode> keys;   ///< Mapping: scalars, as many as items; may repeat.
  std::vector<YamlNode> items;  ///< Sequence: elements. Mapping: values.
};

/// "a mapping", "a list", "nothing", "text": for messages.
std::string_view describe(const YamlNode& node);

struct YamlProblem {
  size_t line = 1;
  size_t column = 1;
  std::string message;
};

struct YamlDocument {
  YamlNode root;  ///< kNull for an empty document.
  std::vector<YamlProblem> problems;
};

/// Parses one document. The text must be UTF-8 without control characters.
YamlDocument parse_yaml(std::string_view text);

}  // namespace coff::config
