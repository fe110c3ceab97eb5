// A tar archive as a stream: POSIX pax interchange format, with extended attributes.
#include "evidence/collect/tar_writer.hpp"

#include <sys/sysmacros.h>

#include <algorithm>
#include <cstring>

namespace coff::evidence {
namespace {

constexpr std::size_t kBlock = 512;

/// POSIX.1-2017, pax, "ustar Interchange Format".
struct Header {
  char name[100];
  char mode[8];
  char uid[8];
  char gid[8];
  char size[12];
  char time[12];
  char sum[8];
  char type;
  char link[100];
  char magic[6];
  char version[2];
  char user[32];
  char group[32];
  char major[8];
  char minor[8];
  char prefix[155];
  char rest[12];
};
static_assert(sizeof(Header) == kBlock);

template <std::size_t Size>
void put_octal(char (&field)[Size], std::uint64_t value) {
  for (std::size_t at = Size - 1; at-- > 0; value >>= 3U) {
    field[at] = static_cast<char>('0' + (value & 7U));
  }
  field[Size - 1] = '\0';
}

template <std::size_t Size>
void put_text(char (&field)[Size], std::string_view text) {
  std::memcpy(field, text.data(), std::min(Size, text.size()));
}

/// "LENGTH key=value\n", where the length counts itself.
void put_record(std::string& records, std::string_view key, std::string_view value) {
  const std::size_t bare = key.size() + value.size() + 3;
  std::size_t length = bare + 1;
  while (bare + std::to_string(length).size() != length) ++length;
  records += std::to_string(length) + " ";
  records.append(key).append("=").append(value).append("\n");
}

char type_of(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFLNK: return '2';
    case S_IFCHR: return '3';
    case S_IFBLK: return '4';
    case S_IFDIR: return '5';
    case S_IFIFO: return '6';
    default: return '0';
  }
}

void finish_header(Header& header) {
  put_text(header.magic, std::string_view("ustar", 6));
  put_text(header.version, "00");
  std::memset(header.sum, ' ', sizeof header.sum);
  unsigned sum = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(&header);
  for (std::size_t at = 0; at < kBlock; ++at) sum += bytes[at];
  char digits[7];
  put_octal(digits, sum);
  std::memcpy(header.sum, digits, sizeof digits);
}

std::string_view block_of(const Header& header) {
  return {reinterpret_cast<const char*>(&header), sizeof header};
}

std::string records_of(const TarEntry& entry, std::string_view path, std::uint64_t size) {
  std::string records;
  if (path.size() > sizeof Header::name) put_record(records, "path", path);
  if (entry.link.size() > sizeof Header::link) put_record(records, "linkpath", entry.link);
  constexpr std::uint64_t kOctalSizeMax = std::uint64_t{1} << 33U;
  if (size >= kOctalSizeMax) put_record(records, "size", std::to_string(size));
  constexpr std::uint64_t kOctalIdMax = 1U << 21U;
  if (entry.status.st_uid >= kOctalIdMax) {
    put_record(records, "uid", std::to_string(entry.status.st_uid));
  }
  if (entry.status.st_gid >= kOctalIdMax) {
    put_record(records, "gid", std::to_string(entry.status.st_gid));
  }
  char time[48];
  for (const auto& [key, value] :
       {std::pair("mtime", entry.status.st_mtim), std::pair("atime", entry.status.st_atim),
        std::pair("ctime", entry.status.st_ctim)}) {
    std::snprintf(time, sizeof time, "%lld.%09ld", static_cast<long long>(value.tv_sec),
                  static_cast<long>(value.tv_nsec));
    put_record(records, key, time);
  }
  for (const auto& [name, value] : entry.attributes) {
    put_record(records, "SCHILY.xattr." + name, value);
  }
  return records;
}

}  // namespace

Result<void> TarWriter::head(const TarEntry& entry) {
  std::string_view path = entry.path;
  while (path.starts_with('/')) path.remove_prefix(1);
  const bool regular = S_ISREG(entry.status.st_mode);
  const auto size = regular ? static_cast<std::uint64_t>(entry.status.st_size) : 0;
  const std::string records = records_of(entry, path, size);
  Header extended{};
  put_text(extended.name, "PaxHeaders/entry");
  put_octal(extended.mode, 0644);
  put_octal(extended.uid, 0);
  put_octal(extended.gid, 0);
  put_octal(extended.size, records.size());
  put_octal(extended.time, 0);
  extended.type = 'x';
  finish_header(extended);
  TRY(sink_(block_of(extended)));
  TRY(sink_(records + std::string((kBlock - records.size() % kBlock) % kBlock, '\0')));

  Header header{};
  put_text(header.name, path);
  put_octal(header.mode, entry.status.st_mode & 07777U);
  put_octal(header.uid, entry.status.st_uid);
  put_octal(header.gid, entry.status.st_gid);
  put_octal(header.size, size);
  put_octal(header.time, static_cast<std::uint64_t>(std::max<time_t>(entry.status.st_mtime, 0)));
  header.type = type_of(entry.status.st_mode);
  put_text(header.link, entry.link);
  put_octal(header.major, major(entry.status.st_rdev));
  put_octal(header.minor, minor(entry.status.st_rdev));
  finish_header(header);
  left_ = size;
  padding_ = (kBlock - size % kBlock) % kBlock;
  return sink_(block_of(header));
}

Result<void> TarWriter::body(std::string_view bytes) {
  // A file that grew meanwhile: its head has already said how long it is.
  bytes = bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), left_)));
  left_ -= bytes.size();
  return sink_(bytes);
}

Result<std::uint64_t> TarWriter::end_body() {
  const std::uint64_t missing = left_;
  static const std::string kZeroes(65536, '\0');
  while (left_ > 0) {
    TRY(body(kZeroes));
  }
  TRY(sink_(std::string_view(kZeroes).substr(0, padding_)));
  padding_ = 0;
  return missing;
}

Result<void> TarWriter::finish() { return sink_(std::string(2 * kBlock, '\0')); }

}  // namespace coff::evidence
