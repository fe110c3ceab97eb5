// Reads YAML through the events of yaml-cpp, and turns its exceptions into problems with a place.
#include "base/yaml.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <map>
#include <sstream>
#include <utility>

#include "base/bytes.hpp"

namespace coff {
namespace {

/// Builds the tree. Past a limit it stops building and lets the parser run out.
class Builder final : public YAML::EventHandler {
 public:
  Builder(YamlDocuments& out, const YamlLimits& limits) : out_(out), limits_(limits) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    anchors_.clear();
    if (++documents_ == 2 && !limits_.foreign) {
      problem(mark, "a second document: the file must hold one");
      full_ = true;
    }
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(mark, "?", anchor, YamlNode::Type::kNull);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (!limits_.foreign || found == anchors_.end()) {
      problem(mark, limits_.foreign ? "an alias inside of what it names"
                                    : "aliases are not supported: write the value again");
      add(mark, "?", 0, YamlNode::Type::kNull);
      return;
    }
    if (full_ || !count(mark, size_of(found->second))) return;
    attach(found->second);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    YamlNode* node = add(mark, tag, anchor, YamlNode::Type::kScalar);
    if (node == nullptr) return;
    node->scalar = value;
    node->plain = tag != "!" && !tag.ends_with(":str");
    if (anchor != 0) anchors_[anchor] = *node;
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    begin(add(mark, tag, anchor, YamlNode::Type::kSequence), mark, anchor);
  }
  void OnSequenceEnd() override { end(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    begin(add(mark, tag, anchor, YamlNode::Type::kMapping), mark, anchor);
  }
  void OnMapEnd() override { end(); }

 private:
  /// Open containers by value: they are attached to their parent when they end.
  struct Open {
    YamlNode node;
    bool expects_key = true;
    YAML::anchor_t anchor = 0;
  };

  static size_t size_of(const YamlNode& node) {
    size_t size = 1 + node.keys.size();
    for (const YamlNode& item : node.items) size += size_of(item);
    return size;
  }

  bool count(const YAML::Mark& mark, size_t more) {
    nodes_ += more;
    if (nodes_ <= limits_.nodes_max) return true;
    problem(mark, "more than " + std::to_string(limits_.nodes_max) + " values in one file");
    full_ = true;
    return false;
  }

  void problem(const YAML::Mark& mark, std::string message) {
    if (full_) return;
    out_.problems.push_back({line(mark), column(mark), std::move(message)});
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
    if (!limits_.foreign) {
      if (anchor != 0) problem(mark, "anchors are not supported: write the value again");
      if (!tag.empty() && tag != "?" && tag != "!") problem(mark, "tags are not supported");
    }
    if (!count(mark, 1)) return nullptr;
    YamlNode node;
    node.type = type;
    node.line = line(mark);
    node.column = column(mark);
    if (type == YamlNode::Type::kSequence || type == YamlNode::Type::kMapping) {
      open_.push_back({std::move(node), true, anchor});
      return &open_.back().node;
    }
    return attach(std::move(node));
  }

  YamlNode* attach(YamlNode node) {
    if (open_.empty()) {
      out_.roots.push_back(std::move(node));
      return &out_.roots.back();
    }
    Open& parent = open_.back();
    const bool is_key = parent.node.type == YamlNode::Type::kMapping && parent.expects_key;
    parent.expects_key = !parent.expects_key;
    if (is_key && node.type != YamlNode::Type::kScalar) {
      out_.problems.push_back({node.line, node.column, "a key must be text"});
      node = {.type = YamlNode::Type::kScalar, .line = node.line, .column = node.column};
    }
    auto& list = is_key ? parent.node.keys : parent.node.items;
    list.push_back(std::move(node));
    return &list.back();
  }

  void begin(const YamlNode* node, const YAML::Mark& mark, YAML::anchor_t anchor) {
    // What is not finished can't be named: a value that holds itself has no end.
    if (anchor != 0) anchors_.erase(anchor);
    if (node == nullptr || open_.size() <= limits_.depth_max) return;
    problem(mark, "nested deeper than " + std::to_string(limits_.depth_max) + " levels");
    full_ = true;
  }
  void end() {
    if (full_ || open_.empty()) return;
    YamlNode node = std::move(open_.back().node);
    if (open_.back().anchor != 0 && limits_.foreign) anchors_[open_.back().anchor] = node;
    open_.pop_back();
    attach(std::move(node));
  }

  YamlDocuments& out_;
  const YamlLimits& limits_;
  std::map<YAML::anchor_t, YamlNode> anchors_;
  size_t documents_ = 0;
  std::vector<Open> open_;
  size_t nodes_ = 0;
  bool full_ = false;
};

/// The first byte that cannot stand in a configuration file, as a problem.
bool check_bytes(std::string_view text, YamlDocuments& document) {
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

const YamlNode* find_member(const YamlNode& node, std::string_view key) {
  if (node.type != YamlNode::Type::kMapping) return nullptr;
  for (size_t at = 0; at < node.keys.size() && at < node.items.size(); ++at) {
    if (node.keys[at].scalar == key) return &node.items[at];
  }
  return nullptr;
}

YamlDocuments parse_yaml_stream(std::string_view text, const YamlLimits& limits) {
  YamlDocuments out;
  if (!check_bytes(text, out)) return out;
  std::istringstream stream{std::string(text)};
  Builder builder(out, limits);
  try {
    YAML::Parser parser(stream);
    // The library makes empty documents without end of some text that is no YAML.
    constexpr size_t kDocumentsMax = 256;
    size_t documents = 0;
    while (parser.HandleNextDocument(builder)) {
      if (++documents < kDocumentsMax) continue;
      out.problems.push_back({1, 1, "not YAML, or more documents than 256"});
      break;
    }
  } catch (const YAML::Exception& problem) {
    const bool known = !problem.mark.is_null();
    out.problems.push_back({known ? static_cast<size_t>(problem.mark.line) + 1 : 1,
                            known ? static_cast<size_t>(problem.mark.column) + 1 : 1,
                            "not YAML: " + problem.msg});
  }
  return out;
}

YamlDocument parse_yaml(std::string_view text) {
  YamlDocuments all = parse_yaml_stream(text, {});
  YamlDocument document{.root = {}, .problems = std::move(all.problems)};
  if (!all.roots.empty()) document.root = std::move(all.roots.front());
  return document;
}

}  // namespace coff
