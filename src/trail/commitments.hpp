// Which redacted values an entry has: the commitments that stand in its strings.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace coff::trail {

/// The commitments (base64) that stand as `[redacted:<commitment>]` in the strings of an entry,
/// each once, in their order. `field` bounds the search to one member and what is in it: names and
/// places in arrays joined by dots ("process.args", "process.args.2"); "" is the whole entry.
/// kNotFound when the entry has no such member, kCorrupt when it is no JSON object.
Result<std::vector<std::string>> commitments_in(std::string_view entry, std::string_view field);

}  // namespace coff::trail
