// Segment files: the only place where entries are stored. Header, then records in order.
//
// Header, 64 bytes, integers little-endian: "COFFTRSG", u32 version 1, u32 header size 64, u64
// sequence number of the first record, i64 wall time of creation in ns, 28 zero bytes, u32 CRC-32C
// of the 60 bytes before. Record: u32 size of the entry, u32 CRC-32C of the entry, the entry.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace coff::trail {

inline constexpr std::uint32_t kSegmentVersion = 1;
inline constexpr size_t kSegmentHeaderBytes = 64;
inline constexpr size_t kRecordHeaderBytes = 8;
/// Largest segment that is opened; the writer's limit is far below.
inline constexpr std::uint64_t kSegmentBytesMax = std::uint64_t{4} * 1024 * 1024 * 1024 - 1;

struct SegmentHeader {
  std::uint64_t first_seq = 0;
  std::int64_t created_wall_ns = 0;

  [[nodiscard]] std::string encode() const;
  static Result<SegmentHeader> decode(std::string_view bytes);
};

/// Appends one record whose entry is the concatenation of the parts.
void append_record(std::string& out, std::string_view first, std::string_view second,
                   std::string_view third);

/// What the bytes at a place in a segment are.
enum class RecordState : unsigned char {
  kWhole,    ///< A record with a good checksum.
  kEnd,      ///< Nothing follows.
  kShort,    ///< Cut off: fewer bytes than a record needs.
  kBadSize,  ///< The size is zero or above the limit (a hole reads as zero).
  kBadSum,   ///< The checksum is wrong.
};
struct Record {
  RecordState state = RecordState::kEnd;
  std::string_view entry;          ///< Set for kWhole and kBadSum.
  std::uint64_t size_bytes = 0;    ///< Of the record with its header; 0 unless an entry is set.
};
/// Reads the record at the start of `bytes`, the rest of a segment.
Record read_record(std::string_view bytes);

/// Name of a segment file: 20 decimal digits of its first sequence number and ".seg".
std::string segment_name(std::uint64_t first_seq);
/// The sequence number in a segment's file name, if it is one.
Result<std::uint64_t> segment_number(std::string_view name);

/// A segment opened for reading, through a window: nothing is mapped, so a file that somebody
/// truncates meanwhile is a short read and not a signal. Move-only, one thread at a time.
class SegmentFile {
 public:
  static Result<SegmentFile> open(const std::string& path);

  [[nodiscard]] const SegmentHeader& header() const { return header_; }
  /// Size of the file when it was opened or last refreshed.
  [[nodiscard]] std::uint64_t size_bytes() const { return size_bytes_; }
  /// Looks at the file's size again.
  Result<void> refresh();
  /// Record at a byte offset. Its entry is valid until the next call.
  Result<Record> at(std::uint64_t offset);

 private:
  Result<std::string_view> window(std::uint64_t offset, size_t wanted_bytes);

  Fd fd_;
  std::string path_;
  SegmentHeader header_;
  std::uint64_t size_bytes_ = 0;
  std::string buffer_;
  std::uint64_t buffer_offset_ = 0;
};

}  // namespace coff::trail
