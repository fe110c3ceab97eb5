// A question about exposure, and the findings that answer it.
#include "exposure/answer.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <tuple>

#include "base/clock.hpp"
#include "exposure/matcher.hpp"
#include "exposure/root_findings.hpp"

namespace coff::exposure {
namespace {

// In the order of their enumerations.
constexpr std::array<std::string_view, 4> kSubjects = {"advisory", "build_id", "library",
                                                       "package"};
constexpr std::array<std::string_view, 4> kGrades = {"mapped_now", "on_disk_owned",
                                                     "on_disk_unowned", "declared"};
constexpr std::array<std::string_view, 3> kCertainties = {"confirmed", "presumed", "unconfirmed"};

constexpr std::size_t kQuestionBytesMax = 512;
constexpr std::size_t kBuildIdDigitsMin = 16;

/// "CVE-2014-0160", "DSA-2896-1", "GHSA-xxxx-…", "ALSA-2024:1234", "RUSTSEC-2020-0001", "GO-…".
bool is_advisory_name(std::string_view text) {
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos || dash < 2 || dash > 8 || dash + 1 >= text.size())
    return false;
  const bool upper =
      std::ranges::all_of(text.substr(0, dash), [](char c) { return c >= 'A' && c <= 'Z'; });
  return upper && text.find('/') == std::string_view::npos;
}

bool is_build_id(std::string_view text) {
  return text.size() >= kBuildIdDigitsMin && text.size() % 2 == 0 &&
         std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
         });
}

void add_remarks(const ScannedRoot& root, const Question& question, const Matcher& matcher,
                 Answer& answer) {
  const std::string who =
      root.container.empty() ? "host" : "container " + root.container.substr(0, 12);
  for (const inventory::Problem& problem : root.problems) {
    answer.remarks.push_back(who + ": " + (problem.file.empty() ? "" : problem.file + ": ") +
                             problem.what);
  }
  if (root.packages.empty()) {
    answer.remarks.push_back(who +
                             ": no package database; its files are judged by their bytes "
                             "alone");
    return;
  }
  if (question.subject != Subject::kAdvisory) return;
  const std::vector<std::string> ecosystems = ecosystems_of(root.system);
  if (matcher.speaks_of(ecosystems)) return;
  const std::string name = root.system.name.empty() ? "its system" : root.system.name;
  answer.remarks.push_back(who + ": no imported feed says anything about " + question.text +
                           " in " + name + ": that its packages are not named here proves nothing");
}

}  // namespace

std::string_view subject_name(Subject subject) {
  return kSubjects[static_cast<std::size_t>(subject)];
}
std::string_view grade_name(Grade grade) { return kGrades[static_cast<std::size_t>(grade)]; }
std::string_view certainty_name(Certainty certainty) {
  return kCertainties[static_cast<std::size_t>(certainty)];
}

Result<Question> question_of(std::string_view text) {
  const bool clean = std::ranges::all_of(text, [](char c) { return c > ' ' && c != 0x7f; });
  if (text.empty() || text.size() > kQuestionBytesMax || !clean) {
    return fail(Code::kInvalid,
                "a question is a CVE or other advisory, a package, a library or a build id");
  }
  Question question{.text = std::string(text)};
  if (is_advisory_name(text)) {
    question.subject = Subject::kAdvisory;
  } else if (is_build_id(text)) {
    question.subject = Subject::kBuildId;
    for (char& c : question.text) c = c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c;
  } else if (text.find(".so") != std::string_view::npos ||
             text.find('/') != std::string_view::npos) {
    question.subject = Subject::kLibrary;
  }
  return question;
}

Result<Answer> answer_question(const Question& question, const Scan& scan, Store& store) {
  Answer answer{.question = question};
  const std::int64_t begun_ns = boot_now_ns();
  Matcher matcher = TRY(Matcher::make(question, store));
  answer.feeds = TRY(store.feeds());
  const SonameSources sonames = soname_sources(scan);
  const auto host_builds = TRY(store.learned(""));
  const Context context{.question = question,
                        .matcher = matcher,
                        .sonames = sonames,
                        .host_builds = host_builds,
                        .booted_ns = wall_now_ns() - boot_now_ns()};
  std::set<std::string> containers;
  for (const ScannedRoot& root : scan.roots) {
    if (!root.container.empty()) containers.insert(root.container);
    answer.files += root.files.size();
    add_remarks(root, question, matcher, answer);
    const auto own_builds =
        root.container.empty() ? host_builds : TRY(store.learned(root.container));
    TRY(add_findings(root, own_builds, context, answer));
  }
  std::ranges::stable_sort(answer.findings, {}, [](const Finding& finding) {
    return std::tie(finding.grade, finding.container, finding.path, finding.package);
  });
  answer.processes = scan.processes;
  answer.unreadable = scan.unreadable;
  answer.containers = containers.size();
  if (scan.truncated)
    answer.remarks.emplace_back("a limit was reached: there is more than was read");
  answer.match_ns = boot_now_ns() - begun_ns;
  return answer;
}

}  // namespace coff::exposure
