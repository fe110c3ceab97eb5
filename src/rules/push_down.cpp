// What the kernel has to forward so that a rule set finds all that it can find.
#include "rules/push_down.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "bpf/calls.h"
#include "rules/rule_set.hpp"
#include "schema/constants.hpp"
#include "schema/decode.hpp"

namespace coff::rules {

namespace {

struct Paths {
  std::set<std::string> exact;
  std::set<std::string> prefix;
  std::set<std::string> suffix;
  std::set<std::string> contains;

  [[nodiscard]] size_t size() const {
    return exact.size() + prefix.size() + suffix.size() + contains.size();
  }
  void add(const Paths& other) {
    exact.insert(other.exact.begin(), other.exact.end());
    prefix.insert(other.prefix.begin(), other.prefix.end());
    suffix.insert(other.suffix.begin(), other.suffix.end());
    contains.insert(other.contains.begin(), other.contains.end());
  }
};

/// A condition that holds whenever some other one does.
struct Need {
  bool possible = true;
  bool on_host = true;
  bool in_containers = true;
  std::uint32_t open_flags = 0;  ///< 0: any.
  std::optional<Paths> paths;    ///< Nothing: any.

  static Need never() { return {.possible = false}; }
};

// Both hold, so either one's restriction may be used.
Need both(Need a, const Need& b) {
  a.possible = a.possible && b.possible;
  a.on_host = a.on_host && b.on_host;
  a.in_containers = a.in_containers && b.in_containers;
  a.possible = a.possible && (a.on_host || a.in_containers);
  // Of two sets of flags (some bit must be there) or paths, the smaller one restricts more.
  if (a.open_flags == 0) a.open_flags = b.open_flags;
  if (!a.paths || (b.paths && b.paths->size() < a.paths->size()))
    a.paths = b.paths ? b.paths : a.paths;
  return a;
}

Need either(Need a, const Need& b) {
  if (!a.possible) return b;
  if (!b.possible) return a;
  a.on_host = a.on_host || b.on_host;
  a.in_containers = a.in_containers || b.in_containers;
  a.open_flags = a.open_flags == 0 || b.open_flags == 0 ? 0 : a.open_flags | b.open_flags;
  if (a.paths && b.paths) a.paths->add(*b.paths);
  else a.paths.reset();
  return a;
}

bool kind_has_type(unsigned kind, std::string_view type) {
  if (type == schema::kKindNames[kind]) return true;
  Event event;
  event.kind = static_cast<Kind>(kind);
  if (type == schema::event_type_name(event)) return true;
  struct Call {
    std::string_view name;
    unsigned kind;
  };
  constexpr Call kCalls[] = {
#define COFF_X(call, program, kind, ...) {#call, COFF_KIND_##kind},
      COFF_CALLS(COFF_X)
#undef COFF_X
  };
  return std::ranges::any_of(
      kCalls, [&](const Call& call) { return call.kind == kind && call.name == type; });
}

/// The need of one node for events of one kind.
class KindNeed {
 public:
  KindNeed(const Program& program, unsigned kind) : program_(program), kind_(kind) {}

  const Need& of(NodeId id) {
    const auto known = done_.find(id);
    if (known != done_.end()) return known->second;
    Need need = compute(program_.nodes()[id]);
    return done_.emplace(id, std::move(need)).first->second;
  }

 private:
  Need compute(const Node& node) {
    switch (node.type) {
      case Node::Type::kFalse: return Need::never();
      case Node::Type::kTrue: return {};
      case Node::Type::kCheck: return of_check(program_.checks()[node.check]);
      case Node::Type::kNot: return {};  // What is missing makes checks false, so "not" can hold.
      default: break;
    }
    const bool is_and = node.type == Node::Type::kAnd;
    Need need = is_and ? Need{} : Need::never();
    for (const NodeId child : node.children) {
      need = is_and ? both(std::move(need), of(child)) : either(std::move(need), of(child));
    }
    return need;
  }

