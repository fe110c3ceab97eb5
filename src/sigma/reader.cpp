// Reads Sigma files: what rules and filters share, rules, filters.
#include "sigma/reader.hpp"

#include <algorithm>
#include <set>

#include "sigma/pattern.hpp"

namespace coff::sigma {

namespace {

using Type = YamlNode::Type;

constexpr YamlLimits kLimits{.depth_max = 32, .nodes_max = 2'000'000, .foreign = true};
constexpr size_t kTitleBytesMax = 1024;
constexpr size_t kDetectionsMax = 1000;

Where place_of(const YamlNode& node) { return {node.line, node.column}; }

Scalar scalar_of(const YamlNode& node) {
  const bool tilde = node.plain && (node.scalar == "~" || node.scalar == "null");
  return {.text = node.scalar, .null = node.type == Type::kNull || tilde, .where = place_of(node)};
}

// "attack.t1053.002" is the technique T1053.002.
std::vector<std::string> attack_ids(const std::vector<std::string>& tags) {
  std::vector<std::string> ids;
  for (const std::string& tag : tags) {
    const std::string low = lower(tag);
    constexpr std::string_view kPrefix = "attack.t";
    if (!low.starts_with(kPrefix) || low.size() <= kPrefix.size()) continue;
    const std::string number = low.substr(kPrefix.size());
    if (number.find_first_not_of("0123456789.") == number.npos) ids.push_back('T' + number);
  }
  return ids;
}

std::optional<rules::Priority> priority_of(std::string_view level) {
  using enum rules::Priority;
  if (level == "critical") return kCritical;
  if (level == "high") return kError;
  if (level == "medium" || level.empty()) return kWarning;
  if (level == "low") return kNotice;
  if (level == "informational") return kInformational;
  return std::nullopt;
}

}  // namespace

void Reader::read() {
  const YamlDocuments documents = parse_yaml_stream(reporter_.source().text, kLimits);
  if (!documents.problems.empty()) {
    const YamlProblem& problem = documents.problems.front();
    reporter_.error("SIGMA_YAML", problem.message, {problem.line, problem.column}, "");
    return;
  }
  for (const YamlNode& document : documents.roots) {
    context_.clear();
    if (document.type != Type::kNull) read_document(document);
  }
}

bool Reader::read_document(const YamlNode& document) {
  if (document.type != Type::kMapping) {
    return refuse(document,
                  "a Sigma document is a mapping, here is " + std::string(describe(document)));
  }
  if (!no_repeated_keys(document)) return false;
  if (const YamlNode* action = find_member(document, "action")) {
    return refuse(*action, "'action' is of old Sigma: write whole rules, or a filter");
  }
  if (find_member(document, "correlation") != nullptr) return read_correlation(document);
  if (find_member(document, "filter") != nullptr) return read_filter(document);
  if (find_member(document, "detection") != nullptr) return read_rule(document);
  return refuse(document, "neither 'detection' nor 'correlation' nor 'filter'");
}

template <typename Rule>
bool Reader::read_head(const YamlNode& document, Rule& rule) {
  if (!text(document, "title", rule.title, kTitleBytesMax)) return false;
  if (rule.title.empty()) return refuse(document, "a rule needs a 'title'");
  context_ = "rule '" + rule.title + "'";
  rule.where = place_of(document);
  rule.file = reporter_.source().name;
  rules::Provenance& of = rule.provenance;
  of.language = "sigma";
  const bool read =
      text(document, "id", of.id, 64) && text(document, "name", rule.name, 256) &&
      text(document, "description", rule.description) &&
      text(document, "author", of.author, 1024) && text(document, "license", of.license, 256) &&
      text(document, "level", of.level, 64) && text(document, "status", of.status, 64) &&
      texts(document, "references", of.references) && texts(document, "tags", rule.tags);
  if (!read) return false;
  // A finding carries them.
  constexpr size_t kListMax = 64;
  constexpr size_t kListBytesMax = 4096;
  size_t bytes = 0;
  for (const std::string& each : of.references) bytes += each.size();
  for (const std::string& each : rule.tags) bytes += each.size();
  if (of.references.size() > kListMax || rule.tags.size() > kListMax || bytes > kListBytesMax) {
    return refuse(document, "more than 64 references or tags, or than 4 KiB of them");
  }
  if (of.license.empty()) of.license = license_;
  const auto priority = priority_of(of.level);
  if (!priority) {
    return refuse(*find_member(document, "level"),
                  "the level is informational, low, medium, high or critical");
  }
  rule.priority = *priority;
  of.attack = attack_ids(rule.tags);
  return true;
}

bool Reader::read_rule(const YamlNode& document) {
  DetectionRule rule;
  if (!read_head(document, rule) || !read_source(document, true, rule.source)) return false;
  const YamlNode& detection = *find_member(document, "detection");
  if (!read_detections(detection, {"condition", "timeframe"}, rule.detections)) return false;
  if (!scalars(detection, "condition", rule.conditions)) return false;
  if (rule.conditions.empty()) return refuse(detection, "the detection has no 'condition'");
  if (const YamlNode* timeframe = find_member(detection, "timeframe")) {
    return refuse(*timeframe, "'timeframe' is of old Sigma: write a correlation rule");
  }
  out_.rules.push_back(std::move(rule));
  return true;
}

bool Reader::read_filter(const YamlNode& document) {
  FilterRule filter;
  if (!text(document, "title", filter.title, kTitleBytesMax)) return false;
  if (filter.title.empty()) return refuse(document, "a filter needs a 'title'");
  context_ = "filter '" + filter.title + "'";
  filter.where = place_of(document);
  filter.file = reporter_.source().name;
  if (!read_source(document, false, filter.source)) return false;
  const YamlNode& body = *find_member(document, "filter");
  if (!read_detections(body, {"condition", "rules"}, filter.detections)) return false;
  std::vector<Scalar> conditions;
  if (!scalars(body, "rules", filter.rules) || !scalars(body, "condition", conditions))
    return false;
  if (conditions.size() != 1) return refuse(body, "a filter needs one 'condition'");
  if (filter.rules.empty()) {
    return refuse(body, "a filter needs 'rules': ids or names, or 'any'");
  }
  filter.every_rule = filter.rules.size() == 1 && lower(filter.rules[0].text) == "any";
  filter.condition = std::move(conditions.front());
  out_.filters.push_back(std::move(filter));
  return true;
}

bool Reader::read_source(const YamlNode& document, bool required, LogSource& source) {
  const YamlNode* node = find_member(document, "logsource");
  if (node == nullptr) return !required || refuse(document, "a rule needs a 'logsource'");
  if (node->type != Type::kMapping) return refuse(*node, "'logsource' is a mapping");
  source.where = place_of(*node);
  return no_repeated_keys(*node) && text(*node, "category", source.category, 256) &&
         text(*node, "product", source.product, 256) &&
         text(*node, "service", source.service, 256) &&
         text(*node, "definition", source.definition);
}

bool Reader::text(const YamlNode& node, std::string_view key, std::string& out, size_t bytes_max) {
  const YamlNode* value = find_member(node, key);
  if (value == nullptr || value->type == Type::kNull) return true;
  if (value->type != Type::kScalar) return refuse(*value, "'" + std::string(key) + "' is a text");
  if (value->scalar.size() > bytes_max) {
    return refuse(*value, "'" + std::string(key) + "' is longer than " + std::to_string(bytes_max) +
                              " bytes");
  }
  out = value->scalar;
  return true;
}

bool Reader::scalars(const YamlNode& node, std::string_view key, std::vector<Scalar>& out) {
  const YamlNode* value = find_member(node, key);
  if (value == nullptr || value->type == Type::kNull) return true;
  if (value->type == Type::kScalar) {
    out.push_back(scalar_of(*value));
    return true;
  }
  const std::string name = "'" + std::string(key) + "'";
  if (value->type != Type::kSequence) return refuse(*value, name + " is a text or a list of them");
  for (const YamlNode& item : value->items) {
    if (item.type != Type::kScalar) return refuse(item, name + " is a text or a list of them");
    out.push_back(scalar_of(item));
  }
  return true;
}

bool Reader::texts(const YamlNode& node, std::string_view key, std::vector<std::string>& out) {
  std::vector<Scalar> values;
  if (!scalars(node, key, values)) return false;
  for (Scalar& value : values) out.push_back(std::move(value.text));
  return true;
}

bool Reader::no_repeated_keys(const YamlNode& map) {
  std::set<std::string_view> seen;
  for (const YamlNode& key : map.keys) {
    if (!seen.insert(key.scalar).second) {
      return refuse(key, "'" + key.scalar.substr(0, 128) + "' stands twice in one mapping");
    }
  }
  return true;
}

bool Reader::refuse(const YamlNode& at, std::string message) {
  return reporter_.error("SIGMA_RULE", std::move(message), place_of(at), context_);
}

bool Reader::read_detections(const YamlNode& node, std::initializer_list<std::string_view> reserved,
                             std::vector<Detection>& out) {
  if (node.type != Type::kMapping) {
    return refuse(node, "detections are a mapping, here is " + std::string(describe(node)));
  }
  if (!no_repeated_keys(node)) return false;
  for (size_t at = 0; at < node.keys.size(); ++at) {
    if (std::ranges::find(reserved, std::string_view(node.keys[at].scalar)) != reserved.end()) {
      continue;
    }
    if (out.size() >= kDetectionsMax) return refuse(node.keys[at], "more than 1000 detections");
    Detection& made = out.emplace_back();
    made.name = node.keys[at].scalar;
    made.where = place_of(node.keys[at]);
    if (!read_detection(node.items[at], made)) return false;
  }
  return !out.empty() || refuse(node, "there is no detection");
}

bool Reader::read_detection(const YamlNode& node, Detection& out) {
  if (node.type == Type::kMapping) return read_alternative(node, out.alternatives.emplace_back());
  if (node.type == Type::kScalar) {
    out.alternatives.push_back(
        {{.field = {}, .modifiers = {}, .values = {scalar_of(node)}, .where = place_of(node)}});
    return true;
  }
  const std::string wanted = "a detection is a mapping of fields, or a list of keywords or of them";
  if (node.type != Type::kSequence) return refuse(node, wanted);
  FieldItem keywords{.field = {}, .modifiers = {}, .values = {}, .where = place_of(node)};
  for (const YamlNode& item : node.items) {
    if (item.type == Type::kMapping) {
      if (!read_alternative(item, out.alternatives.emplace_back())) return false;
    } else if (item.type == Type::kScalar) {
      keywords.values.push_back(scalar_of(item));
    } else {
      return refuse(item, wanted);
    }
  }
  if (!keywords.values.empty()) out.alternatives.push_back({std::move(keywords)});
  return !out.alternatives.empty() || refuse(node, "an empty detection");
}

bool Reader::read_alternative(const YamlNode& map, std::vector<FieldItem>& out) {
  if (!no_repeated_keys(map)) return false;
  for (size_t at = 0; at < map.keys.size(); ++at) {
    const std::string& key = map.keys[at].scalar;
    FieldItem& item = out.emplace_back();
    item.where = place_of(map.keys[at]);
    const size_t bar = std::min(key.find('|'), key.size());
    item.field = key.substr(0, bar);
    if (bar < key.size()) {
      std::string unknown;
      auto modifiers = parse_modifiers(std::string_view(key).substr(bar + 1), unknown);
      if (!modifiers) return refuse(map.keys[at], "unknown modifier '" + unknown + "'");
      item.modifiers = std::move(*modifiers);
    }
    if (!read_values(map.items[at], item)) return false;
  }
  return !out.empty() || refuse(map, "an empty detection");
}

bool Reader::read_values(const YamlNode& node, FieldItem& item) {
  if (node.type == Type::kMapping) return refuse(node, "a value is a text or a list of them");
  if (node.type != Type::kSequence) {
    item.values.push_back(scalar_of(node));
    return true;
  }
  item.values.reserve(node.items.size());
  for (const YamlNode& each : node.items) {
    if (each.type != Type::kScalar && each.type != Type::kNull) {
      return refuse(each, "a value is a text or a list of them");
    }
    item.values.push_back(scalar_of(each));
  }
  return !item.values.empty() || refuse(node, "an empty list of values");
}

// For correlation_reader.cpp.
template bool Reader::read_head<CorrelationRule>(const YamlNode& document, CorrelationRule& rule);

}  // namespace coff::sigma
