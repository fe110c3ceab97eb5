// Private to the room: lists, macros and rules as the files define, extend and replace them.
#pragma once

#include <expected>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "rules/rule.hpp"
#include "rules/source_text.hpp"

namespace coff::rules {

/// Place of an item, for messages about it as a whole.
struct ItemPlace {
  FilePlace place;
  std::string context;  ///< "rule 'x'", "list 'y'".
};

struct ListDefinition {
  std::string name;
  std::vector<std::string> items;
  ItemPlace where;
  std::uint32_t index = 0;       ///< Order of the first definition.
  std::uint32_t visibility = 0;  ///< Order of the last change: it sees what was before that.
};

struct MacroDefinition {
  std::string name;
  SourceText condition;
  ItemPlace where;
  std::uint32_t index = 0;
  std::uint32_t visibility = 0;
};

/// A value of an exception: text or a list of values.
struct ExceptionEntry {
  bool present = false;
  bool is_list = false;
  std::string text;
  std::uint32_t piece = SourceText::kMade;
  std::vector<ExceptionEntry> items;
};

struct ExceptionDefinition {
  std::string name;
  ExceptionEntry fields;
  ExceptionEntry comps;
  std::vector<ExceptionEntry> values;
  ItemPlace where;
};

struct RuleDefinition {
  std::string name;
  SourceText condition;
  SourceText output;
  std::string description;
  std::string source = "syscall";
  Priority priority = Priority::kDebug;
  std::set<std::string> tags;
  std::vector<ExceptionDefinition> exceptions;
  bool enabled = true;
  bool capture = false;
  std::uint64_t capture_duration_ms = 0;
  bool warn_evttypes = true;
  bool skip_if_unknown_filter = false;
  bool unknown_source = false;
  ItemPlace where;
};

/// What an item changes of a rule that exists.
struct RuleUpdate {
  std::string name;
  std::optional<SourceText> condition;
  std::optional<SourceText> output;
  std::optional<std::string> description;
  std::optional<std::set<std::string>> tags;
  std::optional<std::vector<ExceptionDefinition>> exceptions;
  std::optional<Priority> priority;
  std::optional<bool> enabled;
  std::optional<bool> capture;
  std::optional<std::uint64_t> capture_duration_ms;
  std::optional<bool> warn_evttypes;
  std::optional<bool> skip_if_unknown_filter;
  ItemPlace where;
};

/// Why an item is refused, and at what.
struct Refusal {
  std::string message;
  ItemPlace where;
};
using Accepted = std::expected<void, Refusal>;

/// Everything that the files said, in the order of first definition.
class Definitions {
 public:
  Accepted define(ListDefinition list);
  Accepted append(const ListDefinition& list);
  Accepted define(MacroDefinition macro);
  Accepted append(const MacroDefinition& macro);
  Accepted define(RuleDefinition rule);
  Accepted append(RuleUpdate update);
  Accepted replace(RuleUpdate update);
  Accepted enable(const std::string& name, bool enabled, const ItemPlace& where);

  [[nodiscard]] const std::vector<ListDefinition>& lists() const { return lists_; }
  [[nodiscard]] const std::vector<MacroDefinition>& macros() const { return macros_; }
  [[nodiscard]] const std::vector<RuleDefinition>& rules() const { return rules_; }
  [[nodiscard]] const ListDefinition* find_list(const std::string& name) const;
  [[nodiscard]] const MacroDefinition* find_macro(const std::string& name) const;

 private:
  RuleDefinition* find_rule(const std::string& name);

  std::vector<ListDefinition> lists_;
  std::vector<MacroDefinition> macros_;
  std::vector<RuleDefinition> rules_;
  std::map<std::string, size_t> list_of_;
  std::map<std::string, size_t> macro_of_;
  std::map<std::string, size_t> rule_of_;
  std::uint32_t next_ = 0;
};

/// Fills in default operators and checks the shape of an exception.
Accepted check_exception(ExceptionDefinition& exception);
/// The condition of a rule with its exceptions: "(condition) and not ((a = b) or …) …".
std::expected<SourceText, Refusal> with_exceptions(const RuleDefinition& rule);

}  // namespace coff::rules
