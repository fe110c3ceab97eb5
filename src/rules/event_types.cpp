// Which event types there are, and with which of them a condition can be true.
#include <algorithm>

#include "rules/program.hpp"
#include "schema/constants.hpp"
#include "schema/decode.hpp"

namespace coff::rules {

namespace {

constexpr std::int32_t kSyscallsMax = 1024;

// Names of libsinsp beside those of system calls, and calls that some machines don't have.
constexpr std::string_view kOthers[] = {
    "accept",       "asyncevent",    "chmod",         "chown",        "clone",        "container",
    "cpu_hotplug",  "creat",         "dup2",          "epoll_create", "eventfd",      "fork",
    "getdents",     "group_added",   "group_deleted", "infra",        "inotify_init", "k8s",
    "lchown",       "link",          "llseek",        "mesos",        "mkdir",        "mknod",
    "notification", "open",          "page_fault",    "pipe",         "plugin_event", "pluginevent",
    "poll",         "pread",         "procexit",      "procinfo",     "pwrite",       "recv",
    "rename",       "rmdir",         "scapevent",     "select",       "send",         "setresgid",
    "sigaction",    "signaldeliver", "signalfd",      "stat64",       "switch",       "symlink",
    "syncfs",       "syscall",       "sysdigevent",   "tracer",       "umount",       "unlink",
    "user_added",   "user_deleted",  "vfork",         "drop",         "fchmodat2",    "setxattrat",
};

std::vector<std::string_view> collect() {
  std::vector<std::string_view> names(std::begin(kOthers), std::end(kOthers));
  for (std::int32_t number = 0; number < kSyscallsMax; ++number) {
    const std::string_view name = schema::syscall_name(number);
    if (!name.empty()) names.push_back(name);
  }
  for (const std::string_view kind : schema::kKindNames) names.push_back(kind);
  for (auto kind = static_cast<unsigned>(Kind::container_create);
       kind <= static_cast<unsigned>(kLastKind); ++kind) {
    names.push_back(schema::kind_name(static_cast<Kind>(kind)));
  }
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

using Types = std::vector<bool>;

/// Types with which a node may be true, and with which it may be false.
struct Possible {
  Types yes;
  Types no;
};

void keep_common(Types& types, const Types& other) {
  for (size_t at = 0; at < types.size(); ++at) types[at] = types[at] && other[at];
}
void add_all(Types& types, const Types& other) {
  for (size_t at = 0; at < types.size(); ++at) types[at] = types[at] || other[at];
}

Possible of_check(const Program& program, const Check& check) {
  const size_t count = event_types().size();
  Possible possible{Types(count, true), Types(count, true)};
  const Source& left = program.sources()[check.left];
  if (check.right != kNone || check.modifier != Modifier::kNone) return possible;
  if (left.name == "evt.num" && check.op == Operator::kEqual &&
      check.constants.unsigneds.front() == 0) {
    possible.yes.assign(count, false);  // Events are counted from 1.
    return possible;
  }
  const bool positive = check.op == Operator::kEqual || check.op == Operator::kIn;
  if (left.name != "evt.type" || (!positive && check.op != Operator::kNotEqual)) return possible;
  Types named(count, false);
  for (const std::string& text : check.constants.texts) {
    const auto found = std::ranges::lower_bound(event_types(), text);
    if (found != event_types().end() && *found == text) {
      named[static_cast<size_t>(found - event_types().begin())] = true;
    }
  }
  Types others = named;
  others.flip();
  // Engine events answer to "container" and to their kind's own name.
  possible.yes = positive ? named : others;
  possible.no = positive ? others : named;
  return possible;
}

class Inference {
 public:
  explicit Inference(const Program& program) : program_(program) {}

  const Possible& of(NodeId id) {
    const auto known = done_.find(id);
    if (known != done_.end()) return known->second;
    Possible possible = compute(program_.nodes()[id]);
    return done_.emplace(id, std::move(possible)).first->second;
  }

 private:
  Possible compute(const Node& node) {
    const size_t count = event_types().size();
    switch (node.type) {
      case Node::Type::kFalse: return {Types(count, false), Types(count, true)};
      case Node::Type::kTrue: return {Types(count, true), Types(count, false)};
      case Node::Type::kCheck: return of_check(program_, program_.checks()[node.check]);
      case Node::Type::kNot: {
        const Possible& child = of(node.children.front());
        return {child.no, child.yes};
      }
      default: break;
    }
    const bool is_and = node.type == Node::Type::kAnd;
    Possible possible{Types(count, is_and), Types(count, !is_and)};
    for (const NodeId child : node.children) {
      const Possible& part = of(child);
      if (is_and) {
        keep_common(possible.yes, part.yes);
        add_all(possible.no, part.no);
      } else {
        add_all(possible.yes, part.yes);
        keep_common(possible.no, part.no);
      }
    }
    return possible;
  }

  const Program& program_;
  std::map<NodeId, Possible> done_;
};

}  // namespace

const std::vector<std::string_view>& event_types() {
  static const std::vector<std::string_view> kTypes = collect();
  return kTypes;
}

bool is_event_type(std::string_view name) {
  return std::ranges::binary_search(event_types(), name);
}

std::vector<bool> possible_types(const Program& program, NodeId node) {
  return Inference(program).of(node).yes;
}

}  // namespace coff::rules
