// Which advisories concern a version of a package.
#include "exposure/matcher.hpp"

#include <algorithm>

namespace coff::exposure {
namespace {

using inventory::PackageType;

/// The first two numbers of "3.18.4", or one of "12.5".
std::string leading_numbers(std::string_view version, int count) {
  std::size_t end = 0;
  for (int at = 0; at < count; ++at) {
    end = version.find('.', at == 0 ? 0 : end + 1);
    if (end == std::string_view::npos) return std::string(version);
  }
  return std::string(version.substr(0, end));
}

std::string_view language_ecosystem(PackageType type) {
  switch (type) {
    case PackageType::kNpm: return "npm";
    case PackageType::kPython: return "PyPI";
    case PackageType::kJava: return "Maven";
    case PackageType::kGo: return "Go";
    case PackageType::kRust: return "crates.io";
    case PackageType::kDeb:
    case PackageType::kApk:
    case PackageType::kRpm: return {};
  }
  return {};
}

/// A range that ends says that something was affected once.
bool has_fix_at_or_before(const Affected& affected, std::string_view version) {
  for (const Range& range : affected.ranges) {
    for (const Event& event : range) {
      const bool ends = event.kind == Event::Kind::kFixed;
      if (ends && compare_versions(affected.scheme, event.version, version) <= 0) return true;
    }
  }
  return false;
}

}  // namespace

std::vector<std::string> ecosystems_of(const inventory::System& system) {
  const std::string major = leading_numbers(system.version, 1);
  if (system.id == "debian") {
    return {"Debian:" + (major.empty() ? std::string("sid") : major)};
  }
  if (system.id == "ubuntu") {
    return {"Ubuntu:" + system.version, "Ubuntu:" + system.version + ":LTS"};
  }
  if (system.id == "alpine") return {"Alpine:v" + leading_numbers(system.version, 2)};
  if (system.id == "almalinux") return {"AlmaLinux:" + major};
  if (system.id == "rocky") return {"Rocky Linux:" + major};
  if (system.id == "wolfi") return {"Wolfi"};
  if (system.id == "chainguard") return {"Chainguard"};
  return {};
}

Subjected subjected(const inventory::Package& package, const inventory::System& system) {
  const std::string_view language = language_ecosystem(package.type);
  if (!language.empty()) return {{std::string(language)}, package.name, package.version};
  if (package.type == PackageType::kRpm) {
    return {ecosystems_of(system), package.name, package.version};
  }
  return {ecosystems_of(system), package.source, package.source_version};
}

Result<Matcher> Matcher::make(const Question& question, Store& store) {
  Matcher matcher(store);
  if (question.subject != Subject::kAdvisory) return matcher;
  matcher.one_advisory_ = true;
  for (StoredAffected& row : TRY(store.of_advisory(question.text))) {
    matcher.packages_.insert(row.affected.package);
    matcher.rows_[{row.affected.ecosystem, row.affected.package}].push_back(std::move(row));
  }
  if (matcher.rows_.empty()) {
    return fail(Code::kNotFound,
                "no imported feed knows " + question.text + "; see: cofferdam feed list");
  }
  return matcher;
}

Result<const std::vector<StoredAffected>*> Matcher::rows(const std::string& ecosystem,
                                                         const std::string& package) {
  const auto found = rows_.find({ecosystem, package});
  if (found != rows_.end()) return &found->second;
  if (one_advisory_) {
    static const std::vector<StoredAffected> kNone;
    return &kNone;
  }
  auto& fresh = rows_[{ecosystem, package}];
  fresh = TRY(store_->of_package(ecosystem, package));
  return &fresh;
}

Result<Concern> Matcher::concern_of(const StoredAffected& row, std::string fixed) {
  Concern concern{.advisory = row.advisory,
                  .feed = row.feed,
                  .status = row.affected.status,
                  .fixed = std::move(fixed),
                  .available = row.affected.available,
                  .severity = row.severity,
                  .note = row.affected.note};
  auto known = threats_.find(row.advisory);
  if (known == threats_.end()) {
    Threat threat;
    // Scores and exploits are filed under the CVE.
    for (const std::string& name : TRY(store_->names_of(row.advisory))) {
      if (!name.starts_with("CVE-")) continue;
      const Threat one = TRY(store_->threat_of(name));
      if (one.known_exploited) {
        threat.known_exploited = true;
        threat.added = one.added;
        threat.ransomware |= one.ransomware;
      }
      if (one.epss && (!threat.epss || *threat.epss < *one.epss)) {
        threat.epss = one.epss;
        threat.epss_percentile = one.epss_percentile;
      }
    }
    known = threats_.emplace(row.advisory, threat).first;
  }
  concern.threat = known->second;
  return concern;
}

Result<std::vector<Concern>> Matcher::concerns(const Subjected& subject) {
  std::vector<Concern> found;
  for (const std::string& ecosystem : subject.ecosystems) {
    for (const StoredAffected& row : *TRY(rows(ecosystem, subject.package))) {
      Verdict verdict = judge(row.affected, subject.version);
      if (!verdict.affected) continue;
      found.push_back(TRY(concern_of(row, std::move(verdict.fixed))));
    }
  }
  return found;
}

Result<std::vector<Concern>> Matcher::former_concerns(const Subjected& subject) {
  std::vector<Concern> found;
  for (const std::string& ecosystem : subject.ecosystems) {
    for (const StoredAffected& row : *TRY(rows(ecosystem, subject.package))) {
      if (judge(row.affected, subject.version).affected) continue;
      if (row.affected.status == Status::kNotAffected ||
          !has_fix_at_or_before(row.affected, subject.version)) {
        continue;
      }
      found.push_back(TRY(concern_of(row, row.affected.ranges.front().back().version)));
    }
  }
  return found;
}

bool Matcher::speaks_of(const std::vector<std::string>& ecosystems) const {
  return std::ranges::any_of(rows_, [&ecosystems](const auto& row) {
    return std::ranges::find(ecosystems, row.first.first) != ecosystems.end();
  });
}

std::optional<std::string> Matcher::upstream_fix(const std::string& package) const {
  const auto found = rows_.find({"Debian:sid", package});
  if (found == rows_.end()) return std::nullopt;
  for (const StoredAffected& row : found->second) {
    for (const Range& range : row.affected.ranges) {
      for (const Event& event : range) {
        if (event.kind != Event::Kind::kFixed) continue;
        const std::size_t colon = event.version.find(':');
        const std::size_t begin = colon == std::string::npos ? 0 : colon + 1;
        return event.version.substr(begin, event.version.rfind('-') - begin);
      }
    }
  }
  return std::nullopt;
}

}  // namespace coff::exposure
