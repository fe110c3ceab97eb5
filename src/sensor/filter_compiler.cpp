// From the KernelFilter value to the tables that the kernel programs consult.
#include "sensor/filter_compiler.hpp"

#include <algorithm>
#include <cstring>

#include "sensor/path_automaton.hpp"

namespace coff::sensor {

namespace {

bool has_path_condition(const FilterClause& clause) {
  return !clause.path_exact.empty() || !clause.path_prefix.empty() || !clause.path_suffix.empty() ||
         !clause.path_contains.empty();
}

bool same_conditions(const FilterClause& a, const FilterClause& b) {
  return a.kinds == b.kinds && a.on_host == b.on_host && a.in_containers == b.in_containers &&
         a.open_flags_any == b.open_flags_any && a.only_success == b.only_success &&
         a.only_failure == b.only_failure && has_path_condition(a) == has_path_condition(b);
}

void append(std::vector<std::string>& to, const std::vector<std::string>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

std::vector<FilterClause> merge_equal(const std::vector<FilterClause>& clauses) {
  std::vector<FilterClause> merged;
  for (const auto& clause : clauses) {
    const auto same = std::find_if(merged.begin(), merged.end(), [&](const auto& candidate) {
      return same_conditions(candidate, clause);
    });
    if (same == merged.end()) {
      merged.push_back(clause);
      continue;
    }
    append(same->path_exact, clause.path_exact);
    append(same->path_prefix, clause.path_prefix);
    append(same->path_suffix, clause.path_suffix);
    append(same->path_contains, clause.path_contains);
  }
  return merged;
}

bool applies(const FilterClause& clause, unsigned cls, unsigned open_bits, bool is_open) {
  if (cls == COFF_CLASS_HOST && !clause.on_host) return false;
  if (cls == COFF_CLASS_CONTAINER && !clause.in_containers) return false;
  const bool failed = (open_bits & COFF_OPEN_FAILED) != 0;
  if (failed ? clause.only_success : clause.only_failure) return false;
  return !is_open || clause.open_flags_any == 0 || (clause.open_flags_any & open_bits) != 0;
}

void mark_applicable(const FilterClause& clause, std::uint64_t bit, coff_filter& tables) {
  for (const unsigned kind : clause.kinds) {
    if (kind >= COFF_KINDS) continue;
    for (unsigned cls = 0; cls < COFF_CLASSES; ++cls) {
      for (unsigned open_bits = 0; open_bits < COFF_OPEN_COMBINATIONS; ++open_bits) {
        if (applies(clause, cls, open_bits, kind == COFF_KIND_open)) {
          tables.applicable[kind][cls][open_bits] |= bit;
        }
      }
    }
  }
}

void collect(const std::vector<std::string>& texts, PathMatch match, std::uint64_t bit,
             std::vector<PathPattern>& patterns) {
  for (const auto& text : texts) patterns.push_back({match, text, bit});
}

}  // namespace

bool is_always_forwarded(unsigned kind) {
  if (kind < COFF_KIND_open) return kind != COFF_KIND_kill;
  return kind == COFF_KIND_chdir || kind == COFF_KIND_compat_call;
}

CompiledFilter compile_filter(const KernelFilter& filter) {
  CompiledFilter compiled{.tables = std::make_unique<coff_filter>()};
  const std::vector<FilterClause> clauses = merge_equal(filter.clauses);
  compiled.tables->repeat_window_ns = filter.repeat_window_ns;
  compiled.merged_clauses = filter.clauses.size() - clauses.size();
  std::vector<PathPattern> patterns;
  for (size_t at = 0; at < clauses.size(); ++at) {
    const auto& clause = clauses[at];
    const bool overflow = at >= COFF_CLAUSES - 1 && clauses.size() > COFF_CLAUSES;
    const std::uint64_t bit = 1ULL << std::min<size_t>(at, COFF_CLAUSES - 1);
    mark_applicable(clause, bit, *compiled.tables);
    if (overflow || !has_path_condition(clause)) {
      compiled.tables->pathless |= bit;
      if (overflow) {
        ++compiled.merged_clauses;
        compiled.notes.push_back("no room for the paths of \"" + clause.reason +
                                 "\": the kernel forwards all paths for it");
      }
      continue;
    }
    collect(clause.path_exact, PathMatch::kExact, bit, patterns);
    collect(clause.path_prefix, PathMatch::kPrefix, bit, patterns);
    collect(clause.path_suffix, PathMatch::kSuffix, bit, patterns);
    collect(clause.path_contains, PathMatch::kContains, bit, patterns);
  }
  compiled.widened_patterns = compile_paths(patterns, *compiled.tables);
  if (compiled.widened_patterns > 0) {
    compiled.notes.push_back(std::to_string(compiled.widened_patterns) +
                             " path patterns were shortened to fit the kernel's table");
  }
  return compiled;
}

bool would_forward(const coff_filter& tables, unsigned kind, coff_class cls, unsigned open_bits,
                   const std::vector<std::string>& paths) {
  if (is_always_forwarded(kind)) return true;
  const std::uint64_t possible = tables.applicable[kind][cls][open_bits];
  if ((possible & tables.pathless) != 0) return true;
  return std::any_of(paths.begin(), paths.end(), [&](const std::string& path) {
    return possible != 0 &&
           (path.empty() || path[0] != '/' || (run_automaton(tables, path) & possible) != 0);
  });
}

}  // namespace coff::sensor
