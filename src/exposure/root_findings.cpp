// Findings of one root file system.
#include "exposure/root_findings.hpp"

#include <unistd.h>

#include <algorithm>

#include "exposure/version/version.hpp"

namespace coff::exposure {
namespace {

using inventory::Package;

bool is_named(const Package& package, const std::string& text) {
  return package.name == text || package.source == text;
}

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

class RootFindings {
 public:
  RootFindings(const ScannedRoot& root, const std::map<std::string, LearnedBuild>& own_builds,
               const Context& context, Answer& answer)
      : root_(root), own_builds_(own_builds), context_(context), answer_(answer) {}

  Result<void> run() {
    for (const ScannedFile& file : root_.files) {
      if (!file.problem.empty()) {
        remark("not read: " + file.mapped.path + ": " + file.problem);
      }
      TRY(file.owner >= 0 ? add_owned(file) : add_unowned(file));
    }
    const Subject subject = context_.question.subject;
    if (subject == Subject::kAdvisory || subject == Subject::kPackage) {
      for (std::size_t at = 0; at < root_.packages.size(); ++at) {
        if (!mapped_.contains(at)) TRY(add_on_disk(root_.packages[at]));
      }
    }
    return {};
  }

 private:
  void remark(const std::string& text) {
    constexpr std::size_t kRemarksMax = 1000;
    if (answer_.remarks.size() >= kRemarksMax) return;
    const std::string who =
        root_.container.empty() ? "host" : "container " + root_.container.substr(0, 12);
    answer_.remarks.push_back(who + ": " + text);
  }

  /// What the question says of a file, without its package.
  [[nodiscard]] bool asked_by_file(const ScannedFile& file) const {
    const std::string& text = context_.question.text;
    if (context_.question.subject == Subject::kBuildId) {
      return file.evidence.identity.build_id == text;
    }
    if (context_.question.subject != Subject::kLibrary) return false;
    if (text.find('/') != std::string::npos) return file.mapped.path == text;
    return base_name(file.mapped.path).starts_with(text) ||
           file.evidence.identity.soname.starts_with(text);
  }
  [[nodiscard]] bool asked_by_package(const Package& package) const {
    return context_.question.subject == Subject::kPackage &&
           is_named(package, context_.question.text);
  }

  /// A question about an advisory asks for what it concerns, every other one for what it names.
  [[nodiscard]] bool wanted(const Finding& finding, const ScannedFile& file,
                            const Package* package) const {
    if (context_.question.subject == Subject::kAdvisory) return !finding.concerns.empty();
    return asked_by_file(file) || (package != nullptr && asked_by_package(*package));
  }

