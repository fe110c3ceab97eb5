// What must be true of an event before a condition can hold, in the terms that the kernel knows.
#include "rules/need.hpp"

#include <algorithm>

#include "bpf/calls.h"
#include "schema/constants.hpp"
#include "schema/decode.hpp"
#include "schema/kernel_filter.hpp"

namespace coff::rules {

namespace {

Need never() { return {.possible = false}; }

// Both hold, so either one's restriction may be used.
Need both(Need a, const Need& b) {
  a.possible = a.possible && b.possible;
  a.on_host = a.on_host && b.on_host;
  a.in_containers = a.in_containers && b.in_containers;
  a.on_success = a.on_success && b.on_success;
  a.on_failure = a.on_failure && b.on_failure;
  a.possible = a.possible && (a.on_host || a.in_containers) && (a.on_success || a.on_failure);
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
  a.on_success = a.on_success || b.on_success;
  a.on_failure = a.on_failure || b.on_failure;
  a.open_flags = a.open_flags == 0 || b.open_flags == 0 ? 0 : a.open_flags | b.open_flags;
  if (a.paths && b.paths) a.paths->add(*b.paths);
  else a.paths.reset();
  return a;
}

struct Call {
  std::string_view name;
  unsigned kind;
};

constexpr Call kCalls[] = {
#define COFF_X(call, program, kind, ...) {#call, COFF_KIND_##kind},
    COFF_CALLS(COFF_X)
#undef COFF_X
    // With AT_REMOVEDIR.
    {"unlinkat", COFF_KIND_rmdir},
    // The list has the name of the kernel's function.
    {"umount2", COFF_KIND_umount},
};

bool kind_has_type(unsigned kind, std::string_view type) {
  if (type == schema::kKindNames[kind]) return true;
  Event event;
  event.kind = static_cast<Kind>(kind);
  if (type == schema::event_type_name(event)) return true;
  return std::ranges::any_of(
      kCalls, [&](const Call& call) { return call.kind == kind && call.name == type; });
}

bool only_by_handle(const std::vector<std::string>& types) {
  return std::ranges::none_of(types, [](const std::string& type) {
    return type != "open_by_handle_at" && kind_has_type(COFF_KIND_open, type);
  });
}

Need of_place(const Check& check) {
  const auto& texts = check.constants.texts;
  const bool host = std::ranges::find(texts, "host") != texts.end();
  if (check.op == Operator::kNotEqual) return {.on_host = !host};
  const bool equal = check.op == Operator::kEqual || check.op == Operator::kIn;
  if (!equal) return {};
  const bool only_host = host && texts.size() == 1;
  return {.on_host = host, .in_containers = !only_host};
}

// The paths below one that may hold patterns; false when every path may be.
bool add_below(Paths& paths, std::string_view text) {
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

// What stands before the first star or set of a glob, or else behind the last; false when neither
// holds text. Behind "[" everything may mean something else.
bool add_glob(Paths& paths, std::string_view glob) {
  constexpr std::string_view kSpecial = "*?[\\";
  const size_t first = glob.find_first_of(kSpecial);
  if (first == glob.npos) {
    paths.exact.emplace(glob);
    return true;
  }
  // "/" alone says nothing about a path.
  if (first > 1) {
    paths.prefix.emplace(glob.substr(0, first));
    return true;
  }
  const std::string_view tail = glob.substr(glob.find_last_of("*?[]\\") + 1);
  if (tail.empty() || glob.find('[') != glob.npos || glob.find('\\') != glob.npos) return false;
  paths.suffix.emplace(tail);
  return true;
}

bool add_path(Paths& paths, Operator op, const std::string& text) {
  switch (op) {
    case Operator::kEqual:
    case Operator::kIn:
    case Operator::kIntersects: paths.exact.insert(text); return true;
    case Operator::kStartsWith: paths.prefix.insert(text); return true;
    case Operator::kEndsWith: paths.suffix.insert(text); return true;
    case Operator::kContains: paths.contains.insert(text); return true;
    case Operator::kPmatch: return add_below(paths, text);
    case Operator::kGlob: return add_glob(paths, text);
    default: return false;
  }
}

Need of_path(const Check& check) {
  Paths paths;
  for (const std::string& text : check.constants.texts) {
    if (text.empty() || !add_path(paths, check.op, text)) return {};
  }
  return {.paths = std::move(paths)};
}

// A directory that was opened as one is its own fd.directory.
Need of_directory(const Check& check) {
  Paths paths;
  for (const std::string& text : check.constants.texts) {
    if (text.empty() || text == "/") return {};
    paths.exact.insert(text);
    paths.prefix.insert(text + '/');
  }
  return {.paths = std::move(paths)};
}

Need of_file_name(const Check& check) {
  Paths paths;
  for (const std::string& text : check.constants.texts) {
    if (text.empty()) return {};
    paths.suffix.insert('/' + text);
  }
  return {.paths = std::move(paths)};
}

Need succeeded() { return {.on_failure = false}; }
Need failed() { return {.on_success = false}; }

// What a check of a number says of the result when the number is not negative if, and only if, the
// call succeeded.
Need of_sign(const Check& check) {
  const std::vector<std::int64_t>& numbers = check.constants.numbers;
  if (numbers.empty()) return {};
  const auto [least, most] = std::ranges::minmax(numbers);
  switch (check.op) {
    case Operator::kEqual:
    case Operator::kIn:
      if (least >= 0) return succeeded();
      return most < 0 ? failed() : Need{};
    case Operator::kGreaterEqual: return least >= 0 ? succeeded() : Need{};
    case Operator::kGreater: return least >= -1 ? succeeded() : Need{};
    case Operator::kLess: return most <= 0 ? failed() : Need{};
    case Operator::kLessEqual: return most < 0 ? failed() : Need{};
    default: return {};
  }
}

Need of_result(const Check& check, std::string_view name, bool equal) {
  const auto& texts = check.constants.texts;
  if (name == "evt.rawres") return of_sign(check);
  if (name == "evt.failed" && equal && check.constants.flags.size() == 1) {
    return check.constants.flags[0] ? failed() : succeeded();
  }
  if (name != "evt.res") return {};
  const bool success = std::ranges::find(texts, "SUCCESS") != texts.end();
  if (check.op == Operator::kNotEqual) return success && texts.size() == 1 ? failed() : Need{};
  if (!equal || texts.empty()) return {};
  if (!success) return failed();
  return texts.size() == 1 ? succeeded() : Need{};
}

// Fields whose values are paths of the event, whole and lexical.
bool is_some_path(const schema::FieldReference& field, unsigned kind) {
  const std::string_view name = field.field->name;
  if (name == "fd.name" || name == "evt.abspath" || name == "fs.path.name" ||
      name == "fs.path.source" || name == "fs.path.target") {
    return true;
  }
  if (name != "evt.arg" || field.argument.index) return false;
  constexpr std::string_view kArguments[] = {"path",   "name",     "oldpath",  "newpath",
                                             "target", "linkpath", "filename", "pathname"};
  // The name of an extended attribute is none.
  if (kind == COFF_KIND_setxattr && field.argument.name == "name") return false;
  return std::ranges::find(kArguments, field.argument.name) != std::end(kArguments);
}

}  // namespace

bool has_paths(unsigned kind) {
  switch (kind) {
    case COFF_KIND_open:
    case COFF_KIND_unlink:
    case COFF_KIND_rmdir:
    case COFF_KIND_rename:
    case COFF_KIND_link:
    case COFF_KIND_symlink:
    case COFF_KIND_mkdir:
    case COFF_KIND_mknod:
    case COFF_KIND_chmod:
    case COFF_KIND_chown:
    case COFF_KIND_truncate:
    case COFF_KIND_setxattr: return true;
    default: return false;
  }
}

bool has_result(unsigned kind) {
  switch (kind) {
    case COFF_KIND_socket:
    case COFF_KIND_bind:
    case COFF_KIND_listen:
    case COFF_KIND_connect:
    case COFF_KIND_accept:
    case COFF_KIND_sendto:
    case COFF_KIND_recvfrom: return true;
    default: return has_paths(kind);
  }
}

void Paths::add(const Paths& other) {
  exact.insert(other.exact.begin(), other.exact.end());
  prefix.insert(other.prefix.begin(), other.prefix.end());
  suffix.insert(other.suffix.begin(), other.suffix.end());
  contains.insert(other.contains.begin(), other.contains.end());
}

const Need& KindNeed::of(NodeId id) {
  const auto known = done_.find(id);
  if (known != done_.end()) return known->second;
  Need need = compute(program_.nodes()[id]);
  return done_.emplace(id, std::move(need)).first->second;
}

Need KindNeed::compute(const Node& node) {
  switch (node.type) {
    case Node::Type::kFalse: return never();
    case Node::Type::kTrue: return {};
    case Node::Type::kCheck: return of_check(program_.checks()[node.check]);
    case Node::Type::kNot: return {};  // What is missing makes checks false, so "not" can hold.
    default: break;
  }
  const bool is_and = node.type == Node::Type::kAnd;
  Need need = is_and ? Need{} : never();
  for (const NodeId child : node.children) {
    need = is_and ? both(std::move(need), of(child)) : either(std::move(need), of(child));
  }
  return need;
}

Need KindNeed::of_check(const Check& check) const {
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
    return never();
  }
  if (name == "evt.type" && equal) {
    const bool some = std::ranges::any_of(
        texts, [&](const std::string& text) { return kind_has_type(kind_, text); });
    if (!some) return never();
    // An open by handle names no path, and the kernel forwards it whatever paths are wanted.
    if (kind_ == COFF_KIND_open && only_by_handle(texts)) {
      return {.paths = Paths{.exact = {std::string(kNoPath)}}};
    }
    return {};
  }
  if (name == "container.id" && check.modifier == Modifier::kNone) return of_place(check);
  if (has_result(kind_) && name.starts_with("evt.") && check.modifier == Modifier::kNone) {
    Need need = of_result(check, name, equal);
    if (!need.on_success || !need.on_failure) return need;
  }
  if (!has_paths(kind_)) return {};
  if (kind_ == COFF_KIND_open) return of_open(check, name, equal);
  return of_any_path(check, equal);
}

Need KindNeed::of_open(const Check& check, std::string_view name, bool equal) const {
  if (equal && check.constants.flags == std::vector<bool>{true}) {
    if (name == "evt.is_open_write") return {.open_flags = COFF_OPEN_WRITE};
    // Not evt.is_open_read: the kernel's bit leaves out O_PATH, which libsinsp counts as reading.
  }
  if (name == "fd.num" && check.modifier == Modifier::kNone) return of_sign(check);
  if (name == "file.path" || name == "file.resolved") return of_path(check);
  return of_any_path(check, equal);
}

Need KindNeed::of_any_path(const Check& check, bool equal) const {
  const schema::FieldReference& field = program_.sources()[check.left].field;
  if (is_some_path(field, kind_)) return of_path(check);
  if (field.field->name == "fd.directory" && equal) return of_directory(check);
  if (field.field->name == "fd.filename" && equal) return of_file_name(check);
  return {};
}

}  // namespace coff::rules
