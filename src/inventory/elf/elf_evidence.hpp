// What the bytes of a program or library say about the software in it, without any package
// database.
#pragma once

#include <string>
#include <vector>

#include "inventory/elf/elf_identity.hpp"
#include "inventory/packages/package.hpp"

namespace coff::inventory {

/// Larger files are searched up to here; the rest is named as unsearched.
inline constexpr std::uint64_t kSearchedBytesMax = std::uint64_t{1} << 30U;
/// Embedded version texts kept of one file.
inline constexpr std::size_t kVersionsMax = 16;

struct ElfEvidence {
  ElfIdentity identity;
  /// Versions of OpenSSL whose text the file contains, e.g. "3.0.17". A program that only uses the
  /// library has the version of the headers that it was built with: no proof of what runs.
  std::vector<std::string> openssl_versions;
  /// The file contains OpenSSL itself: a version text, no needed libssl or libcrypto, and "part of
  /// OpenSSL" at least once or at least kOpensslSourcesMin of its source paths.
  bool static_openssl = false;
  /// What the build recorded in it: Go modules and the Go release ("stdlib"), Rust crates
  /// (cargo-auditable), and the package that the file was built for (ELF package note, JSON of the
  /// FDO note type 0xcafe1a7e).
  std::vector<Package> packages;
  std::vector<std::string> problems;  ///< Records that are there and can't be read.
};

inline constexpr std::size_t kOpensslSourcesMin = 100;

/// Reads one file that may be hostile. Errors as parse_elf().
Result<ElfEvidence> read_elf_evidence(const Fd& file);

}  // namespace coff::inventory
