// Whether kernel programs can watch a function of this kernel directly.
#pragma once

#include <string>

namespace coff::sensor {

/// Why no program can be attached to the kernel's function `name`; "" when one can. Asks the kernel
/// by loading and attaching a program that does nothing, because a refusal of the real one would
/// cost a second load of all programs.
std::string function_refusal(const char* name);

}  // namespace coff::sensor
