// The room's face: Sigma files are loaded beside rule files in Falco's language into one rule set.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "rules/rules.hpp"

namespace coff::sigma {

class Correlations;

struct Options {
  /// What |expand puts in for "%name%": texts that may hold wildcards.
  std::map<std::string, std::vector<std::string>, std::less<>> placeholders;
};

/// What became of a rule that was read.
enum class State : unsigned char {
  kRuns,
  kBlind,        ///< It is loaded, and asks only for what is not observed here.
  kNoLogSource,  ///< Its log is not here: it is not loaded.
};
std::string_view state_name(State state);

struct RuleStatus {
  std::string title;
  std::string id;
  std::string log_source;  ///< "linux/auditd", "linux/process_creation", "correlation".
  std::string file;
  size_t line = 1;
  State state = State::kRuns;
  std::vector<std::string> notes;  ///< Sentences: what of it can never be true here.
};

/// "runs           linux/auditd  Title", with its notes on lines of their own; for a terminal.
std::string to_text(const RuleStatus& status);
/// One JSON object.
std::string to_json(const RuleStatus& status);

struct Loaded {
  rules::Loaded rules;               ///< Of both languages, in one set; problems of both.
  std::vector<RuleStatus> statuses;  ///< Of Sigma's rules, in the order of reading.
  std::shared_ptr<const Correlations> correlations;  ///< Never null.
  size_t filters = 0;

  [[nodiscard]] size_t count(State state) const;
  /// "210 Sigma rules: 182 run, 6 ask for what is not observed here, 22 have no log source here";
  /// "" when there are none.
  [[nodiscard]] std::string summary() const;
};

/// Loads files of both languages. A document with an error is left out; the rest loads.
class Loader {
 public:
  explicit Loader(rules::LoadOptions rule_options = {}, Options options = {});
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// For files in Falco's language.
  rules::Loader& rules();
  /// One Sigma file's text, at most rules::Loader::kFileBytesMax. `license` is that of rules that
  /// don't name their own.
  void add(std::string name, std::string text, std::string license = "");
  /// Compiles everything that was added. To be called once.
  Loaded finish();

 private:
  class State;
  std::unique_ptr<State> state_;
};

/// Loads files and folders: of `rule_paths` as rules::load_files, of `sigma_paths` all *.yml and
/// *.yaml below a folder in the order of their paths. Rules without a licence have the one that a
/// file LICENSE* in their folder, or in one above it down from the path that was given or its
/// parent, names in its first line.
Loaded load_files(const std::vector<std::string>& rule_paths,
                  const std::vector<std::string>& sigma_paths, rules::LoadOptions rule_options = {},
                  Options options = {});

}  // namespace coff::sigma
