// The room's face: rule files are loaded into a rule set, and events are asked against it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "rules/ast.hpp"
#include "rules/finding.hpp"
#include "rules/rule.hpp"
#include "schema/field.hpp"

namespace coff::rules {

class Program;
struct CompiledRule;

/// Turns rules on or off after all files were read; the last that fits a rule decides.
struct Selection {
  std::string rule;  ///< Name, "*" stands for anything; "" fits every name.
  std::string tag;   ///< "" fits every rule.
  bool enable = true;
};

struct LoadOptions {
  std::vector<Selection> selections;
  Priority priority_max = Priority::kDebug;  ///< Rules that are less grave than this are left out.
  std::string append_output;                 ///< Put behind every output, after a blank.
  std::vector<schema::Field> extra_fields;   ///< Fields of the caller beside the schema's.
};

/// Turns a rule on or off as the options say; one that is less grave than the least priority is
/// off.
void apply_selections(const LoadOptions& options, Rule& rule);

/// A rule in another language, translated by its reader. Its parts are conditions that `condition`
/// names as macros; their names must differ from all others of one Loader.
struct MadeRule {
  Rule rule;  ///< Complete but for `enabled`, which selections and the least priority may take.
  Expression condition;
  std::optional<Expression> forwarded;  ///< What the kernel must forward; nothing: `condition`.
  std::vector<std::pair<std::string, Expression>> parts;
  size_t column = 1;  ///< Of the rule in its file, for problems.
};

/// Rules that were loaded: immutable, and shared by threads.
class RuleSet {
 public:
  RuleSet();
  ~RuleSet();
  RuleSet(const RuleSet&) = delete;
  RuleSet& operator=(const RuleSet&) = delete;

  /// Every rule that compiled, in the order of loading, disabled ones too.
  [[nodiscard]] std::vector<const Rule*> rules() const;
  /// Event types with which some enabled rule can be true; sorted.
  [[nodiscard]] std::vector<std::string_view> event_types() const;
  /// The condition of a rule as it is evaluated, lists and macros put in; at most `bytes_max`.
  [[nodiscard]] std::string compiled_text(std::string_view rule, size_t bytes_max) const;

  [[nodiscard]] const Program& program() const { return *program_; }
  [[nodiscard]] const std::vector<CompiledRule>& compiled() const { return compiled_; }

 private:
  friend class Loader;
  std::unique_ptr<Program> program_;
  std::vector<CompiledRule> compiled_;
};

struct Loaded {
  std::shared_ptr<const RuleSet> rules;  ///< What could be compiled; never null.
  std::vector<Problem> problems;
  size_t lists = 0;
  size_t macros = 0;

  /// True when nothing was an error; warnings do not count.
  [[nodiscard]] bool ok() const;
};

/// Loads rule files in order. A file is read up to its first error; a rule with an error is left
/// out; the rest loads. Total work is bounded by kExpandedBytesMax.
class Loader {
 public:
  explicit Loader(LoadOptions options = {});
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// One file's text, at most kFileBytesMax. `name` is for messages.
  void add(std::string name, std::string text);
  /// A translated rule; it stands behind those of all files.
  void add(MadeRule rule);
  /// Compiles everything that was added. To be called once.
  Loaded finish();

  static constexpr size_t kFileBytesMax = size_t{4} << 20;
  static constexpr size_t kExpandedBytesMax = size_t{64} << 20;

 private:
  class State;
  std::unique_ptr<State> state_;
};

/// Adds files and folders to a loader; of a folder the *.yaml and *.yml files in the order of their
/// names. What can't be read is told in `problems`.
void add_files(Loader& loader, const std::vector<std::string>& paths,
               std::vector<Problem>& problems);
/// Loads files and folders; of a folder the *.yaml and *.yml files in the order of their names,
/// without *.test.yaml.
Loaded load_files(const std::vector<std::string>& paths, LoadOptions options = {});

/// How often a rule was asked and held.
struct RuleCount {
  const Rule* rule = nullptr;
  std::uint64_t evaluated = 0;
  std::uint64_t matched = 0;
};

/// Asks events against a rule set. Belongs to one thread; borrows nothing but the event during a
/// call.
class Evaluator {
 public:
  enum class Matching : unsigned char { kAll, kFirst };

  explicit Evaluator(std::shared_ptr<const RuleSet> rules, Matching matching = Matching::kAll);
  ~Evaluator();
  Evaluator(const Evaluator&) = delete;
  Evaluator& operator=(const Evaluator&) = delete;

  /// Rules that hold for the event, by their place in RuleSet::rules(), in the order of loading.
  /// Valid until the next call.
  std::span<const std::uint32_t> matches(const schema::Subject& subject);
  /// The finding of a rule that the last matches() named; the event must still live.
  [[nodiscard]] Finding finding(std::uint32_t rule);

  [[nodiscard]] std::vector<RuleCount> counts() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace coff::rules
