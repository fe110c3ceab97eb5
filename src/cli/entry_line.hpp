// An entry of the trail, or a live event, as one line for people.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace coff::cli {

struct EntryLineOptions {
  bool colour = false;
  bool show_lag = false;  ///< Time between the event and now.
};

/// Time, type or kind, container, and the rest as name=value; a `sentence` member of the entry
/// stands instead of the rest. Nothing in it can control a terminal. Hostile input; what is no JSON
/// object is shown as it is, made printable.
std::string entry_line(std::string_view json, const EntryLineOptions& options);

}  // namespace coff::cli
