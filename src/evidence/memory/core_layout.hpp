// Where everything stands in an ELF core file: headers, notes, and pages of each region.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "evidence/memory/core.hpp"
#include "evidence/memory/regions.hpp"

namespace coff::evidence {

struct Segment {
  std::uint64_t address = 0;
  std::uint64_t file_bytes = 0;    ///< Pages that exist, first.
  std::uint64_t memory_bytes = 0;  ///< And what follows them up to the next, or the region's end.
  std::size_t region = 0;
};

struct CoreLayout {
  std::string head;  ///< All bytes before the first page.
  std::vector<Segment> segments;
  std::vector<std::string> region_names;
  std::uint64_t size_bytes = 0;

  /// Adds a gap to the report; neighbours with the same reason become one.
  static void add_gap(CoreReport& report, CoreGap gap);
};

/// Plans the file: program headers (with PN_XNUM beyond 65,534), notes, pages in order of address.
/// Pages that don't fit into `size_bytes_max` become gaps, as do regions that can't be read.
CoreLayout lay_out_core(const std::vector<Region>& regions, const PageScan& scan,
                        const std::string& notes, std::uint64_t size_bytes_max, CoreReport& report);

}  // namespace coff::evidence
