// The memory map of a process: regions with their flags, read from /proc/PID/smaps.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "evidence/reader.hpp"

namespace coff::evidence {

/// Regions of one process at most (vm.max_map_count is 65,530 unless an administrator raised it).
inline constexpr std::size_t kRegionsMax = 1'000'000;
inline constexpr std::size_t kSmapsBytesMax = std::size_t{512} << 20U;

struct Region {
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  bool readable = false;
  bool writable = false;
  bool executable = false;
  bool shared = false;
  std::uint64_t offset = 0;  ///< Into the file, bytes.
  std::uint64_t inode = 0;
  std::string path;     ///< As the process sees it, " (deleted)" included, or "[heap]"; "" = none.
  bool device = false;  ///< VmFlags io or pf: memory of a device, never read.
  bool huge = false;    ///< hugetlbfs.
  bool dont_dump = false;

  [[nodiscard]] std::uint64_t size_bytes() const { return end - start; }
  /// memfd_secret(2): nobody but the process itself can read it.
  [[nodiscard]] bool secret() const { return path.starts_with("/secretmem"); }
  /// Made by the kernel for this very boot, or without pages: [vvar], [vsyscall].
  [[nodiscard]] bool kernels_own() const {
    return path.starts_with("[vvar") || path == "[vsyscall]";
  }
};

/// Reads smaps (or maps: without flags). kInvalid for what is no such file.
Result<std::vector<Region>> parse_smaps(std::string_view text);

/// Pages of the regions that exist: in memory or in swap, but not the shared page of zeroes.
/// `pagemap` is read through `reader`; regions are cut at `runs_max` runs in all, told by `cut`.
struct PageScan {
  std::vector<std::vector<PageRun>> runs;  ///< One list for each region.
  bool cut = false;
  bool fallback = false;  ///< The kernel has no PAGEMAP_SCAN: /proc/PID/pagemap was read.
};
Result<PageScan> scan_pages(Reader& reader, const std::string& pagemap,
                            const std::vector<Region>& regions, std::size_t runs_max);

}  // namespace coff::evidence
