// Files of one root file system on their way to the process that parses them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace coff::inventory {

/// A name and the bytes under it.
struct BundleEntry {
  std::string_view name;
  std::string_view bytes;
};

/// Appends an entry: name size (8 bytes, host order), content size, name, content. Both ends are
/// the same program on the same host.
void append_entry(std::string& bundle, std::string_view name, std::string_view bytes);
/// Reads a bundle back; the views are into `bundle`.
Result<std::vector<BundleEntry>> read_bundle(std::string_view bundle);

/// Entry with the canonical paths whose owners are asked for, each ended by NUL.
inline constexpr std::string_view kWantedEntry = "?wanted";
/// Entry with the links among the top folders: name NUL target NUL, again and again.
inline constexpr std::string_view kLinksEntry = "?links";

/// Appends `text` and a NUL.
void append_text(std::string& list, std::string_view text);
std::vector<std::string_view> read_texts(std::string_view list);

}  // namespace coff::inventory
