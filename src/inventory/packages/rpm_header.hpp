// The header of one RPM package, as every database of rpm stores it.
#pragma once

#include <string_view>

#include "base/result.hpp"
#include "inventory/packages/canonical.hpp"
#include "inventory/packages/package.hpp"

namespace coff::inventory {

struct RpmHeader {
  Package package;
  std::vector<std::string> owned;  ///< Those of the wanted paths that are its files.
  bool is_key = false;             ///< "gpg-pubkey": a key that rpm keeps as if it were a package.
};

/// Headers are at most this long, as in rpm itself (header.c: 256 MB), index entries too.
inline constexpr std::size_t kRpmHeaderBytesMax = std::size_t{256} << 20U;
inline constexpr std::size_t kRpmEntriesMax = 65'536;

/// Reads a header blob without its 8 bytes of magic: number of index entries and size of the data,
/// big-endian; the entries (tag, type, offset, count); the data. kInvalid: it contradicts itself,
/// or has no name or version.
Result<RpmHeader> read_rpm_header(std::string_view blob, const WantedPaths& wanted,
                                  const TopLinks& links);

/// "openssl" and "1.1.1k-7.el8" of "openssl-1.1.1k-7.el8.src.rpm"; false when it isn't one.
bool split_source_rpm(std::string_view file, std::string& name, std::string& version);

}  // namespace coff::inventory
