// A finding of the trail in the shape that Falco writes, for whatever reads that.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace coff::cli {

/// One JSON object as Falco's json_output makes it. `entry` is a `finding` entry (hostile input);
/// kInvalid for anything else. Values of output_fields have their field's type, and are null where
/// not known.
Result<std::string> falco_shape(std::string_view entry, std::string_view hostname);

}  // namespace coff::cli
