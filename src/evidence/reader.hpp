// Reads that a hostile process can make hang, done by a process of ours that can be given up.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace coff::evidence {

/// Bytes that one read gives at most.
inline constexpr std::size_t kReadBytesMax = std::size_t{4} << 20U;
/// A read that takes longer is given up: pages behind FUSE or userfaultfd answer when their owner
/// likes.
inline constexpr std::int64_t kStallMs = 5000;
/// So many reads are given up in one collection; afterwards everything is refused with kTimeout.
inline constexpr unsigned kStallsMax = 32;

/// What an opened file is, from fstat(2).
struct OpenedAs {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size_bytes = 0;
  std::uint64_t allocated_bytes = 0;
  std::uint32_t mode = 0;
};

/// Pages of a process that are in memory or in swap: [start, end).
struct PageRun {
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  friend bool operator==(const PageRun&, const PageRun&) = default;
};

/// One helper process with one open file and two buffers. After kTimeout the file is closed and
/// the helper is a new one. Belongs to one thread.
class Reader {
 public:
  static Result<Reader> start(std::int64_t stall_ms = kStallMs);
  Reader(Reader&& other) noexcept { *this = std::move(other); }
  Reader& operator=(Reader&&) noexcept;
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() { end(); }

  /// Opens a regular file or folder for reading; anything else (a pipe, whose writer would notice,
  /// a device) is kIo.
  Result<OpenedAs> open(const std::string& path, int flags = 0);
  /// Bytes from `offset` on, fewer at the end of the file; valid until the next call but one.
  Result<std::span<const std::uint8_t>> read(std::uint64_t offset, std::size_t size_bytes);
  /// Asks for bytes without waiting for them; at most two may be under way.
  Result<void> ask(std::uint64_t offset, std::size_t size_bytes);
  /// The answer to the oldest ask().
  Result<std::span<const std::uint8_t>> take();
  /// Offset of the next data in a sparse file (SEEK_DATA), or of the next hole (SEEK_HOLE).
  Result<std::uint64_t> seek(std::uint64_t offset, int whence);
  /// Runs of pages in [start, end) of the open pagemap; kUnsupported where the kernel has no
  /// PAGEMAP_SCAN. `walked_to` is where the next call goes on.
  Result<std::vector<PageRun>> scan(std::uint64_t start, std::uint64_t end,
                                    std::uint64_t& walked_to);

  /// A whole file of at most `size_bytes_max`; `cut` says whether there was more.
  Result<std::string> read_file(const std::string& path, std::size_t size_bytes_max,
                                bool* cut = nullptr);
  Result<std::string> read_link(const std::string& path);
  /// Names in a folder, unsorted, at most as many as fit into kReadBytesMax.
  Result<std::vector<std::string>> list(const std::string& path);

  [[nodiscard]] unsigned stalls() const { return stalls_; }

 private:
  struct Request;
  struct Reply;
  Reader(std::int64_t stall_ms, Fd memory, void* shared)
      : stall_ms_(stall_ms), memory_(std::move(memory)), shared_(shared) {}
  Result<void> spawn();
  void end();
  Result<void> send(const Request& request);
  Result<Reply> receive();
  Result<Reply> call(const Request& request);
  void put_path(const std::string& path);

  std::int64_t stall_ms_ = kStallMs;
  Fd memory_;
  void* shared_ = nullptr;
  Fd socket_;
  pid_t pid_ = -1;
  unsigned asked_ = 0;
  unsigned taken_ = 0;
  unsigned stalls_ = 0;
};

}  // namespace coff::evidence
