// What a reader and its helper process say to each other, and the helper's side.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace coff::evidence {

enum class HelperWhat : std::uint32_t { kOpen, kRead, kSeek, kScan, kLink, kList };

struct HelperRequest {
  HelperWhat what = HelperWhat::kOpen;
  std::uint32_t slot = 0;
  std::uint64_t number = 0;  ///< Offset, first address, or flags of open(2).
  std::uint64_t size = 0;    ///< Bytes, or the address after the last.
};

struct HelperReply {
  std::int64_t result = 0;
  std::uint64_t walked_to = 0;
  struct Status {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint64_t size_bytes = 0;
    std::uint64_t allocated_bytes = 0;
    std::uint32_t mode = 0;
  } status;
  std::int32_t error = 0;  ///< errno; 0: none.
};

/// struct page_region of linux/fs.h since 6.7, which older headers lack.
struct ScannedRegion {
  std::uint64_t start;
  std::uint64_t end;
  std::uint64_t categories;
};

/// Serves requests until the other end closes, or the parent dies. Only system calls: it was forked
/// from a process whose locks may be held.
[[noreturn]] void run_reader_helper(int socket, std::uint8_t* shared, pid_t parent);

}  // namespace coff::evidence
