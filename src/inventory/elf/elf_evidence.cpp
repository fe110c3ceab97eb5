// What the bytes of a program or library say about the software in it, without any package
// database.
#include "inventory/elf/elf_evidence.hpp"

#include <algorithm>
#include <set>

#include "inventory/elf/build_records.hpp"
#include "inventory/elf/elf_file.hpp"

namespace coff::inventory {
namespace {

constexpr std::uint64_t kChunkBytes = std::uint64_t{4} << 20U;
/// Every text that is looked for fits; chunks overlap by this much.
constexpr std::uint64_t kOverlapBytes = 256;
constexpr std::uint64_t kGoInfoBytesMax = std::uint64_t{4} << 20U;
constexpr std::uint64_t kRecordBytesMax = std::uint64_t{8} << 20U;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

std::size_t digits_at(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size() && is_digit(text[end])) ++end;
  return end;
}

/// The version in "OpenSSL 3.0.17 1 Jul 2025" or "OpenSSL 1.0.1e-fips 11 Feb 2013"; "" when `text`
/// begins otherwise.
std::string_view openssl_version(std::string_view text) {
  constexpr std::string_view kName = "OpenSSL ";
  if (!text.starts_with(kName)) return {};
  std::size_t at = kName.size();
  const std::size_t begin = at;
  for (int part = 0; part < 3; ++part) {
    if (part > 0 && (at >= text.size() || text[at++] != '.')) return {};
    const std::size_t end = digits_at(text, at);
    if (end == at || end - at > 3) return {};
    at = end;
  }
  while (at < text.size() &&
         (is_lower(text[at]) || is_digit(text[at]) || text[at] == '-' || text[at] == '+') &&
         at - begin < 40) {
    ++at;
  }
  const std::string_view version = text.substr(begin, at - begin);
  // A date follows: a message that names a version has none.
  while (at < text.size() && text[at] == ' ') ++at;
  const std::size_t day = digits_at(text, at);
  if (day == at || day - at > 2 || day + 9 > text.size() || text[day] != ' ') return {};
  const std::string_view rest = text.substr(day + 1);
  const bool year =
      is_digit(rest[4]) && is_digit(rest[5]) && is_digit(rest[6]) && is_digit(rest[7]);
  return rest[3] == ' ' && year ? version : std::string_view();
}

/// A path such as "crypto/evp/evp_enc.c" at the start of `text`.
bool openssl_source(std::string_view text) {
  const std::size_t end = text.substr(0, 128).find('\0');
  return end != std::string_view::npos && text.substr(0, end).ends_with(".c");
}

struct Found {
  std::set<std::string, std::less<>> versions;
  std::size_t parts = 0;    ///< "part of OpenSSL"
  std::size_t sources = 0;  ///< "crypto/….c"
  std::uint64_t go_info = 0;
};

template <typename Take>
void each_occurrence(std::string_view chunk, std::string_view needle, Take take) {
  for (std::size_t at = chunk.find(needle); at != std::string_view::npos;
       at = chunk.find(needle, at + 1)) {
    take(at);
  }
}

/// `fresh`: bytes of the chunk that no later chunk shows again.
void search(std::string_view chunk, std::uint64_t offset, std::size_t fresh, Found& found) {
  each_occurrence(chunk, "OpenSSL ", [&](std::size_t at) {
    const std::string_view version = openssl_version(chunk.substr(at));
    if (at < fresh && !version.empty() && found.versions.size() < kVersionsMax) {
      found.versions.emplace(version);
    }
  });
  each_occurrence(chunk, "part of OpenSSL", [&](std::size_t at) { found.parts += at < fresh; });
  each_occurrence(chunk, "crypto/", [&](std::size_t at) {
    found.sources += at < fresh && openssl_source(chunk.substr(at)) ? 1 : 0;
  });
  each_occurrence(chunk, kGoMagic, [&](std::size_t at) {
    constexpr std::uint64_t kAlignment = 16;
    if (found.go_info == 0 && (offset + at) % kAlignment == 0) found.go_info = offset + at;
  });
}

Result<Found> search_file(const ElfFile& file) {
  Found found;
  const std::uint64_t end = std::min(file.size(), kSearchedBytesMax);
  for (std::uint64_t at = 0; at < end; at += kChunkBytes) {
    const std::uint64_t size = std::min(kChunkBytes + kOverlapBytes, end - at);
    const std::string chunk = TRY(file.read(at, size));
    search(chunk, at, std::min<std::uint64_t>(size, kChunkBytes), found);
  }
  return found;
}

void take(Result<std::vector<Package>> packages, ElfEvidence& evidence) {
  if (!packages) {
    evidence.problems.push_back(packages.error().message());
    return;
  }
  for (Package& package : *packages) evidence.packages.push_back(std::move(package));
}

bool needs_openssl(const ElfIdentity& identity) {
  return std::ranges::any_of(identity.needed, [](const std::string& name) {
    return name.starts_with("libssl.") || name.starts_with("libcrypto.");
  });
}

}  // namespace

Result<ElfEvidence> read_elf_evidence(const Fd& fd) {
  ElfEvidence evidence{.identity = TRY(parse_elf(fd))};
  const ElfFile file = TRY(ElfFile::open(fd));
  const Found found = TRY(search_file(file));
  evidence.openssl_versions.assign(found.versions.begin(), found.versions.end());
  evidence.static_openssl = !found.versions.empty() && !needs_openssl(evidence.identity) &&
                            !evidence.identity.soname.starts_with("libssl.") &&
                            !evidence.identity.soname.starts_with("libcrypto.") &&
                            (found.parts > 0 || found.sources >= kOpensslSourcesMin);
  if (found.go_info != 0) {
    const std::uint64_t size = std::min(kGoInfoBytesMax, file.size() - found.go_info);
    take(read_go_build_info(TRY(file.read(found.go_info, size))), evidence);
  }
  if (!evidence.identity.package_note.empty()) {
    take(read_package_note(evidence.identity.package_note), evidence);
  }
  const auto crates = TRY(find_elf_section(fd, ".dep-v0"));
  if (crates.size != 0 && crates.size <= kRecordBytesMax) {
    take(read_rust_crates(TRY(file.read(crates.offset, crates.size))), evidence);
  }
  if (file.size() > kSearchedBytesMax) {
    evidence.problems.emplace_back("only the first gigabyte was searched");
  }
  return evidence;
}

}  // namespace coff::inventory
