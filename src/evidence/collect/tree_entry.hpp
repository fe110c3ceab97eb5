// One entry of a tree: its attributes, its line of the table, what the layers below have instead.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fd.hpp"
#include "evidence/collect/tar_writer.hpp"

namespace coff::evidence {

/// Extended attributes of one entry at most, bytes of names and of each value.
inline constexpr std::size_t kAttributeBytesMax = 65536;

std::vector<std::pair<std::string, std::string>> attributes_of(const Fd& folder,
                                                               const std::string& name);
std::string link_of(const Fd& folder, const std::string& name);

struct Comparison {
  std::string_view change;  ///< "added", "changed", "deleted", or "" when nothing was compared.
  std::optional<struct stat> below;
  std::string below_sha256;  ///< Of a regular file of at most 64 MiB.
};
/// What the topmost layer that has this path says of it.
Comparison compare(const std::vector<Fd>& layers, const TarEntry& entry, const std::string& sha256);

/// A JSON object and a newline.
std::string table_line(const TarEntry& entry, const std::string& sha256, std::string_view note,
                       const Comparison& comparison);

}  // namespace coff::evidence
