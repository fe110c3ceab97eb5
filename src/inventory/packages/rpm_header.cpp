// The header of one RPM package, as every database of rpm stores it.
#include "inventory/packages/rpm_header.hpp"

#include <cstdint>
#include <optional>

namespace coff::inventory {
namespace {

enum Tag : std::uint32_t {
  kName = 1000,
  kVersion = 1001,
  kRelease = 1002,
  kEpoch = 1003,
  kArch = 1022,
  kSourceRpm = 1044,
  kDirIndexes = 1116,
  kBaseNames = 1117,
  kDirNames = 1118,
  kModularityLabel = 5096,
};
enum Type : std::uint32_t { kInt32 = 4, kString = 6, kStringArray = 8, kTranslatedString = 9 };

constexpr std::size_t kEntryBytes = 16;
constexpr std::size_t kPreambleBytes = 8;

std::uint32_t big_endian(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    value = value << 8U | static_cast<unsigned char>(bytes[at + i]);
  }
  return value;
}

struct Entry {
  std::uint32_t type = 0;
  std::uint32_t offset = 0;
  std::uint32_t count = 0;
};

/// Index and data of one header, checked to lie inside the blob.
class Header {
 public:
  static Result<Header> open(std::string_view blob) {
    if (blob.size() < kPreambleBytes || blob.size() > kRpmHeaderBytesMax) {
      return fail(Code::kInvalid, "a package header has an impossible size");
    }
    const std::uint64_t entries = big_endian(blob, 0);
    const std::uint64_t data = big_endian(blob, 4);
    if (entries > kRpmEntriesMax || kPreambleBytes + entries * kEntryBytes + data > blob.size()) {
      return fail(Code::kInvalid, "a package header is cut off");
    }
    Header header;
    header.index_ = blob.substr(kPreambleBytes, entries * kEntryBytes);
    header.data_ = blob.substr(kPreambleBytes + entries * kEntryBytes, data);
    return header;
  }

  [[nodiscard]] std::optional<Entry> find(Tag tag) const {
    for (std::size_t at = 0; at < index_.size(); at += kEntryBytes) {
      if (big_endian(index_, at) != tag) continue;
      const Entry entry{big_endian(index_, at + 4), big_endian(index_, at + 8),
                        big_endian(index_, at + 12)};
      if (entry.offset > data_.size()) return std::nullopt;
      return entry;
    }
    return std::nullopt;
  }

  /// The first text of a tag; "" when there is none.
  [[nodiscard]] std::string text(Tag tag) const {
    const std::vector<std::string_view> found = texts(tag, 1);
    return found.empty() ? std::string() : std::string(found.front());
  }

  [[nodiscard]] std::vector<std::string_view> texts(Tag tag, std::size_t most) const {
    std::vector<std::string_view> found;
    const auto entry = find(tag);
    if (!entry || (entry->type != kString && entry->type != kStringArray &&
                   entry->type != kTranslatedString)) {
      return found;
    }
    std::string_view rest = data_.substr(entry->offset);
    for (std::uint32_t at = 0; at < entry->count && found.size() < most; ++at) {
      const std::size_t end = rest.find('\0');
      if (end == std::string_view::npos) break;
      found.push_back(rest.substr(0, end));
      rest = rest.substr(end + 1);
    }
    return found;
  }

  /// The number at place `at` of a tag of 32-bit numbers.
  [[nodiscard]] std::optional<std::uint32_t> number(const Entry& entry, std::size_t at) const {
    const std::size_t offset = entry.offset + at * 4;
    if (entry.type != kInt32 || at >= entry.count || offset + 4 > data_.size()) return std::nullopt;
    return big_endian(data_, offset);
  }

 private:
  std::string_view index_;
  std::string_view data_;
};

std::vector<std::string> owned_files(const Header& header, const WantedPaths& wanted,
                                     const TopLinks& links) {
  std::vector<std::string> owned;
  if (wanted.empty()) return owned;
  constexpr std::size_t kFilesMax = 1'000'000;
  const auto names = header.texts(kBaseNames, kFilesMax);
  const auto folders = header.texts(kDirNames, kFilesMax);
  const auto places = header.find(kDirIndexes);
  if (!places) return owned;
  for (std::size_t at = 0; at < names.size(); ++at) {
    const auto place = header.number(*places, at);
    if (!place || *place >= folders.size()) break;
    std::string path = canonical_path(std::string(folders[*place]).append(names[at]), links);
    if (wanted.contains(path)) owned.push_back(std::move(path));
  }
  return owned;
}

}  // namespace

bool split_source_rpm(std::string_view file, std::string& name, std::string& version) {
  for (const std::string_view end : {".src.rpm", ".nosrc.rpm"}) {
    if (!file.ends_with(end)) continue;
    const std::string_view stem = file.substr(0, file.size() - end.size());
    const std::size_t release = stem.rfind('-');
    if (release == std::string_view::npos || release == 0) return false;
    const std::size_t at = stem.rfind('-', release - 1);
    if (at == std::string_view::npos || at == 0) return false;
    name = stem.substr(0, at);
    version = stem.substr(at + 1);
    return true;
  }
  return false;
}

Result<RpmHeader> read_rpm_header(std::string_view blob, const WantedPaths& wanted,
                                  const TopLinks& links) {
  const Header header = TRY(Header::open(blob));
  RpmHeader found;
  Package& package = found.package;
  package.type = PackageType::kRpm;
  package.name = header.text(kName);
  std::string version = header.text(kVersion);
  if (package.name.empty() || version.empty()) {
    return fail(Code::kInvalid, "a package header has no name or no version");
  }
  found.is_key = package.name == "gpg-pubkey";
  std::string epoch;
  if (const auto entry = header.find(kEpoch)) {
    // An absent epoch and 0 are the same.
    const auto number = header.number(*entry, 0);
    if (number && *number != 0) epoch = std::to_string(*number) + ":";
  }
  const std::string release = header.text(kRelease);
  package.version = epoch + version + (release.empty() ? "" : "-" + release);
  package.arch = header.text(kArch);
  package.module = header.text(kModularityLabel);
  if (split_source_rpm(header.text(kSourceRpm), package.source, package.source_version)) {
    package.source_version.insert(0, epoch);
  }
  found.owned = owned_files(header, wanted, links);
  return found;
}

}  // namespace coff::inventory
