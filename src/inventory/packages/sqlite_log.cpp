// A SQLite database as it is after its write-ahead log: nothing is written, and no lock is taken.
#include "inventory/packages/sqlite_log.hpp"

#include <cstdint>
#include <cstring>
#include <vector>

namespace coff::inventory {
namespace {

constexpr std::size_t kLogHeaderBytes = 32;
constexpr std::size_t kFrameHeaderBytes = 24;
/// A database of rpm has tens of megabytes; a log can't make it larger than this.
constexpr std::size_t kDatabaseBytesMax = std::size_t{1} << 30U;
/// Bytes of the database header that say whether a log belongs to it.
constexpr std::size_t kWriteVersionAt = 18;
constexpr std::size_t kReadVersionAt = 19;

std::uint32_t number_at(std::string_view bytes, std::size_t at, bool big) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    value = value << 8U | static_cast<unsigned char>(bytes[at + (big ? i : 3 - i)]);
  }
  return value;
}

/// The running checksum of a log, over pairs of numbers.
struct Checksum {
  std::uint32_t first = 0;
  std::uint32_t second = 0;
  bool big = false;

  void add(std::string_view bytes) {
    for (std::size_t at = 0; at + 8 <= bytes.size(); at += 8) {
      first += number_at(bytes, at, big) + second;
      second += number_at(bytes, at + 4, big) + first;
    }
  }
  [[nodiscard]] bool is(std::string_view bytes, std::size_t at) const {
    return number_at(bytes, at, true) == first && number_at(bytes, at + 4, true) == second;
  }
};

struct Frame {
  std::uint32_t page = 0;
  std::string_view content;
};

void apply(std::string& database, const std::vector<Frame>& frames, std::size_t page_bytes) {
  for (const Frame& frame : frames) {
    const std::size_t at = (frame.page - 1) * page_bytes;
    if (at + page_bytes > kDatabaseBytesMax) return;
    if (database.size() < at + page_bytes) database.resize(at + page_bytes);
    std::memcpy(database.data() + at, frame.content.data(), page_bytes);
  }
}

void apply_log(std::string& database, std::string_view log) {
  if (log.size() < kLogHeaderBytes) return;
  const std::uint32_t magic = number_at(log, 0, true);
  constexpr std::uint32_t kMagic = 0x377f0682;
  if ((magic & ~1U) != kMagic) return;
  const std::size_t page_bytes = number_at(log, 8, true);
  if (page_bytes < 512 || page_bytes > 65536 || (page_bytes & (page_bytes - 1)) != 0) return;
  Checksum sum{.big = (magic & 1U) != 0};
  sum.add(log.substr(0, 24));
  if (!sum.is(log, 24)) return;
  const std::string_view salts = log.substr(16, 8);
  std::vector<Frame> waiting;
  for (std::size_t at = kLogHeaderBytes; at + kFrameHeaderBytes + page_bytes <= log.size();
       at += kFrameHeaderBytes + page_bytes) {
    const std::string_view header = log.substr(at, kFrameHeaderBytes);
    const std::string_view content = log.substr(at + kFrameHeaderBytes, page_bytes);
    if (header.substr(8, 8) != salts) return;
    sum.add(header.substr(0, 8));
    sum.add(content);
    const std::uint32_t page = number_at(header, 0, true);
    if (!sum.is(header, 16) || page == 0) return;
    waiting.push_back({page, content});
    const std::uint32_t pages_after_commit = number_at(header, 4, true);
    if (pages_after_commit == 0) continue;
    apply(database, waiting, page_bytes);
    waiting.clear();
    if (pages_after_commit * page_bytes < database.size()) {
      database.resize(pages_after_commit * page_bytes);
    }
  }
}

}  // namespace

std::string with_sqlite_log(std::string_view database, std::string_view log) {
  std::string copy(database);
  apply_log(copy, log);
  if (copy.size() > kReadVersionAt) {
    copy[kWriteVersionAt] = 1;
    copy[kReadVersionAt] = 1;
  }
  return copy;
}

}  // namespace coff::inventory
