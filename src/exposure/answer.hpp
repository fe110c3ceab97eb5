// A question about exposure, and the findings that answer it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "exposure/scan.hpp"
#include "exposure/store.hpp"

namespace coff::exposure {

/// What a question is about.
enum class Subject : unsigned char { kAdvisory, kBuildId, kLibrary, kPackage };
std::string_view subject_name(Subject subject);

struct Question {
  Subject subject = Subject::kPackage;
  std::string text;
};
/// Tells the subject from the text: a name like "CVE-2014-0160", "DSA-…", "GHSA-…" is an advisory;
/// at least 16 hexadecimal digits are a build id; what has ".so" or a slash in it is a library;
/// everything else is a package. kInvalid: empty, too long or with control characters.
Result<Question> question_of(std::string_view text);

/// How close the bytes are to running; never mixed.
enum class Grade : unsigned char { kMappedNow, kOnDiskOwned, kOnDiskUnowned, kDeclared };
std::string_view grade_name(Grade grade);

/// How sure the version is.
enum class Certainty : unsigned char {
  kConfirmed,    ///< A package database or a learned build id says so.
  kPresumed,     ///< A deleted file whose build id was never seen on disk.
  kUnconfirmed,  ///< Nobody owns the file: its own bytes say so, and no distribution.
};
std::string_view certainty_name(Certainty certainty);

/// One advisory that concerns a finding.
struct Concern {
  std::string advisory;
  std::string feed;
  Status status = Status::kAffected;
  std::string fixed;      ///< Version that fixes it; "" when there is none yet.
  std::string available;  ///< Newest version in any suite.
  std::string severity;
  std::string note;
  Threat threat;
};

struct FindingProcess {
  pid_t pid = 0;
  std::int64_t started_ns = 0;  ///< Wall clock.
  uid_t user = 0;
  std::string name;
};

struct Finding {
  Grade grade = Grade::kMappedNow;
  Certainty certainty = Certainty::kConfirmed;
  std::string container;       ///< Full id; "" for the host.
  std::string container_name;  ///< Where an engine told it; likewise the image.
  std::string image;
  std::string package;  ///< Binary package; "" when nobody owns the file.
  std::string version;  ///< Of the mapped bytes, or of the package on disk; "" is not known.
  std::string on_disk_version;  ///< Of the file that has the name now, where that is another.
  std::string source;
  std::string ecosystem;
  std::string path;  ///< Mapped file; "" when none of the package is mapped.
  bool deleted = false;
  std::string build_id;
  std::string why;  ///< One sentence: how this is known.
  std::vector<Concern> concerns;
  std::vector<FindingProcess> processes;
};

struct Answer {
  Question question;
  std::vector<Finding> findings;     ///< By grade, then container and path.
  std::vector<std::string> remarks;  ///< What limits the answer: packages unknown, no feed.
  std::vector<Feed> feeds;
  std::size_t processes = 0;
  std::size_t containers = 0;
  std::size_t files = 0;
  std::size_t unreadable = 0;
  std::int64_t match_ns = 0;
};

/// Answers from a scan and a store. kNotFound: no feed in the store knows the advisory.
Result<Answer> answer_question(const Question& question, const Scan& scan, Store& store);

std::string to_json(const Answer& answer);
/// RFC 4180, one row for each process of each finding, a head first.
std::string to_csv(const Answer& answer);
/// For a person: lines, printable whatever the container chose as names.
std::string to_text(const Answer& answer);

}  // namespace coff::exposure
