// How the store keeps what an advisory says of a package: one short JSON object.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "exposure/advisory.hpp"

namespace coff::exposure {

/// Everything but ecosystem and package, which are columns of their own.
std::string to_json(const Affected& affected);
/// kCorrupt: not what to_json() writes.
Result<Affected> affected_of(std::string_view json);

}  // namespace coff::exposure
