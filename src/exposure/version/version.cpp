// Order of versions: picks the comparison of a packaging system.
#include "exposure/version/version.hpp"

#include "exposure/version/compare.hpp"

namespace coff::exposure {
namespace {

struct System {
  Scheme scheme;
  std::string_view name;
  bool (*valid)(std::string_view version);
  int (*compare)(std::string_view left, std::string_view right);
  bool total;  ///< The comparison itself orders invalid versions too.
};

// In the order of Scheme.
constexpr System kSystems[] = {
    {Scheme::kDebian, "debian", valid_debian, compare_debian, true},
    {Scheme::kRpm, "rpm", valid_rpm, compare_rpm, true},
    {Scheme::kApk, "apk", valid_apk, compare_apk, true},
    {Scheme::kSemver, "semver", valid_semver, compare_semver, false},
    {Scheme::kPep440, "pep440", valid_pep440, compare_pep440, false},
    {Scheme::kMaven, "maven", valid_maven, compare_maven, false},
    {Scheme::kGem, "gem", valid_gem, compare_gem, false},
};

const System& system_of(Scheme scheme) { return kSystems[static_cast<unsigned char>(scheme)]; }

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kWhite = " \t\r\n\v\f";
  const std::size_t first = text.find_first_not_of(kWhite);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kWhite) - first + 1);
}

}  // namespace

std::string_view scheme_name(Scheme scheme) { return system_of(scheme).name; }

std::optional<Scheme> scheme_of(std::string_view name) {
  for (const System& system : kSystems) {
    if (system.name == name) return system.scheme;
  }
  return std::nullopt;
}

bool valid_version(Scheme scheme, std::string_view version) {
  version = trimmed(version);
  return version.size() <= kVersionBytesMax && system_of(scheme).valid(version);
}

int compare_versions(Scheme scheme, std::string_view left, std::string_view right) {
  left = trimmed(left);
  right = trimmed(right);
  const System& system = system_of(scheme);
  if (system.total) return system.compare(left, right);
  const bool left_valid = valid_version(scheme, left);
  const bool right_valid = valid_version(scheme, right);
  if (left_valid && right_valid) return system.compare(left, right);
  if (left_valid != right_valid) return left_valid ? 1 : -1;
  return order_of(left, right);
}

}  // namespace coff::exposure