  Need of_check(const Check& check) const {
    const Source& left = program_.sources()[check.left];
    const bool plain = check.right == kNone && left.kind == Source::Kind::kField &&
                       (check.modifier == Modifier::kNone || check.modifier == Modifier::kAnyOf);
    if (!plain || check.op == Operator::kExists) return {};
    const bool equal = check.op == Operator::kEqual || check.op == Operator::kIn ||
                       check.op == Operator::kIntersects;
    const auto& texts = check.constants.texts;
    const std::string_view name = left.name;
    // Events are counted from 1: how rules switch parts of themselves off.
    if (name == "evt.num" && equal && check.constants.unsigneds == std::vector<std::uint64_t>{0}) {
      return Need::never();
    }
    if (name == "evt.type" && equal) {
      const bool some = std::ranges::any_of(
          texts, [&](const std::string& text) { return kind_has_type(kind_, text); });
      return some ? Need{} : Need::never();
    }
    if (name == "container.id" && check.modifier == Modifier::kNone) return of_place(check);
    if (kind_ != COFF_KIND_open) return {};
    if (equal && check.constants.flags == std::vector<bool>{true}) {
      if (name == "evt.is_open_write") return {.open_flags = COFF_OPEN_WRITE};
      // Not evt.is_open_read: the kernel's bit leaves out O_PATH, which libsinsp counts as reading.
    }
    if (name == "fd.name" || name == "file.path") return of_path(check, equal);
    if (name == "fd.directory" && equal) return of_directory(check);
    if (name == "fd.filename" && equal) return of_file_name(check);
    return {};
  }

  static Need of_place(const Check& check) {
    const auto& texts = check.constants.texts;
    const bool host = std::ranges::find(texts, "host") != texts.end();
    if (check.op == Operator::kNotEqual) return {.on_host = !host};
    const bool equal = check.op == Operator::kEqual || check.op == Operator::kIn;
    if (!equal) return {};
    const bool only_host = host && texts.size() == 1;
    return {.on_host = host, .in_containers = !only_host};
  }

  static Need of_path(const Check& check, bool equal) {
    Paths paths;
    for (const std::string& text : check.constants.texts) {
      if (text.empty()) return {};
      if (equal) paths.exact.insert(text);
      else if (check.op == Operator::kStartsWith) paths.prefix.insert(text);
      else if (check.op == Operator::kEndsWith) paths.suffix.insert(text);
      else if (check.op == Operator::kContains) paths.contains.insert(text);
      else if (check.op != Operator::kPmatch || !add_below(paths, text)) return {};
    }
    return {.paths = std::move(paths)};
  }

  // The paths below one that may hold patterns; false when every path may be.
  static bool add_below(Paths& paths, std::string_view text) {
    std::string prefix;
    for (size_t at = 0; at < text.size();) {
      const size_t end = std::min(text.find('/', at), text.size());
      const std::string_view part = text.substr(at, end - at);
      at = end + 1;
      if (part.empty()) continue;
      if (part.find_first_of("*?[") != part.npos) {
        if (prefix.empty()) return false;
        paths.prefix.insert(prefix + '/');
        return true;
      }
      prefix.append("/").append(part);
    }
    if (prefix.empty()) return false;
    paths.exact.insert(prefix);
    paths.prefix.insert(prefix + '/');
    return true;
  }

  // A directory that was opened as one is its own fd.directory.
  static Need of_directory(const Check& check) {
    Paths paths;
    for (const std::string& text : check.constants.texts) {
      if (text.empty() || text == "/") return {};
      paths.exact.insert(text);
      paths.prefix.insert(text + '/');
    }
    return {.paths = std::move(paths)};
  }

  static Need of_file_name(const Check& check) {
    Paths paths;
    for (const std::string& text : check.constants.texts) {
      if (text.empty()) return {};
      paths.suffix.insert('/' + text);
    }
    return {.paths = std::move(paths)};
  }

  const Program& program_;
  unsigned kind_;
  std::map<NodeId, Need> done_;
};

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
  // Host, containers, flags, whether it is an open, whether paths restrict.
  using Key = std::tuple<bool, bool, std::uint32_t, bool, bool>;
  std::map<Key, Group> groups;
  for (unsigned kind = 0; kind < COFF_KINDS; ++kind) {
    KindNeed needs(rules.program(), kind);
    for (const CompiledRule& each : rules.compiled()) {
      if (!each.rule.enabled) continue;
      const Need& need = needs.of(each.forwarded == kNone ? each.condition : each.forwarded);
      if (!need.possible) continue;
      const bool open = kind == COFF_KIND_open;
      groups[{need.on_host, need.in_containers, need.open_flags, open, open && need.paths}].add(
          need, kind, each.rule.name);
    }
  }
  KernelFilter filter;
  for (const auto& [key, group] : groups) {
    const auto& [on_host, in_containers, flags, open, by_path] = key;
    FilterClause clause;
    clause.reason = group.reason();
    clause.kinds.assign(group.kinds.begin(), group.kinds.end());
    clause.on_host = on_host;
    clause.in_containers = in_containers;
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
