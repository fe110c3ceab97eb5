// Reads YAML through the events of yaml-cpp, and turns its exceptions into problems with a place.
#include "config/yaml.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <sstream>
#include <utility>

#include "base/bytes.hpp"

namespace coff::config {
namespace {

/// Builds the tree. Past a limit it stops building and lets the parser run out.
class Builder final : public YAML::EventHandler {
 public:
  explicit Builder(YamlDocument& document) : document_(document) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(mark, "?", anchor, YamlNode::Type::kNull);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    problem(mark, "aliases are not supported: write the value again");
    add(mark, "?", 0, YamlNode::Type::kNull);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    YamlNode* node = add(mark, tag, anchor, YamlNode::Type::kScalar);
    if (node == nullptr) return;
    node->scalar = value;
    node->plain = tag != "!";
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    begin(add(mark, tag, anchor, YamlNode::Type::kSequence), mark);
  }
  void OnSequenceEnd() override { end(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    begin(add(mark, tag, anchor, YamlNode::Type::kMapping), mark);
  }
  void OnMapEnd() override { end(); }

 private:
  /// Open containers by value: they are attached to their parent when they end.
  struct Open {
    YamlNode node;
    bool expects_key = true;
  };

  void problem(const YAML::Mark& mark, std::string message) {
    if (full_) return;
    document_.problems.push_back({line(mark), column(mark), std::move(message)});
  }
  static size_t line(const YAML::Mark& mark) {
    return mark.line < 0 ? 1 : static_cast<size_t>(mark.line) + 1;
  }
  static size_t column(const YAML::Mark& mark) {
    return mark.column < 0 ? 1 : static_cast<size_t>(mark.column) + 1;
  }

  YamlNode* add(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                YamlNode::Type type) {
    if (full_) return nullptr;
    if (anchor != 0) problem(mark, "anchors are not supported: write the value again");
    if (!tag.empty() && tag != "?" && tag != "!") problem(mark, "tags are not supported");
    if (++nodes_ > kYamlNodesMax) {
      problem(mark, "more than " + std::to_string(kYamlNodesMax) + " values in one file");
      full_ = true;
      return nullptr;
    }
    YamlNode node;
    node.type = type;
    node.line = line(mark);
    node.column = column(mark);
    if (type == YamlNode::Type::kSequence || type == YamlNode::Type::kMapping) {
      open_.push_back({std::move(node), true});
      return &open_.back().node;
    }
    return attach(std::move(node));
  }

  YamlNode* attach(YamlNode node) {
    if (open_.empty()) {
      document_.root = std::move(node);
      return &document_.root;
    }
    Open& parent = open_.back();
    const bool is_key = parent.node.type == YamlNode::Type::kMapping && parent.expects_key;
    parent.expects_key = !parent.expects_key;
    if (is_key && node.type != YamlNode::Type::kScalar) {
      document_.problems.push_back({node.line, node.column, "a key must be text"});
      node = {.type = YamlNode::Type::kScalar, .line = node.line, .column = node.column};
    }
    auto& list = is_key ? parent.node.keys : parent.node.items;
    list.push_back(std::move(node));
    return &list.back();
  }

  void begin(const YamlNode* node, const YAML::Mark& mark) {
    if (node == nullptr || open_.size() <= kYamlDepthMax) return;
    problem(mark, "nested deeper than " + std::to_string(kYamlDepthMax) + " levels");
    full_ = true;
  }
  void end() {
    if (full_ || open_.empty()) return;
    YamlNode node = std::move(open_.back().node);
    open_.pop_back();
    attach(std::move(node));
  }

  YamlDocument& document_;
  std::vector<Open> open_;
  size_t nodes_ = 0;
  bool full_ = false;
};

/// The first byte that cannot stand in a configuration file, as a problem.
bool check_bytes(std::string_view text, YamlDocument& document) {
  size_t line = 1;
  size_t start = 0;
  for (size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const size_t length = utf8_sequence(text.substr(i, 4));
    if (length == 0 || byte == 0x7F || (byte < 0x20 && byte != '\n' && byte != '\t')) {
      if (byte == '\r' && i + 1 < text.size() && text[i + 1] == '\n') {
        ++i;
        continue;
      }
      document.problems.push_back(
          {line, i - start + 1,
           length == 0 ? "this is not UTF-8" : "control characters cannot stand here"});
      return false;
    }
    i += length;
    if (byte == '\n') {
      ++line;
      start = i;
    }
  }
  return true;
}

}  // namespace

std::string_view describe(const YamlNode& node) {
  switch (node.type) {
    case YamlNode::Type::kNull: return "nothing";
    case YamlNode::Type::kScalar: return "text";
    case YamlNode::Type::kSequence: return "a list";
    case YamlNode::Type::kMapping: return "a mapping";
  }
  return "nothing";
}

YamlDocument parse_yaml(std::string_view text) {
  YamlDocument document;
  if (!check_bytes(text, document)) return document;
  std::istringstream stream{std::string(text)};
  Builder builder(document);
  try {
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(builder)) return document;
    YamlDocument second;
    Builder rest(second);
    if (parser.HandleNextDocument(rest)) {
      document.problems.push_back(
          {second.root.line, second.root.column, "a second document: the file must hold one"});
    }
  } catch (const YAML::Exception& problem) {
    const bool known = !problem.mark.is_null();
    document.problems.push_back({known ? static_cast<size_t>(problem.mark.line) + 1 : 1,
                                 known ? static_cast<size_t>(problem.mark.column) + 1 : 1,
                                 "not YAML: " + problem.msg});
  }
  return document;
}

}  // namespace coff::config
