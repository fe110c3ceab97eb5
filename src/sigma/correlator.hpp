// Correlations at work: matches of rules in, findings of correlation rules out.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "rules/finding.hpp"
#include "rules/rules.hpp"
#include "sigma/correlation.hpp"

namespace coff::sigma {

class Reporter;
struct Loaded;

/// The correlation rules of one loading: immutable, and shared by threads.
class Correlations {
 public:
  /// What a correlation takes from the match of one of its rules.
  struct Input {
    std::uint32_t plan = 0;          ///< The correlation.
    std::uint32_t place = 0;         ///< Of the rule in the correlation's list.
    std::vector<std::string> group;  ///< Fields of ours; "" for one that the rule does not have.
    std::string value;               ///< The condition's field; "" for none.
  };
  struct Plan {
    rules::Rule rule;
    Watch watch;
    std::vector<std::string> group_names;  ///< As the rule writes them.
    std::vector<std::string> rule_names;   ///< Titles of the rules that it waits for.
    std::vector<Input> outputs;            ///< Correlations that wait for this one.
    bool silent = false;                   ///< It only feeds others.
  };

  [[nodiscard]] const std::vector<Plan>& plans() const { return plans_; }
  /// Whether a rule of the set tells no findings because it only feeds correlations.
  [[nodiscard]] bool is_silent(std::uint32_t rule) const {
    return rule < silent_.size() && silent_[rule];
  }

 private:
  friend class Correlator;
  friend class CorrelationPlanner;
  std::vector<Plan> plans_;
  std::vector<std::vector<Input>> inputs_;  ///< By rule of the set.
  std::vector<bool> silent_;
};

/// A correlation that came true.
struct Correlated {
  const rules::Rule* rule = nullptr;  ///< Lives as long as the correlations.
  rules::Finding finding;
  std::string group;           ///< Equal for equal values of group-by.
  std::optional<Event> event;  ///< The last match's, when the window ended without an event.
};

/// Remembers matches. Belongs to one thread.
class Correlator {
 public:
  explicit Correlator(std::shared_ptr<const Correlations> correlations);

  /// Tells the correlations which rules of the set matched an event; what came true is appended.
  void ask(const schema::Subject& subject, std::span<const std::uint32_t> matched,
           std::vector<Correlated>& out);
  /// Judges windows that ended at this time; to be called now and then, as events may stay away.
  void pass(std::uint64_t boot_ns, std::vector<Correlated>& out);

  [[nodiscard]] const Correlations& correlations() const { return *correlations_; }
  [[nodiscard]] const MemoryCounters& counters() const { return memory_.counters(); }

 private:
  void feed(const schema::Subject& subject, const Correlations::Input& input, unsigned depth,
            std::vector<Correlated>& out);
  [[nodiscard]] Correlated describe(const Firing& firing, std::int64_t wall_ns) const;

  std::shared_ptr<const Correlations> correlations_;
  Memory memory_;
  std::unordered_map<std::string, Event>
      last_;  ///< By correlation and group, of windows with an end.
};

/// Makes the correlations of what was read; those with errors are left out, those that the options
/// turn off stay silent. Adds their statuses.
std::shared_ptr<const Correlations> correlate(const Documents& documents,
                                              const std::vector<Reporter*>& reporters,
                                              const rules::LoadOptions& options,
                                              const rules::RuleSet& set, Loaded& loaded);

}  // namespace coff::sigma
