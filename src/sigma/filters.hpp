// Private to the room: filters put into the rules that they are for.
#pragma once

#include "sigma/item.hpp"
#include "sigma/problem.hpp"

namespace coff::sigma {

/// Values that one filter may put into rules, counted once for each rule.
inline constexpr size_t kFilterValuesMax = 1'000'000;

/// Adds each filter's condition to the rules that it names and whose log source it fits. A filter
/// with an error is left out; one that fits no rule is warned of. `reporters` are those of the
/// filters' files.
void apply_filters(Documents& documents, const Placeholders& placeholders,
                   const std::vector<Reporter*>& reporters);

}  // namespace coff::sigma
