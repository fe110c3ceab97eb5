// Private to the room: the log sources of Sigma rules as views of our events.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "rules/ast.hpp"
#include "schema/field.hpp"
#include "sigma/document.hpp"

namespace coff::sigma {

/// What a field of a rule means.
struct Meaning {
  std::vector<std::string> names;  ///< Fields of ours, "proc.exepath"; one that holds is enough.
  schema::Type type = schema::Type::kText;
  std::string network;   ///< Of an address: the field to match networks against.
  bool is_path = false;  ///< Of an open: the kernel can look for it.
};

/// How the events of one log source, or one of its kinds of records, look.
struct View {
  enum class Kind : unsigned char {
    kProcessCreation,
    kFileEvent,
    kFileAccess,
    kFileDelete,
    kFileRename,
    kNetworkConnection,
    kExecve,   ///< auditd: type=EXECVE
    kSyscall,  ///< auditd: type=SYSCALL
    kPath,     ///< auditd: type=PATH
    kPath2,    ///< auditd: the second PATH of a call
  };
  Kind kind = Kind::kProcessCreation;
  std::string name;                   ///< "process_creation", "auditd EXECVE".
  std::string_view record_type;       ///< auditd's `type`; "" for other sources.
  rules::Expression base;             ///< Which events are of it.
  std::vector<std::string> keywords;  ///< Fields that keywords are looked for in.

  /// What a field means here; nothing when it is not known.
  [[nodiscard]] std::optional<Meaning> meaning(std::string_view field) const;
  /// Whether its paths restrict what the kernel forwards of opens.
  [[nodiscard]] bool of_paths() const {
    return kind == Kind::kFileEvent || kind == Kind::kFileAccess || kind == Kind::kPath;
  }
};

/// "linux/auditd", "linux/process_creation": for messages.
std::string to_text(const LogSource& source);

/// The views of a log source; empty when it is a log that is not here. `syscalls` are the names of
/// calls that the rule asks SYSCALL records for.
std::vector<View> views_of(const LogSource& source, const std::set<std::string>& syscalls);

/// Whether the sensor reports such a call.
bool is_observed(std::string_view call);

// Pieces of conditions.
rules::Operand field_operand(std::string_view name);
rules::Operand text_operand(std::string text);
rules::Operand list_operand(const std::vector<std::string>& texts);
rules::Expression check(rules::Operand left, rules::Operator op, rules::Operand right);
rules::Expression all_of(std::vector<rules::Expression> parts);
rules::Expression any_of(std::vector<rules::Expression> parts);

}  // namespace coff::sigma
