// What the kernel has to forward so that a rule set finds all that it can find.
#include "rules/push_down.hpp"

#include <algorithm>
#include <set>
#include <tuple>

#include "rules/need.hpp"
#include "rules/rule_set.hpp"

namespace coff::rules {

namespace {

/// What all rules with the same restrictions need together.
struct Group {
  std::set<unsigned> kinds;
  std::optional<Paths> paths = Paths{};
  std::vector<std::string> rules;

  void add(const Need& need, unsigned kind, const std::string& rule) {
    constexpr size_t kNamesMax = 3;
    kinds.insert(kind);
    if (!need.paths) paths.reset();
    else if (paths) paths->add(*need.paths);
    if (paths && paths->size() > kPushDownPathsMax) paths.reset();
    const bool named = std::ranges::find(rules, rule) != rules.end();
    if (!named && rules.size() <= kNamesMax) rules.push_back(rule);
  }
  [[nodiscard]] std::string reason() const {
    std::string text = "rules:";
    for (size_t at = 0; at < rules.size(); ++at) {
      text += at == 3 ? " and others" : (at == 0 ? " " : ", ") + rules[at];
    }
    return text;
  }
};

std::vector<std::string> list(const std::set<std::string>& set) { return {set.begin(), set.end()}; }

}  // namespace

KernelFilter kernel_filter(const RuleSet& rules) {
  std::vector<const CompiledRule*> enabled;
  for (const CompiledRule& each : rules.compiled()) {
    if (each.rule.enabled) enabled.push_back(&each);
  }
  return kernel_filter(rules.program(), enabled);
}

KernelFilter kernel_filter(const Program& program, std::span<const CompiledRule* const> rules) {
  // Host, containers, success, failure, flags, whether it is an open, whether paths restrict.
  using Key = std::tuple<bool, bool, bool, bool, std::uint32_t, bool, bool>;
  std::map<Key, Group> groups;
  for (unsigned kind = 0; kind < COFF_KINDS; ++kind) {
    KindNeed needs(program, kind);
    for (const CompiledRule* each : rules) {
      const Need& need = needs.of(each->forwarded == kNone ? each->condition : each->forwarded);
      if (!need.possible) continue;
      const bool open = kind == COFF_KIND_open;
      const Key key{need.on_host,          need.in_containers, need.on_success,
                    need.on_failure,       need.open_flags,    open,
                    need.paths.has_value()};
      groups[key].add(need, kind, each->rule.name);
    }
  }
  KernelFilter filter;
  for (const auto& [key, group] : groups) {
    const auto& [on_host, in_containers, on_success, on_failure, flags, open, by_path] = key;
    FilterClause clause;
    clause.reason = group.reason();
    clause.kinds.assign(group.kinds.begin(), group.kinds.end());
    clause.on_host = on_host;
    clause.in_containers = in_containers;
    clause.only_success = !on_failure;
    clause.only_failure = !on_success;
    clause.open_flags_any = flags;
    if (group.paths && by_path) {
      clause.path_exact = list(group.paths->exact);
      clause.path_prefix = list(group.paths->prefix);
      clause.path_suffix = list(group.paths->suffix);
      clause.path_contains = list(group.paths->contains);
    }
    filter.clauses.push_back(std::move(clause));
  }
  return filter;
}

}  // namespace coff::rules
