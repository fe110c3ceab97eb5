// What a rule is once it was read, and what may be said about reading it.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace coff::rules {

/// Lower is graver.
enum class Priority : unsigned char {
  kEmergency,
  kAlert,
  kCritical,
  kError,
  kWarning,
  kNotice,
  kInformational,
  kDebug,
};
/// "Critical", "Informational", …
std::string_view priority_name(Priority priority);
/// Any case; "info" means informational.
std::optional<Priority> parse_priority(std::string_view name);

/// Whose rule it is: what its licence may demand of every message about a match. Empty texts and
/// lists: the rule file does not say.
struct Provenance {
  std::string language = "falco";  ///< "falco" or "sigma".
  std::string id;                  ///< As the author gave it, a UUID for Sigma.
  std::string author;
  std::string license;
  std::string level;   ///< In the author's own word, e.g. "medium".
  std::string status;  ///< e.g. "stable", "experimental".
  std::vector<std::string> references;
  std::vector<std::string> attack;  ///< Techniques of MITRE ATT&CK, e.g. "T1053.002".
};

struct Rule {
  std::string name;
  std::string description;
  std::string condition;  ///< As written, with its exceptions and without its lists and macros.
  std::string output;     ///< As written; what was appended included.
  std::string source = "syscall";
  Priority priority = Priority::kDebug;
  std::set<std::string> tags;
  bool enabled = true;
  bool capture = false;
  std::uint64_t capture_duration_ms = 0;  ///< 0: the default.
  std::vector<std::string> exceptions;    ///< Names.
  std::string file;
  size_t line = 1;
  Provenance provenance;
};

/// Something to tell about a rule file. Errors cost the item that they name, never the others.
struct Problem {
  enum class Severity : unsigned char { kWarning, kError };
  Severity severity = Severity::kError;
  std::string_view code;  ///< As in Falco, e.g. "LOAD_UNKNOWN_KEY". Static text.
  std::string message;
  std::string file;
  size_t line = 1;      ///< From 1.
  size_t column = 1;    ///< From 1, in bytes.
  std::string context;  ///< e.g. "rule 'Read x', condition"; "" for the file itself.
  std::string snippet;  ///< The line and a caret below it; "" where there is none.
};
std::string to_text(const Problem& problem);
/// One JSON object.
std::string to_json(const Problem& problem);

/// The version of the rule language that this engine speaks, as Falco counts it.
inline constexpr std::uint32_t kEngineVersionMinor = 63;

}  // namespace coff::rules
