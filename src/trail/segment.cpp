// Segment files: the only place where entries are stored.
#include "trail/segment.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "trail/checkpoint.hpp"
#include "trail/crc32c.hpp"
#include "trail/log.hpp"

namespace coff::trail {

namespace {

constexpr std::string_view kMagic = "COFFTRSG";
constexpr size_t kNameDigits = 20;
constexpr size_t kReadAheadBytes = size_t{256} * 1024;
constexpr size_t kReadJumpBytes = size_t{4} * 1024;

void append_le(std::string& out, std::uint64_t value, int bytes) {
  for (int at = 0; at < bytes; ++at) out += static_cast<char>(value >> (8 * at) & 255);
}

std::uint64_t read_le(std::string_view bytes) {
  std::uint64_t value = 0;
  for (size_t at = bytes.size(); at-- > 0;) value = value << 8 | octets(bytes)[at];
  return value;
}

}  // namespace

std::string SegmentHeader::encode() const {
  std::string out(kMagic);
  append_le(out, kSegmentVersion, 4);
  append_le(out, kSegmentHeaderBytes, 4);
  append_le(out, first_seq, 8);
  append_le(out, static_cast<std::uint64_t>(created_wall_ns), 8);
  out.append(kSegmentHeaderBytes - 4 - out.size(), '\0');
  append_le(out, crc32c(out), 4);
  return out;
}

Result<SegmentHeader> SegmentHeader::decode(std::string_view bytes) {
  if (bytes.size() < kSegmentHeaderBytes || !bytes.starts_with(kMagic)) {
    return fail(Code::kCorrupt, "not a trail segment");
  }
  bytes = bytes.substr(0, kSegmentHeaderBytes);
  const std::uint64_t version = read_le(bytes.substr(8, 4));
  if (version != kSegmentVersion) {
    return fail(Code::kUnsupported, "segment version " + std::to_string(version) +
                                        " is not known; this program reads version 1");
  }
  if (read_le(bytes.substr(12, 4)) != kSegmentHeaderBytes ||
      read_le(bytes.substr(60, 4)) != crc32c(bytes.substr(0, 60))) {
    return fail(Code::kCorrupt, "segment header is damaged");
  }
  return SegmentHeader{read_le(bytes.substr(16, 8)),
                       static_cast<std::int64_t>(read_le(bytes.substr(24, 8)))};
}

void append_record(std::string& out, std::string_view first, std::string_view second,
                   std::string_view third) {
  const size_t start = out.size();
  append_le(out, first.size() + second.size() + third.size(), 4);
  append_le(out, 0, 4);
  out += first;
  out += second;
  out += third;
  const std::uint32_t sum = crc32c(std::string_view(out).substr(start + kRecordHeaderBytes));
  for (size_t at = 0; at < 4; ++at) out[start + 4 + at] = static_cast<char>(sum >> (8 * at) & 255);
}

Record read_record(std::string_view bytes) {
  if (bytes.empty()) return {};
  if (bytes.size() < kRecordHeaderBytes) return {RecordState::kShort, {}, 0};
  const std::uint64_t size = read_le(bytes.substr(0, 4));
  if (size == 0 || size > kEntryBytesMax) return {RecordState::kBadSize, {}, 0};
  if (bytes.size() - kRecordHeaderBytes < size) return {RecordState::kShort, {}, 0};
  const std::string_view entry = bytes.substr(kRecordHeaderBytes, size);
  const bool good = read_le(bytes.substr(4, 4)) == crc32c(entry);
  return {good ? RecordState::kWhole : RecordState::kBadSum, entry, kRecordHeaderBytes + size};
}

std::string segment_name(std::uint64_t first_seq) {
  std::string digits = std::to_string(first_seq);
  digits.insert(0, kNameDigits - digits.size(), '0');
  return digits + ".seg";
}

Result<std::uint64_t> segment_number(std::string_view name) {
  if (name.size() != kNameDigits + 4 || !name.ends_with(".seg")) {
    return fail(Code::kInvalid, "not the name of a segment");
  }
  std::string_view digits = name.substr(0, kNameDigits);
  while (digits.size() > 1 && digits[0] == '0') digits.remove_prefix(1);
  return parse_decimal(digits);
}

Result<SegmentFile> SegmentFile::open(const std::string& path) {
  SegmentFile file;
  file.path_ = path;
  file.fd_ = TRY(open_file(path, O_RDONLY | O_NOFOLLOW));
  TRY(file.refresh());
  const std::string_view head = TRY(file.window(0, kSegmentHeaderBytes));
  auto header = SegmentHeader::decode(head);
  if (!header) {
    header.error().what = path + ": " + header.error().what;
    return std::unexpected(std::move(header).error());
  }
  file.header_ = *header;
  return file;
}

Result<void> SegmentFile::refresh() {
  struct stat status = {};
  if (::fstat(fd_.get(), &status) != 0) return fail_errno("cannot examine " + path_);
  if (!S_ISREG(status.st_mode)) return fail(Code::kInvalid, path_ + ": not a regular file");
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size > kSegmentBytesMax) return fail(Code::kLimit, path_ + ": segment is too large");
  if (size != size_bytes_) buffer_.clear();
  size_bytes_ = size;
  return {};
}

// Bytes from `offset` on: as many as wanted, or fewer at the end of the file.
Result<std::string_view> SegmentFile::window(std::uint64_t offset, size_t wanted_bytes) {
  if (offset >= size_bytes_) return std::string_view();
  wanted_bytes = std::min<std::uint64_t>(wanted_bytes, size_bytes_ - offset);
  if (offset < buffer_offset_ || offset + wanted_bytes > buffer_offset_ + buffer_.size()) {
    // A window that follows the last one is read ahead; a jump reads little.
    const bool sequential = offset >= buffer_offset_ && !buffer_.empty() &&
                            offset <= buffer_offset_ + buffer_.size();
    const size_t ahead = std::max(wanted_bytes, sequential ? kReadAheadBytes : kReadJumpBytes);
    buffer_.resize(std::min<std::uint64_t>(ahead, size_bytes_ - offset));
    buffer_offset_ = offset;
    size_t have = 0;
    while (have < buffer_.size()) {
      const ssize_t got = ::pread(fd_.get(), buffer_.data() + have, buffer_.size() - have,
                                  static_cast<off_t>(offset + have));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return fail_errno("cannot read " + path_);
      if (got == 0) break;
      have += static_cast<size_t>(got);
    }
    buffer_.resize(have);
  }
  return std::string_view(buffer_).substr(offset - buffer_offset_, wanted_bytes);
}

Result<Record> SegmentFile::at(std::uint64_t offset) {
  const std::string_view head = TRY(window(offset, kRecordHeaderBytes));
  if (head.size() < kRecordHeaderBytes) return read_record(head);
  const std::uint64_t size = read_le(head.substr(0, 4));
  if (size == 0 || size > kEntryBytesMax) return read_record(head);
  const std::string_view whole = TRY(window(offset, kRecordHeaderBytes + size));
  return read_record(whole);
}

}  // namespace coff::trail
