// Private to the room: a rule with its compiled condition and output.
#pragma once

#include "rules/output.hpp"
#include "rules/program.hpp"
#include "rules/rules.hpp"

namespace coff::rules {

struct CompiledRule {
  Rule rule;
  NodeId condition = kNone;
  Output output;
  NodeId forwarded = kNone;  ///< What the kernel must forward; kNone: the condition itself.
};

/// A part of a condition as it is evaluated, lists and macros put in; at most `bytes_max`.
std::string node_text(const Program& program, NodeId node, size_t bytes_max);

}  // namespace coff::rules
