// What a loaded rule set says about itself.
#include "rules/rule_set.hpp"

#include <algorithm>

namespace coff::rules {

namespace {

std::string constants_text(const Check& check) {
  const Constants& constants = check.constants;
  std::vector<std::string> texts;
  for (const std::string& text : constants.texts) texts.push_back(quoted_if_needed(text));
  for (const auto& pattern : constants.patterns)
    texts.push_back(quoted_if_needed(pattern->pattern()));
  for (const std::int64_t number : constants.numbers) texts.push_back(std::to_string(number));
  for (const std::uint64_t number : constants.unsigneds) texts.push_back(std::to_string(number));
  for (const bool flag : constants.flags) texts.emplace_back(flag ? "true" : "false");
  for (const auto& address : constants.addresses) {
    texts.push_back(schema::value_text(schema::Value{address}));
  }
  for (const Network& network : constants.networks) {
    texts.push_back(schema::value_text(schema::Value{network.address}) + '/' +
                    std::to_string(network.bits));
  }
  std::string text;
  for (const std::string& each : texts) text += (text.empty() ? "" : ", ") + each;
  const bool list = check.modifier != Modifier::kNone || check.op == Operator::kIn ||
                    check.op == Operator::kIntersects || check.op == Operator::kPmatch;
  return list ? '(' + text + ')' : text;
}

void append_text(const Program& program, NodeId id, size_t bytes_max, std::string& out) {
  if (out.size() > bytes_max) return;
  const Node& node = program.nodes()[id];
  switch (node.type) {
    case Node::Type::kFalse: out += "false"; return;
    case Node::Type::kTrue: out += "true"; return;
    case Node::Type::kNot:
      out += "not ";
      append_text(program, node.children.front(), bytes_max, out);
      return;
    case Node::Type::kCheck: {
      const Check& check = program.checks()[node.check];
      out.append(program.sources()[check.left].name).append(" ").append(operator_name(check.op));
      if (check.op == Operator::kExists) return;
      if (check.modifier != Modifier::kNone) out.append(" ").append(modifier_name(check.modifier));
      out += ' ';
      if (check.right == kNone) {
        out += constants_text(check);
        return;
      }
      const Source& right = program.sources()[check.right];
      const bool field = right.kind == Source::Kind::kField;
      out += field ? "val(" + right.name + ")" : right.name;
      return;
    }
    default: break;
  }
  out += '(';
  for (const NodeId& child : node.children) {
    if (&child != node.children.data()) out += node.type == Node::Type::kAnd ? " and " : " or ";
    append_text(program, child, bytes_max, out);
  }
  out += ')';
}

}  // namespace

std::string node_text(const Program& program, NodeId node, size_t bytes_max) {
  std::string text;
  append_text(program, node, bytes_max, text);
  if (text.size() > bytes_max) text.resize(bytes_max);
  return text;
}

RuleSet::RuleSet() = default;
RuleSet::~RuleSet() = default;

std::vector<const Rule*> RuleSet::rules() const {
  std::vector<const Rule*> list;
  for (const CompiledRule& each : compiled_) list.push_back(&each.rule);
  return list;
}

std::vector<std::string_view> RuleSet::event_types() const {
  std::vector<bool> some(rules::event_types().size(), false);
  for (const CompiledRule& each : compiled_) {
    if (!each.rule.enabled) continue;
    const std::vector<bool> possible = possible_types(*program_, each.condition);
    for (size_t at = 0; at < some.size(); ++at) some[at] = some[at] || possible[at];
  }
  std::vector<std::string_view> names;
  for (size_t at = 0; at < some.size(); ++at) {
    if (some[at]) names.push_back(rules::event_types()[at]);
  }
  return names;
}

std::string RuleSet::compiled_text(std::string_view rule, size_t bytes_max) const {
  for (const CompiledRule& each : compiled_) {
    if (each.rule.name == rule) return node_text(*program_, each.condition, bytes_max);
  }
  return {};
}

bool Loaded::ok() const {
  return std::ranges::none_of(problems, [](const Problem& problem) {
    return problem.severity == Problem::Severity::kError;
  });
}

}  // namespace coff::rules
