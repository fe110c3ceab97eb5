// Which system calls the kernel programs observe, with this machine's call numbers.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "bpf/calls.h"

namespace coff::sensor {

/// One row of COFF_CALLS.
struct ObservedCall {
  std::string_view name;     ///< As in the tracepoint sys_exit_<name>.
  std::string_view program;  ///< on_exit_<program> reads it.
  int number = -1;           ///< This architecture's call number; -1: it has no such call.
  coff_call_desc description{};
};

/// Every observed call in the order of COFF_CALLS.
std::span<const ObservedCall> observed_calls();

/// The table that the programs index by call number; rows that are not observed have kind
/// COFF_KINDS.
std::array<coff_call_desc, COFF_CALL_NUMBERS> call_table();

}  // namespace coff::sensor