  Finding mapped_finding(const ScannedFile& file) const {
    Finding finding{.grade = Grade::kMappedNow,
                    .container = root_.container,
                    .path = file.mapped.path,
                    .deleted = file.mapped.deleted,
                    .build_id = file.evidence.identity.build_id};
    const std::int64_t ticks_per_second = ::sysconf(_SC_CLK_TCK);
    for (const std::size_t at : file.mapped.processes) {
      const inventory::MappedProcess& process = root_.processes[at];
      const auto ticks = static_cast<std::int64_t>(process.start_ticks);
      finding.processes.push_back(
          {.pid = process.pid,
           .started_ns = context_.booted_ns + ticks * (1'000'000'000 / ticks_per_second),
           .user = process.user,
           .name = process.name});
    }
    return finding;
  }

  static void describe(Finding& finding, const Package& package, const Subjected& subject) {
    finding.package = package.name;
    finding.version = package.version;
    finding.source = package.source;
    finding.ecosystem = subject.ecosystems.empty() ? std::string() : subject.ecosystems.front();
  }

  const LearnedBuild* learned(const std::string& build_id) const {
    if (build_id.empty()) return nullptr;
    const auto own = own_builds_.find(build_id);
    if (own != own_builds_.end()) return &own->second;
    const auto host = context_.host_builds.find(build_id);
    return host == context_.host_builds.end() ? nullptr : &host->second;
  }

  Result<void> add_owned(const ScannedFile& file) {
    const auto at = static_cast<std::size_t>(file.owner);
    const Package& package = root_.packages[at];
    const Subjected subject = subjected(package, root_.system);
    Finding finding = mapped_finding(file);
    describe(finding, package, subject);
    if (file.mapped.deleted) {
      TRY(judge_deleted(file, package, subject, finding));
    } else {
      finding.concerns = TRY(context_.matcher.concerns(subject));
      finding.why = "mapped by " + std::to_string(finding.processes.size()) +
                    " running processes; the file belongs to the package";
    }
    if (!wanted(finding, file, &package)) return {};
    mapped_.insert(at);
    answer_.findings.push_back(std::move(finding));
    return {};
  }

  /// The bytes are those of an earlier file of this name.
  Result<void> judge_deleted(const ScannedFile& file, const Package& package,
                             const Subjected& subject, Finding& finding) {
    finding.on_disk_version = package.version;
    const LearnedBuild* build = learned(file.evidence.identity.build_id);
    if (build != nullptr && build->source == package.source) {
      Subjected former = subject;
      finding.version = build->version;
      former.version =
          package.type == inventory::PackageType::kRpm ? build->version : build->source_version;
      finding.concerns = TRY(context_.matcher.concerns(former));
      finding.why =
          "the file was replaced on disk, and running processes still map the former "
          "one; its build id was seen as version " +
          build->version;
      return {};
    }
    finding.certainty = Certainty::kPresumed;
    finding.version.clear();
    finding.concerns = TRY(context_.matcher.concerns(subject));
    for (Concern& concern : TRY(context_.matcher.former_concerns(subject))) {
      finding.concerns.push_back(std::move(concern));
    }
    finding.why =
        "the file was replaced on disk, and running processes still map the former one; "
        "its version is not known, so it is taken for an affected one";
    return {};
  }

  Result<void> add_unowned(const ScannedFile& file) {
    const inventory::ElfEvidence& evidence = file.evidence;
    bool told = false;
    for (const Package& package : evidence.packages) {
      const Subjected subject = subjected(package, root_.system);
      Finding finding = mapped_finding(file);
      describe(finding, package, subject);
      finding.concerns = TRY(context_.matcher.concerns(subject));
      finding.why = "no package owns the file; its build recorded this in it";
      if (!wanted(finding, file, &package)) continue;
      answer_.findings.push_back(std::move(finding));
      told = true;
    }
    if (!told) TRY(add_by_bytes(file));
    return {};
  }

  /// Neither an owner nor a record: its build id, its name and the texts in it.
  Result<void> add_by_bytes(const ScannedFile& file) {
    Finding finding = mapped_finding(file);
    finding.certainty = Certainty::kUnconfirmed;
    if (const LearnedBuild* build = learned(finding.build_id)) {
      const Package package{.type = inventory::PackageType::kDeb,
                            .name = build->package,
                            .version = build->version,
                            .source = build->source,
                            .source_version = build->source_version};
      const Subjected subject = subjected(package, root_.system);
      describe(finding, package, subject);
      finding.concerns = TRY(context_.matcher.concerns(subject));
      finding.why = "no package owns the file; its build id is that of " + build->package + " " +
                    build->version;
      if (wanted(finding, file, &package)) answer_.findings.push_back(std::move(finding));
      return {};
    }
    const std::string source = source_of(file);
    const bool by_name = context_.question.subject == Subject::kPackage &&
                         source == context_.question.text && !source.empty();
    finding.source = source;
    if (!file.evidence.openssl_versions.empty() && source == "openssl") {
      finding.version = file.evidence.openssl_versions.front();
    }
    finding.why = source.empty() ? "no package owns the file"
                                 : "no package owns the file; its own bytes name " + source;
    const bool concerned = !source.empty() && context_.matcher.packages().contains(source) &&
                           !fixed_upstream(source, finding.version);
    if (concerned) {
      finding.concerns.push_back({.advisory = context_.question.text, .status = Status::kAffected});
      finding.why += ", and no distribution confirms its version";
    }
    if (concerned || by_name || asked_by_file(file)) answer_.findings.push_back(std::move(finding));
    return {};
  }

  /// The source package that the bytes of an unowned file seem to come from; "" when none.
  [[nodiscard]] std::string source_of(const ScannedFile& file) const {
    if (file.evidence.static_openssl) return "openssl";
    const auto found = context_.sonames.find(file.evidence.identity.soname);
    if (found == context_.sonames.end() || found->second.size() != 1) return {};
    return *found->second.begin();
  }

  [[nodiscard]] bool fixed_upstream(const std::string& source, const std::string& version) const {
    const auto fix = context_.matcher.upstream_fix(source);
    return fix && !version.empty() && compare_versions(Scheme::kDebian, version, *fix) >= 0;
  }

  Result<void> add_on_disk(const Package& package) {
    const Subjected subject = subjected(package, root_.system);
    const bool by_advisory = context_.question.subject == Subject::kAdvisory;
    if (!by_advisory && !asked_by_package(package)) return {};
    Finding finding{.grade = Grade::kOnDiskOwned, .container = root_.container};
    describe(finding, package, subject);
    finding.concerns = TRY(context_.matcher.concerns(subject));
    finding.why = "installed; no running process maps a file of it for execution";
    if (by_advisory && finding.concerns.empty()) return {};
    answer_.findings.push_back(std::move(finding));
    return {};
  }

  const ScannedRoot& root_;
  const std::map<std::string, LearnedBuild>& own_builds_;
  const Context& context_;
  Answer& answer_;
  std::set<std::size_t> mapped_;  ///< Packages with a file that is mapped.
};

}  // namespace

SonameSources soname_sources(const Scan& scan) {
  SonameSources sources;
  for (const ScannedRoot& root : scan.roots) {
    for (const ScannedFile& file : root.files) {
      const std::string& soname = file.evidence.identity.soname;
      if (file.owner < 0 || soname.empty()) continue;
      sources[soname].insert(root.packages[static_cast<std::size_t>(file.owner)].source);
    }
  }
  return sources;
}

Result<void> add_findings(const ScannedRoot& root,
                          const std::map<std::string, LearnedBuild>& own_builds,
                          const Context& context, Answer& answer) {
  return RootFindings(root, own_builds, context, answer).run();
}

}  // namespace coff::exposure
