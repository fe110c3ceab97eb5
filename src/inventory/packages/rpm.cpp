// The databases of rpm: which of its three formats a file has, and the headers in it.
#include "inventory/packages/rpm.hpp"

#include <cstdint>
#include <cstring>

#include "base/database.hpp"
#include "inventory/packages/rpm_header.hpp"
#include "inventory/packages/sqlite_log.hpp"

namespace coff::inventory {
namespace {

struct Target {
  PackageSet& set;
  std::string_view file;
  const WantedPaths& wanted;
  const TopLinks& links;
};

/// False when no more packages are taken.
bool take_header(const Target& target, std::string_view blob) {
  auto header = read_rpm_header(blob, target.wanted, target.links);
  if (!header) {
    add_problem(target.set, target.file, header.error().message());
    return true;
  }
  if (header->is_key) return true;
  header->package.database = target.file;
  const std::size_t index = target.set.packages.size();
  if (!add_package(target.set, std::move(header->package))) return false;
  for (std::string& path : header->owned) target.set.owners.emplace(std::move(path), index);
  return true;
}

Result<void> read_sqlite(const Target& target, std::string_view bytes, std::string_view log) {
  auto database = TRY(Database::open_copy(with_sqlite_log(bytes, log)));
  auto statement = TRY(database.prepare("SELECT blob FROM Packages"));
  while (TRY(statement.step())) {
    if (!take_header(target, statement.blob(0))) break;
  }
  return {};
}

std::uint32_t little_endian(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i-- > 0;) value = value << 8U | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

constexpr std::size_t kNdbHeaderBytes = 32;
constexpr std::size_t kNdbPageBytes = 4096;
constexpr std::size_t kNdbSlotBytes = 16;
constexpr std::size_t kNdbBlockBytes = 16;

/// ndb: a header of two slots, slots to the end of the slot pages, blobs in blocks of 16 bytes.
/// All numbers are little-endian.
Result<void> read_ndb(const Target& target, std::string_view bytes) {
  if (bytes.size() < kNdbHeaderBytes) return fail(Code::kInvalid, "the database is cut off");
  if (little_endian(bytes, 4) != 0) {
    return fail(Code::kUnsupported, "this version of rpm's ndb format is not known");
  }
  const std::uint64_t slots_end = std::uint64_t{little_endian(bytes, 12)} * kNdbPageBytes;
  if (slots_end < kNdbHeaderBytes || slots_end > bytes.size()) {
    return fail(Code::kInvalid, "the database's table is cut off");
  }
  for (std::size_t at = kNdbHeaderBytes; at + kNdbSlotBytes <= slots_end; at += kNdbSlotBytes) {
    if (bytes.substr(at, 4) != "Slot") return fail(Code::kInvalid, "the table is damaged");
    const std::uint32_t number = little_endian(bytes, at + 4);
    const std::uint64_t begin = std::uint64_t{little_endian(bytes, at + 8)} * kNdbBlockBytes;
    if (number == 0) continue;  // free
    constexpr std::size_t kBlobHeaderBytes = 16;
    const bool fits = begin + kBlobHeaderBytes <= bytes.size();
    if (!fits || bytes.substr(begin, 4) != "BlbS" || little_endian(bytes, begin + 4) != number) {
      add_problem(target.set, target.file,
                  "package number " + std::to_string(number) + " is damaged");
      continue;
    }
    const std::uint64_t size = little_endian(bytes, begin + 12);
    if (size > bytes.size() - begin - kBlobHeaderBytes) {
      add_problem(target.set, target.file,
                  "package number " + std::to_string(number) + " is cut off");
      continue;
    }
    if (!take_header(target, bytes.substr(begin + kBlobHeaderBytes, size))) break;
  }
  return {};
}

/// Magic of Berkeley DB's hash and btree files at byte 12, in either byte order.
bool is_berkeley(std::string_view bytes) {
  if (bytes.size() < 16) return false;
  const std::uint32_t magic = little_endian(bytes, 12);
  constexpr std::uint32_t kHash = 0x061561;
  constexpr std::uint32_t kBtree = 0x053162;
  return magic == kHash || magic == kBtree || __builtin_bswap32(magic) == kHash ||
         __builtin_bswap32(magic) == kBtree;
}

Result<void> read_any(const Target& target, std::string_view bytes, std::string_view log) {
  if (bytes.starts_with(std::string_view("SQLite format 3\0", 16))) {
    return read_sqlite(target, bytes, log);
  }
  if (bytes.starts_with("RpmP")) return read_ndb(target, bytes);
  if (is_berkeley(bytes)) {
    return fail(Code::kUnsupported,
                "rpm's Berkeley DB format is not read: packages of this root are not known");
  }
  return fail(Code::kInvalid, "not a database of rpm");
}

}  // namespace

void read_rpm_database(PackageSet& set, std::string_view file, std::string_view bytes,
                       std::string_view log, const WantedPaths& wanted, const TopLinks& links) {
  const Target target{set, file, wanted, links};
  if (const auto read = read_any(target, bytes, log); !read) {
    add_problem(set, file, read.error().message());
  }
}

}  // namespace coff::inventory
