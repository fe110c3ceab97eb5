// The 32-bit entry for system calls: how much of it this kernel lets the sensor see.
#pragma once

#include <string>

#include "sensor/kernel_programs.hpp"

namespace coff::sensor {

/// The kernel program that watches the entry itself; absent from the object on machines that have
/// no such entry.
inline constexpr const char* kCompatProgram = "on_compat_call";

/// Why a program cannot watch the function behind the entry here; "" when one can.
std::string compat_entry_refusal();

/// What stays unseen of the entry. `refusal` is why the entry itself is not watched, or "".
Blindness compat_blindness(const std::string& refusal);

}  // namespace coff::sensor
