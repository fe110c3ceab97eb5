// What is made of one rule: its condition, the events that it is asked about, and how much of it
// the kernel decides. A value for programs that show it; nothing here prints.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/rules.hpp"
#include "schema/kernel_filter.hpp"

namespace coff::rules {

struct Explanation {
  const Rule* rule = nullptr;  ///< Of the rule set, which must outlive this.
  std::string condition;       ///< As evaluated, lists and macros put in.
  /// Values of evt.type with which it can hold, sorted; libsinsp's that are never observed too.
  std::vector<std::string_view> event_types;
  /// Kinds of kernel events that are asked for it. All of them: evt.type is not restricted.
  std::vector<std::string_view> kinds;
  std::vector<FilterClause> clauses;  ///< Of this rule alone, as kernel_filter() states them.
  std::vector<std::string> kernel;    ///< The clauses as sentences, one each.
  /// Why the kernel has to send more than it could: a sentence for each open clause without paths
  /// and one when the kind is not restricted. Names the part of the condition that is to blame.
  std::vector<std::string> unfiltered;
};

/// Explains a rule, an enabled one or not; nothing when there is no rule of that name. The texts
/// hold at most kExplainedBytesMax bytes each.
std::optional<Explanation> explain(const RuleSet& rules, std::string_view rule);
inline constexpr size_t kExplainedBytesMax = size_t{64} << 10;

/// A clause as one sentence, e.g. "open for writing, in containers, below /etc/".
std::string clause_text(const FilterClause& clause);

}  // namespace coff::rules
