// Order of versions: which of two comes first, by the rules of the packaging system they belong to.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace coff::exposure {

/// Whose rules order two versions.
enum class Scheme : unsigned char {
  kDebian,  ///< deb-version(7): epoch, upstream version, revision.
  kRpm,     ///< rpmvercmp on epoch, version, release; "~" before and "^" after the end.
  kApk,     ///< apk-tools: digits, letter, suffixes, commit hash, revision.
  kSemver,  ///< Semantic Versioning 2.0.0; a leading "v" or "=" and missing components pass.
  kPep440,  ///< Python, PEP 440.
  kMaven,   ///< Maven's version order specification.
  kGem,     ///< RubyGems: Gem::Version.
};

/// Longer versions are invalid. The longest of the peers' own vectors has 92 bytes.
inline constexpr std::size_t kVersionBytesMax = 1024;

/// Name as in output and storage, e.g. "debian".
std::string_view scheme_name(Scheme scheme);
std::optional<Scheme> scheme_of(std::string_view name);

/// True when the packaging system itself would accept this version.
bool valid_version(Scheme scheme, std::string_view version);

/// Negative, 0 or positive as `left` comes before, with or after `right`. White space around a
/// version doesn't count. A total order for whatever text comes in: versions of Debian, RPM and apk
/// that are invalid are compared by the same walk over their bytes as valid ones; for the others an
/// invalid version comes before every valid one, and two of them are compared as bytes. So an
/// installed version that nobody can read is never taken for a fixed one; who reads an advisory
/// must refuse invalid versions there. Maven's specification alone is no order for every text: it
/// pads the shorter version by what it is compared with. Pure; never fails; linear in the lengths.
int compare_versions(Scheme scheme, std::string_view left, std::string_view right);

}  // namespace coff::exposure
