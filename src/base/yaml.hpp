// YAML as a tree of values with their places: the only file that knows yaml-cpp is yaml.cpp.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace coff {

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
/// The value of the first such key of a mapping; null when there is none.
const YamlNode* find_member(const YamlNode& node, std::string_view key);

struct YamlProblem {
  size_t line = 1;
  size_t column = 1;
  std::string message;
};

/// What a reader accepts. The defaults are those of our own configuration file: anchors, aliases,
/// tags and second documents are refused, so size bounds the work.
struct YamlLimits {
  size_t depth_max = 16;
  size_t nodes_max = 50000;  ///< Of all documents; an alias counts as what it stands for.
  bool foreign = false;      ///< Accept aliases (copied), tags (ignored), several documents.
};

struct YamlDocument {
  YamlNode root;  ///< kNull for an empty document.
  std::vector<YamlProblem> problems;
};
struct YamlDocuments {
  std::vector<YamlNode> roots;
  std::vector<YamlProblem> problems;
};

/// Parses one document. The text must be UTF-8 without control characters.
YamlDocument parse_yaml(std::string_view text);
/// Parses all documents of a stream under `limits`.
YamlDocuments parse_yaml_stream(std::string_view text, const YamlLimits& limits);

}  // namespace coff
