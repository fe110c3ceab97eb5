// Lines of /proc/PID/mountinfo, and the options of an overlay.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace coff::evidence {

struct MountLine {
  std::string point;  ///< As the process sees it.
  std::string type;   ///< "overlay", "tmpfs", …
  std::string source;
  std::string options;  ///< Of the file system, as the kernel writes them.
};

/// Strict; escapes (\040) in paths are undone. kLimit beyond `mounts_max`.
Result<std::vector<MountLine>> parse_mountinfo(std::string_view text, std::size_t mounts_max);
/// Value of an option of an overlay, with its escaped commas and colons; "" when there is none.
std::string overlay_option(std::string_view options, std::string_view name);
/// Folders of the layers below, the topmost first.
std::vector<std::string> overlay_lowers(std::string_view options);

}  // namespace coff::evidence
