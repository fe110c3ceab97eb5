// What the kernel has to forward so that a rule set finds all that it can find.
#pragma once

#include "rules/rules.hpp"
#include "schema/kernel_filter.hpp"

namespace coff::rules {

/// The necessary condition of all enabled rules: kinds of events, host or container, how a file was
/// opened, paths of opens. Never asks for less than the rules need; what it can't express (process
/// names, ports, `not`, late metadata) it leaves out. At most kPushDownClausesMax clauses, whatever
/// the number of rules; their reasons name up to three rules.
KernelFilter kernel_filter(const RuleSet& rules);
/// The same for some rules of a program, whether they are enabled or not.
KernelFilter kernel_filter(const Program& program, std::span<const CompiledRule* const> rules);
/// Three places (host, containers, both); opens for writing or any, with paths or any.
inline constexpr size_t kPushDownClausesMax = 3 + 3 * 2 * 2;
/// Paths of one clause; more than that count as any path.
inline constexpr size_t kPushDownPathsMax = 2000;

}  // namespace coff::rules
