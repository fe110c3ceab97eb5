// Reads the rules of a rule file: whole ones, appended ones, overridden ones, and exceptions.
#include <algorithm>

#include "rules/item_reader.hpp"

namespace coff::rules {

namespace {

using Type = YamlNode::Type;

bool is_white(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Outputs are written folded, which leaves a line break at their end.
YamlNode trimmed(YamlNode node) {
  std::string& text = node.scalar;
  while (!text.empty() && is_white(text.back())) text.pop_back();
  text.erase(0, std::min(text.find_first_not_of(" \t\n\r"), text.size()));
  return node;
}

}  // namespace

bool ItemReader::read_rule(const YamlNode& item) {
  std::string name;
  if (!text(item, "rule", place_of(item, "rule"), Need::kRequired, name)) return false;
  const ItemPlace where = place_of(item, "rule '" + name + "'");
  warn_unknown_keys(item,
                    {"rule", "condition", "output", "desc", "priority", "source", "enabled",
                     "capture", "capture_duration", "warn_evttypes", "skip-if-unknown-filter",
                     "tags", "exceptions", "override", "append"},
                    where);
  bool append = false;
  if (!read_append(item, where, append)) return false;
  const YamlNode* overrides = find_member(item, "override");
  const bool overridden = overrides != nullptr && !overrides->items.empty();
  if (append && overridden) {
    return fail("LOAD_ERR_YAML_VALIDATE",
                "Keys 'override' and 'append: true' cannot be used together. Add an 'append' "
                "entry (e.g. 'condition: append') under 'override' instead.",
                item, where);
  }
  if (overrides != nullptr && overrides->type == Type::kScalar) {
    return fail("LOAD_ERR_YAML_VALIDATE", "'override' must be a mapping", *overrides, where);
  }
  if (overridden) return read_overridden_rule(item, std::move(name), where);
  if (append) return read_appended_rule(item, std::move(name), where);
  return read_whole_rule(item, std::move(name), where);
}

bool ItemReader::read_whole_rule(const YamlNode& item, std::string name, const ItemPlace& where) {
  RuleDefinition rule;
  rule.name = std::move(name);
  rule.where = where;
  const bool has_body = std::ranges::any_of(item.keys, [](const YamlNode& key) {
    return key.scalar == "condition" || key.scalar == "output" || key.scalar == "desc" ||
           key.scalar == "priority";
  });
  if (!has_body) {
    if (!flag(item, "enabled", where, Need::kRequired, rule.enabled)) return false;
    warn("LOAD_DEPRECATED_ITEM",
         "The standalone 'enabled' key usage is deprecated. The correct approach requires also a "
         "'replace' entry under the 'override' key (i.e. 'enabled: replace').",
         where);
    return accept(definitions_.enable(rule.name, rule.enabled, where));
  }
  std::string output;
  if (!text(item, "condition", where, rule.condition)) return false;
  if (!text(item, "output", where, Need::kRequired, output)) return false;
  rule.output = piece_text(trimmed(*find_member(item, "output")));
  if (!text(item, "desc", where, Need::kRequired, rule.description)) return false;
  if (!priority(item, where, rule.priority)) return false;
  const YamlNode* source = find_member(item, "source");
  if (source != nullptr && source->type == Type::kScalar && !source->scalar.empty()) {
    rule.source = source->scalar;
  }
  std::vector<std::string> tags;
  if (!flag(item, "enabled", where, Need::kOptional, rule.enabled) ||
      !flag(item, "capture", where, Need::kOptional, rule.capture) ||
      !number(item, "capture_duration", where, rule.capture_duration_ms) ||
      !flag(item, "warn_evttypes", where, Need::kOptional, rule.warn_evttypes) ||
      !flag(item, "skip-if-unknown-filter", where, Need::kOptional, rule.skip_if_unknown_filter) ||
      !texts(item, "tags", where, Need::kOptional, tags) ||
      !read_exceptions(item, where, false, rule.exceptions)) {
    return false;
  }
  rule.tags.insert(tags.begin(), tags.end());
  if (rule.source != "syscall") {
    rule.unknown_source = true;
    warn("LOAD_UNKNOWN_SOURCE", "Unknown source " + rule.source + ", skipping", where);
  }
  return accept(definitions_.define(std::move(rule)));
}

bool ItemReader::read_appended_rule(const YamlNode& item, std::string name,
                                    const ItemPlace& where) {
  RuleUpdate update;
  update.name = std::move(name);
  update.where = where;
  if (find_member(item, "condition") != nullptr &&
      !text(item, "condition", where, update.condition.emplace())) {
    return false;
  }
  if (find_member(item, "exceptions") != nullptr &&
      !read_exceptions(item, where, true, update.exceptions.emplace())) {
    return false;
  }
  return accept(definitions_.append(std::move(update)));
}

bool ItemReader::read_overridden_rule(const YamlNode& item, std::string name,
                                      const ItemPlace& where) {
  const Keys appendable = {"condition", "output", "desc", "tags", "exceptions"};
  const Keys replaceable = {"condition",
                            "output",
                            "desc",
                            "priority",
                            "tags",
                            "exceptions",
                            "enabled",
                            "capture",
                            "warn_evttypes",
                            "capture_duration",
                            "skip-if-unknown-filter"};
  Overrides overrides;
  if (!read_overrides(item, appendable, replaceable, where, overrides)) return false;
  const auto undefined = [&](const std::set<std::string>& keys, const std::string& kind) {
    for (const std::string& key : keys) {
      if (find_member(item, key) != nullptr) continue;
      return !fail("LOAD_ERR_YAML_VALIDATE",
                   "An " + kind + " override for '" + key + "' was specified but '" + key +
                       "' is not defined",
                   item, where);
    }
    return false;
  };
  if (undefined(overrides.append, "append") || undefined(overrides.replace, "replace")) {
    return false;
  }
  for (const YamlNode& key : item.keys) {
    const bool expected = std::ranges::find(replaceable, key.scalar) != replaceable.end();
    if (!expected || overrides.append.contains(key.scalar) ||
        overrides.replace.contains(key.scalar)) {
      continue;
    }
    return fail(
        "LOAD_ERR_YAML_VALIDATE",
        "Unexpected key '" + key.scalar + "': no corresponding entry under 'override' is defined.",
        key, where);
  }
  if (!overrides.append.empty()) {
    RuleUpdate update;
    update.name = name;
    update.where = where;
    if (!read_updates(item, overrides.append, true, update)) return false;
    if (!accept(definitions_.append(std::move(update)))) return false;
  }
  if (overrides.replace.empty()) return true;
  RuleUpdate update;
  update.name = std::move(name);
  update.where = where;
  if (!read_updates(item, overrides.replace, false, update)) return false;
  return accept(definitions_.replace(std::move(update)));
}

bool ItemReader::read_updates(const YamlNode& item, const std::set<std::string>& keys, bool append,
                              RuleUpdate& update) {
  const ItemPlace& where = update.where;
  for (const std::string& key : keys) {
    bool good = true;
    if (key == "condition") good = text(item, key, where, update.condition.emplace());
    if (key == "output") good = text(item, key, where, update.output.emplace());
    if (key == "desc") {
      good = text(item, key, where, Need::kRequired, update.description.emplace());
    }
    if (key == "tags") {
      std::vector<std::string> tags;
      good = texts(item, key, where, Need::kRequired, tags);
      update.tags.emplace(tags.begin(), tags.end());
    }
    if (key == "exceptions") {
      good = read_exceptions(item, where, append, update.exceptions.emplace());
    }
    if (key == "priority") good = priority(item, where, update.priority.emplace());
    if (key == "enabled") good = flag(item, key, where, Need::kRequired, update.enabled.emplace());
    if (key == "capture") good = flag(item, key, where, Need::kRequired, update.capture.emplace());
    if (key == "capture_duration") {
      good = number(item, key, where, update.capture_duration_ms.emplace());
    }
    if (key == "warn_evttypes") {
      good = flag(item, key, where, Need::kRequired, update.warn_evttypes.emplace());
    }
    if (key == "skip-if-unknown-filter") {
      good = flag(item, key, where, Need::kRequired, update.skip_if_unknown_filter.emplace());
    }
    if (!good) return false;
  }
  return true;
}

bool ItemReader::read_exceptions(const YamlNode& item, const ItemPlace& where, bool append,
                                 std::vector<ExceptionDefinition>& out) {
  const YamlNode* exceptions = find_member(item, "exceptions");
  if (exceptions == nullptr || exceptions->type == Type::kNull) return true;
  if (exceptions->type != Type::kSequence) {
    return fail("LOAD_ERR_YAML_VALIDATE", "Rule exceptions must be a sequence", *exceptions, where);
  }
  for (const YamlNode& exception : exceptions->items) {
    if (!read_exception(exception, where, append, out)) return false;
  }
  return true;
}

bool ItemReader::read_exception(const YamlNode& item, const ItemPlace& where, bool append,
                                std::vector<ExceptionDefinition>& out) {
  if (item.type != Type::kMapping) {
    return fail("LOAD_ERR_YAML_VALIDATE", "Rule exception must be a mapping", item, where);
  }
  ExceptionDefinition exception;
  if (!text(item, "name", where, Need::kRequired, exception.name)) return false;
  exception.where = place_of(item, where.context + ", exception '" + exception.name + "'");
  warn_unknown_keys(item, {"name", "fields", "comps", "values"}, exception.where);
  if (std::ranges::find(out, exception.name, &ExceptionDefinition::name) != out.end()) {
    warn("LOAD_EXCEPTION_NAME_NOT_UNIQUE",
         "Multiple definitions of exception '" + exception.name + "' in the same rule",
         exception.where);
  }
  const YamlNode* fields = find_member(item, "fields");
  if (fields == nullptr && !append) {
    return fail("LOAD_ERR_YAML_VALIDATE", "Item has no mapping for key 'fields'", item,
                exception.where);
  }
  if (fields != nullptr && !read_entry(*fields, exception.where, exception.fields)) return false;
  const YamlNode* comps = find_member(item, "comps");
  if (comps != nullptr && !read_entry(*comps, exception.where, exception.comps)) return false;
  const YamlNode* values = find_member(item, "values");
  if (values != nullptr) {
    if (values->type != Type::kSequence) {
      return fail("LOAD_ERR_YAML_VALIDATE", "Rule exception values must be a sequence", *values,
                  exception.where);
    }
    for (const YamlNode& value : values->items) {
      if (!read_entry(value, exception.where, exception.values.emplace_back())) return false;
    }
  } else if (append) {
    warn("LOAD_APPEND_NO_VALUES", "Overriding/appending exception with no values", exception.where);
  }
  out.push_back(std::move(exception));
  return true;
}

bool ItemReader::read_entry(const YamlNode& node, const ItemPlace& where, ExceptionEntry& out) {
  out.present = true;
  if (node.type == Type::kScalar) {
    if (node.scalar.empty()) {
      return fail("LOAD_ERR_YAML_VALIDATE", "Value must be non-empty", node, where);
    }
    out.text = node.scalar;
    out.piece = add_piece(node);
    return true;
  }
  if (node.type == Type::kSequence) {
    out.is_list = true;
    for (const YamlNode& each : node.items) {
      if (!read_entry(each, where, out.items.emplace_back())) return false;
    }
    return true;
  }
  return fail("LOAD_ERR_YAML_VALIDATE", "A value of an exception must be text or a list", node,
              where);
}

}  // namespace coff::rules
