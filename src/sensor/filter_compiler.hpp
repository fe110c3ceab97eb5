// From the KernelFilter value to the tables that the kernel programs consult.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bpf/wire.h"
#include "schema/kernel_filter.hpp"

namespace coff::sensor {

/// The tables, and what had to be widened to fit them. Widening never loses an event.
struct CompiledFilter {
  std::unique_ptr<coff_filter> tables;
  std::vector<std::string> notes;  ///< Sentences for `doctor` and `rules explain`.
  size_t merged_clauses = 0;       ///< Clauses that share a bit with others.
  size_t widened_patterns = 0;
};

/// Kinds that change what later events mean (processes, credentials, namespaces, mounts, working
/// directory): forwarded whatever the filter says.
bool is_always_forwarded(unsigned kind);

/// Compiles. Clauses that differ only in their paths share a bit's worth of conditions; when more
/// than COFF_CLAUSES remain, the rest are merged into the last bit, without a path condition.
CompiledFilter compile_filter(const KernelFilter& filter);

/// What the kernel will decide for an event with these facts: for tests and for explaining.
/// `paths` are the lexical and, if known, the resolved one.
bool would_forward(const coff_filter& tables, unsigned kind, coff_class cls, unsigned open_bits,
                   const std::vector<std::string>& paths);

}  // namespace coff::sensor
