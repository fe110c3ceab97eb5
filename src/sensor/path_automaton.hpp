// Compiles path patterns into the automaton that the kernel runs over every path it filters.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "bpf/wire.h"

namespace coff::sensor {

/// How a pattern is anchored.
enum class PathMatch : unsigned char { kExact, kPrefix, kSuffix, kContains };

/// One pattern and the clauses (bits of a mask) that it satisfies.
struct PathPattern {
  PathMatch match = PathMatch::kExact;
  std::string text;
  std::uint64_t clauses = 0;
};

/// Fills the automaton part of `filter` (start, class_of, accept, next, has_paths) so that a walk
/// over "start of path, bytes, end of path" collects exactly the clauses of the patterns that
/// match (Aho and Corasick 1975, with the two ends as symbols of their own).
///
/// Sound under pressure: when the patterns need more than COFF_DFA_STATES states or more than 62
/// distinct bytes, patterns are shortened or bytes merged, so that more paths match and never
/// fewer. Patterns with "/..", "/." or "//" in a path are matched by all clauses, because such a
/// path may mean any other. Returns how many patterns had to be widened.
size_t compile_paths(const std::vector<PathPattern>& patterns, coff_filter& filter);

/// Runs the compiled automaton, as the kernel does: for tests and for explaining.
std::uint64_t run_automaton(const coff_filter& filter, std::string_view path);

}  // namespace coff::sensor
