// The log sources of Sigma rules as views of our events.
#include "sigma/view.hpp"

#include <algorithm>

#include "bpf/calls.h"

namespace coff::sigma {

namespace {

using rules::Expression;
using rules::Operator;
using Kind = View::Kind;

Expression type_in(const std::vector<std::string>& types) {
  return check(field_operand("evt.type"), Operator::kIn, list_operand(types));
}
Expression is_true(std::string_view field, bool wanted = true) {
  return check(field_operand(field), Operator::kEqual, text_operand(wanted ? "true" : "false"));
}
Expression succeeded() { return is_true("evt.failed", false); }

const std::vector<std::string> kExecs = {"execve", "execveat"};
const std::vector<std::string> kOpens = {"open", "openat", "openat2", "creat", "open_by_handle_at"};
// Calls that give a file a name.
const std::vector<std::string> kNamings = {"rename",  "renameat",  "renameat2", "link",   "linkat",
                                           "symlink", "symlinkat", "mknod",     "mknodat"};
const std::vector<std::string> kRenames = {"rename", "renameat", "renameat2"};
const std::vector<std::string> kRemovals = {"unlink", "unlinkat", "rmdir"};
const std::vector<std::string> kConnections = {"connect", "accept",  "accept4",
                                               "sendto",  "sendmsg", "sendmmsg"};
// Calls with a path, beside opens.
const std::vector<std::string> kPathCalls = {
    "execve",   "execveat",  "unlink",   "unlinkat",  "rmdir",    "rename",
    "renameat", "renameat2", "link",     "linkat",    "symlink",  "symlinkat",
    "mkdir",    "mkdirat",   "mknod",    "mknodat",   "chmod",    "fchmod",
    "fchmodat", "fchmodat2", "chown",    "lchown",    "fchown",   "fchownat",
    "truncate", "ftruncate", "setxattr", "lsetxattr", "fsetxattr"};
const std::vector<std::string> kTwoPathCalls = {"rename", "renameat", "renameat2", "link",
                                                "linkat", "symlink",  "symlinkat"};

Expression base_of(Kind kind, const std::set<std::string>& syscalls) {
  switch (kind) {
    case Kind::kProcessCreation:
    case Kind::kExecve: return all_of({type_in(kExecs), succeeded()});
    case Kind::kFileEvent:
      return all_of(
          {any_of({all_of({type_in(kOpens), is_true("evt.is_open_write")}), type_in(kNamings)}),
           succeeded()});
    case Kind::kFileAccess: return all_of({type_in(kOpens), succeeded()});
    case Kind::kFileDelete: return all_of({type_in(kRemovals), succeeded()});
    case Kind::kFileRename: return all_of({type_in(kRenames), succeeded()});
    case Kind::kNetworkConnection: {
      // A connection that is still being made is one.
      Expression pending =
          check(field_operand("evt.res"), Operator::kEqual, text_operand("EINPROGRESS"));
      return all_of({type_in(kConnections),
                     check(field_operand("fd.sockfamily"), Operator::kEqual, text_operand("ip")),
                     any_of({succeeded(), std::move(pending)})});
    }
    case Kind::kSyscall: {
      std::vector<std::string> calls(syscalls.begin(), syscalls.end());
      return type_in(calls.empty() ? kExecs : calls);
    }
    case Kind::kPath: return all_of({any_of({type_in(kOpens), type_in(kPathCalls)}), succeeded()});
    case Kind::kPath2: break;
  }
  return all_of({type_in(kTwoPathCalls), succeeded()});
}

View make_view(Kind kind, const std::set<std::string>& syscalls) {
  constexpr std::string_view kNames[] = {
      "process_creation",   "file_event",    "file_access",    "file_delete", "file_rename",
      "network_connection", "auditd EXECVE", "auditd SYSCALL", "auditd PATH", "auditd PATH 2"};
  View view{.kind = kind,
            .name = std::string(kNames[static_cast<size_t>(kind)]),
            .record_type = {},
            .base = base_of(kind, syscalls),
            .keywords = {"sigma.CommandLine", "proc.exepath"}};
  switch (kind) {
    case Kind::kExecve:
      view.record_type = "EXECVE";
      view.keywords = {"sigma.CommandLine"};
      break;
    case Kind::kSyscall:
      view.record_type = "SYSCALL";
      view.keywords = {"proc.exepath", "proc.name", "evt.type"};
      break;
    case Kind::kPath:
      view.record_type = "PATH";
      view.keywords = {"sigma.name"};
      break;
    case Kind::kPath2:
      view.record_type = "PATH";
      view.keywords = {"sigma.name2"};
      break;
    case Kind::kNetworkConnection: view.keywords.emplace_back("sigma.text[fd.sip]"); break;
    case Kind::kProcessCreation: break;
    default: view.keywords.emplace_back("sigma.TargetFilename"); break;
  }
  return view;
}

}  // namespace

std::string to_text(const LogSource& source) {
  std::string text = source.product;
  for (const std::string* part : {&source.category, &source.service}) {
    if (part->empty()) continue;
    if (!text.empty()) text += '/';
    text += *part;
  }
  return text.empty() ? "any log" : text;
}

std::vector<View> views_of(const LogSource& source, const std::set<std::string>& syscalls) {
  struct Category {
    std::string_view name;
    Kind kind;
  };
  constexpr Category kCategories[] = {
      {"process_creation", Kind::kProcessCreation},
      {"file_event", Kind::kFileEvent},
      {"file_change", Kind::kFileEvent},
      {"file_access", Kind::kFileAccess},
      {"file_delete", Kind::kFileDelete},
      {"file_rename", Kind::kFileRename},
      {"network_connection", Kind::kNetworkConnection},
  };
  if (!source.product.empty() && source.product != "linux") return {};
  std::vector<View> views;
  if (source.service == "auditd" && source.category.empty()) {
    for (const Kind kind : {Kind::kExecve, Kind::kSyscall, Kind::kPath, Kind::kPath2}) {
      views.push_back(make_view(kind, syscalls));
    }
  }
  const auto* known = std::ranges::find(kCategories, source.category, &Category::name);
  if (known != std::end(kCategories) && source.service.empty()) {
    views.push_back(make_view(known->kind, syscalls));
  }
  return views;
}

bool is_observed(std::string_view call) {
  constexpr std::string_view kCalls[] = {
#define COFF_X(call, ...) #call,
      COFF_CALLS(COFF_X)
#undef COFF_X
  };
  return std::ranges::find(kCalls, call) != std::end(kCalls);
}

rules::Operand field_operand(std::string_view name) {
  rules::Operand operand{.type = rules::Operand::Type::kField, .text = {}, .argument = {}};
  const size_t bracket = std::min(name.find('['), name.size());
  operand.text = name.substr(0, bracket);
  if (bracket < name.size()) {
    operand.argument = std::string(name.substr(bracket + 1, name.size() - bracket - 2));
  }
  return operand;
}

rules::Operand text_operand(std::string text) {
  return {.type = rules::Operand::Type::kText, .text = std::move(text), .argument = {}};
}

rules::Operand list_operand(const std::vector<std::string>& texts) {
  rules::Operand list{.type = rules::Operand::Type::kList, .text = {}, .argument = {}};
  list.items.reserve(texts.size());
  for (const std::string& text : texts) list.items.push_back(text_operand(text));
  return list;
}

Expression check(rules::Operand left, Operator op, rules::Operand right) {
  Expression made;
  made.type = Expression::Type::kCheck;
  made.op = op;
  made.left = std::move(left);
  made.right = std::move(right);
  return made;
}

Expression all_of(std::vector<Expression> parts) {
  if (parts.size() == 1) return std::move(parts.front());
  Expression made;
  made.type = Expression::Type::kAnd;
  made.children = std::move(parts);
  return made;
}

Expression any_of(std::vector<Expression> parts) {
  if (parts.size() == 1) return std::move(parts.front());
  Expression made;
  made.type = Expression::Type::kOr;
  made.children = std::move(parts);
  return made;
}

}  // namespace coff::sigma
