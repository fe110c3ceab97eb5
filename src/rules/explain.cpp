// What is made of one rule, and how much of it the kernel decides.
#include "rules/explain.hpp"

#include <algorithm>

#include "rules/need.hpp"
#include "rules/push_down.hpp"
#include "rules/rule_set.hpp"
#include "schema/decode.hpp"

namespace coff::rules {

namespace {

// Of a part of a condition inside a sentence.
constexpr size_t kPartBytesMax = 300;
// Names of one list in a sentence.
constexpr size_t kNamesMax = 20;

void append_names(std::string& out, std::string_view lead, const std::vector<std::string>& names) {
  if (names.empty()) return;
  out.append(out.empty() ? "" : " or ").append(lead);
  for (size_t at = 0; at < std::min(names.size(), kNamesMax); ++at) {
    out.append(at == 0 ? " " : ", ").append(quoted_if_needed(names[at]));
  }
  if (names.size() > kNamesMax) {
    out += " and " + std::to_string(names.size() - kNamesMax) + " others";
  }
}

std::string kinds_text(const std::vector<unsigned>& kinds) {
  if (kinds.size() >= COFF_KINDS) return "every kind of event";
  std::string text;
  for (const unsigned kind : kinds) {
    text.append(text.empty() ? "" : ", ").append(schema::kKindNames[kind]);
  }
  return text;
}

bool is_path(std::string_view field) {
  return field == "fd.name" || field == "fd.directory" || field == "fd.filename" ||
         field == "file.path" || field == "file.resolved" || field.starts_with("fs.path.") ||
         field.starts_with("evt.abspath");
}

/// Finds out which part of a condition lets opens of any path through.
class Blame {
 public:
  explicit Blame(const Program& program) : program_(program), needs_(program, COFF_KIND_open) {}

  // The smallest part without a path condition of its own that speaks of paths, else the whole.
  NodeId pathless(NodeId id) {
    for (;;) {
      const Node& node = program_.nodes()[id];
      if (node.type != Node::Type::kOr && node.type != Node::Type::kAnd) return id;
      const auto child = std::ranges::find_if(node.children, [&](NodeId each) {
        if (!is_pathless(each)) return false;
        return node.type == Node::Type::kOr || unusable_check(each, false) != kNone;
      });
      if (child == node.children.end()) return id;
      id = *child;
    }
  }

 private:
  bool is_pathless(NodeId id) {
    const Need& need = needs_.of(id);
    return need.possible && !need.paths;
  }

  // A check of a path that gives the kernel no paths; kNone when there is none.
  NodeId unusable_check(NodeId id, bool below_not) {
    const Node& node = program_.nodes()[id];
    if (node.type == Node::Type::kCheck) {
      const Check& check = program_.checks()[node.check];
      const bool path = is_path(program_.sources()[check.left].name);
      return path && !below_not && is_pathless(id) ? id : kNone;
    }
    below_not = below_not || node.type == Node::Type::kNot;
    for (const NodeId child : node.children) {
      const NodeId found = unusable_check(child, below_not);
      if (found != kNone) return found;
    }
    return kNone;
  }

  const Program& program_;
  KindNeed needs_;
};

std::string part_text(const Program& program, NodeId node) {
  std::string text = node_text(program, node, kPartBytesMax);
  return "\"" + text + (text.size() >= kPartBytesMax ? "…\"" : "\"");
}

std::string why_any_path(const Program& program, NodeId condition, const FilterClause& clause) {
  const NodeId part = Blame(program).pathless(condition);
  const Node& node = program.nodes()[part];
  const bool check = node.type == Node::Type::kCheck &&
                     is_path(program.sources()[program.checks()[node.check].left].name);
  std::string text = clause.open_flags_any == COFF_OPEN_WRITE ? "opens for writing" : "opens";
  text += " of any path: ";
  text += check ? "the kernel can't decide " : "no necessary path condition in ";
  return text + part_text(program, part);
}

}  // namespace

std::string clause_text(const FilterClause& clause) {
  std::string text = kinds_text(clause.kinds);
  if (clause.open_flags_any == COFF_OPEN_WRITE) text += " for writing";
  if (!clause.on_host) text += ", in containers";
  if (!clause.in_containers) text += ", on the host";
  if (clause.only_success) text += ", that succeed";
  if (clause.only_failure) text += ", that fail";
  std::string paths;
  append_names(paths, "the path", clause.path_exact);
  append_names(paths, "a path that begins with", clause.path_prefix);
  append_names(paths, "ends with", clause.path_suffix);
  append_names(paths, "contains", clause.path_contains);
  return paths.empty() ? text : text + ": " + paths;
}

std::optional<Explanation> explain(const RuleSet& rules, std::string_view rule) {
  const auto found = std::ranges::find_if(
      rules.compiled(), [&](const CompiledRule& each) { return each.rule.name == rule; });
  if (found == rules.compiled().end()) return std::nullopt;
  const Program& program = rules.program();
  Explanation explained{.rule = &found->rule};
  explained.condition = node_text(program, found->condition, kExplainedBytesMax);
  const std::vector<bool> possible = possible_types(program, found->condition);
  for (size_t at = 0; at < possible.size(); ++at) {
    if (possible[at]) explained.event_types.push_back(event_types()[at]);
  }
  const CompiledRule* const only[] = {&*found};
  explained.clauses = kernel_filter(program, only).clauses;
  size_t kinds = 0;
  for (const FilterClause& clause : explained.clauses) {
    explained.kernel.push_back(clause_text(clause));
    kinds += clause.kinds.size();
    for (const unsigned kind : clause.kinds) {
      explained.kinds.push_back(schema::kKindNames[kind]);
    }
    const bool open = std::ranges::find(clause.kinds, COFF_KIND_open) != clause.kinds.end();
    const bool any = clause.path_exact.empty() && clause.path_prefix.empty() &&
                     clause.path_suffix.empty() && clause.path_contains.empty();
    if (open && any) {
      const NodeId need = found->forwarded == kNone ? found->condition : found->forwarded;
      explained.unfiltered.push_back(why_any_path(program, need, clause));
    }
  }
  if (kinds >= COFF_KINDS) {
    explained.unfiltered.insert(explained.unfiltered.begin(),
                                "events of every kind: no necessary condition on evt.type");
  }
  std::ranges::sort(explained.kinds);
  return explained;
}

}  // namespace coff::rules
