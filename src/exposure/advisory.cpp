// One advisory: what it is called, which packages it is about, and what it says of a version.
#include "exposure/advisory.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace coff::exposure {
namespace {

// In the order of Status.
constexpr std::array<std::string_view, 6> kStatusNames = {
    "affected", "not_affected", "no_advisory", "end_of_life", "unimportant", "undetermined"};

/// "0" is OSV's name for "before everything".
int compare_points(Scheme scheme, std::string_view left, std::string_view right) {
  if (left == "0" || right == "0") return (left == "0" ? 0 : 1) - (right == "0" ? 0 : 1);
  return compare_versions(scheme, left, right);
}

/// Events that can be placed, in order; those at the same version in the order of their kinds.
Range sorted(const Range& range, Scheme scheme) {
  Range events;
  for (const Event& event : range) {
    const bool readable = event.version == "0" || valid_version(scheme, event.version);
    if (readable) events.push_back(event);
    else if (event.kind == Event::Kind::kIntroduced) events.push_back({event.kind, "0"});
  }
  std::ranges::stable_sort(events, [scheme](const Event& left, const Event& right) {
    const int order = compare_points(scheme, left.version, right.version);
    return order != 0 ? order < 0 : left.kind < right.kind;
  });
  return events;
}

bool before_limits(const Range& events, Scheme scheme, std::string_view version) {
  bool any = false;
  for (const Event& event : events) {
    if (event.kind != Event::Kind::kLimit) continue;
    any = true;
    if (event.version == "*" || compare_points(scheme, version, event.version) < 0) return true;
  }
  return !any;
}

Verdict judge_range(const Range& range, Scheme scheme, std::string_view version) {
  const Range events = sorted(range, scheme);
  if (!before_limits(range, scheme, version)) return {};
  Verdict verdict;
  for (const Event& event : events) {
    // A version that is not below the point: OSV's "<=".
    const int order = event.version == "0" ? -1 : compare_versions(scheme, event.version, version);
    switch (event.kind) {
      case Event::Kind::kIntroduced:
        if (order <= 0) verdict = {.affected = true};
        break;
      case Event::Kind::kFixed:
        if (order <= 0) verdict.affected = false;
        else if (verdict.affected && verdict.fixed.empty()) verdict.fixed = event.version;
        break;
      case Event::Kind::kLastAffected:
        if (order < 0) verdict.affected = false;
        break;
      case Event::Kind::kLimit: break;
    }
  }
  return verdict;
}

}  // namespace

std::string_view status_name(Status status) {
  return kStatusNames[static_cast<std::size_t>(status)];
}

std::optional<Status> status_of(std::string_view name) {
  const auto* found = std::ranges::find(kStatusNames, name);
  if (found == kStatusNames.end()) return std::nullopt;
  return static_cast<Status>(found - kStatusNames.begin());
}

Verdict judge(const Affected& affected, std::string_view version) {
  Verdict verdict;
  if (affected.status == Status::kNotAffected) return verdict;
  for (const Range& range : affected.ranges) {
    Verdict one = judge_range(range, affected.scheme, version);
    if (!one.affected) continue;
    // Between ranges that both hold it, the later fix is the one that helps.
    if (!verdict.affected || verdict.fixed.empty() || one.fixed.empty() ||
        compare_versions(affected.scheme, verdict.fixed, one.fixed) < 0) {
      const bool unfixed = verdict.affected && verdict.fixed.empty();
      verdict = unfixed ? verdict : std::move(one);
    }
  }
  verdict.affected |= std::ranges::any_of(affected.versions, [&](const std::string& listed) {
    return compare_versions(affected.scheme, listed, version) == 0;
  });
  return verdict;
}

std::optional<Scheme> scheme_of_ecosystem(std::string_view ecosystem) {
  constexpr std::pair<std::string_view, Scheme> kSchemes[] = {
      {"Debian", Scheme::kDebian},   {"Ubuntu", Scheme::kDebian},  {"Alpine", Scheme::kApk},
      {"Wolfi", Scheme::kApk},       {"Chainguard", Scheme::kApk}, {"AlmaLinux", Scheme::kRpm},
      {"Rocky Linux", Scheme::kRpm}, {"Red Hat", Scheme::kRpm},    {"openSUSE", Scheme::kRpm},
      {"SUSE", Scheme::kRpm},        {"Mageia", Scheme::kRpm},     {"Photon OS", Scheme::kRpm},
      {"npm", Scheme::kSemver},      {"Go", Scheme::kSemver},      {"crates.io", Scheme::kSemver},
      {"PyPI", Scheme::kPep440},     {"Maven", Scheme::kMaven},    {"RubyGems", Scheme::kGem},
      {"Bitnami", Scheme::kSemver},  {"upstream", Scheme::kDebian}};
  const std::string_view family = ecosystem.substr(0, ecosystem.find(':'));
  for (const auto& [name, scheme] : kSchemes) {
    if (name == family) return scheme;
  }
  return std::nullopt;
}

}  // namespace coff::exposure
