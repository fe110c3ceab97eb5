// Rules at work: loading them, asking them about events, telling what repeats once with its number.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agent/trail_writer.hpp"
#include "base/json_writer.hpp"
#include "base/result.hpp"
#include "config/config.hpp"
#include "rules/rules.hpp"
#include "schema/kernel_filter.hpp"
#include "schema/user_names.hpp"
#include "sigma/correlator.hpp"

namespace coff::agent {

/// What became of events and findings, since start.
struct DetectorCounters {
  std::uint64_t asked = 0;       ///< Events that rules were asked about.
  std::uint64_t findings = 0;    ///< Told at once.
  std::uint64_t repeats = 0;     ///< Counted into a finding that was told before.
  std::uint64_t unlimited = 0;   ///< Told at once because too many different ones repeat already.
  std::uint64_t suppressed = 0;  ///< As the configuration says.
  std::uint64_t limited = 0;     ///< More than rules.findings_per_minute of one rule.
};

/// One finding on its way out. `event` is borrowed.
struct Found {
  const rules::Finding& finding;
  const Event& event;
  std::string_view id;  ///< 16 hexadecimal digits: the same for repeats of one finding.
};

/// A finding's entry, one JSON object, and the places in it that the keeper fills.
struct FindingEntry {
  std::string json;
  std::vector<EntryReference> references;
};

/// What became of one rule since the agent's start, reloads included.
struct RuleActivity {
  const rules::Rule* rule = nullptr;
  std::uint64_t evaluated = 0;
  std::uint64_t matched = 0;
  std::uint64_t told = 0;
  std::uint64_t repeats = 0;
  std::uint64_t suppressed = 0;
  std::uint64_t limited = 0;
};

/// Belongs to the thread of the sensor's loop. Not movable.
class Detector {
 public:
  /// Makes the entry of a finding. Only for those that are told.
  using MakeEntry = std::function<FindingEntry(const Found&)>;
  /// Takes a finding's entry, complete.
  using Tell = std::function<void(const FindingEntry& entry)>;
  /// Repeats that are remembered at a time; findings beyond it are all told.
  static constexpr size_t kRepeatsMax = 1024;

  Detector() = default;
  Detector(const Detector&) = delete;
  Detector& operator=(const Detector&) = delete;

  /// Loads the rule files of the settings, those that exist, and uses them. When one has errors and
  /// `keep` is set, the rules that run stay: kInvalid. Otherwise all rules without errors are used.
  /// What was found is in report() either way.
  Result<void> load(const config::RulesSettings& settings, bool keep);
  /// Members of a `rules` entry (docs/formats/event.md) about the last load.
  [[nodiscard]] const std::string& report() const { return report_; }
  [[nodiscard]] bool has_rules() const { return !list_.empty(); }
  /// What the last load complained of, for the log.
  [[nodiscard]] const std::vector<rules::Problem>& problems() const { return problems_; }

  /// Clauses of what the loaded rules need from the kernel.
  [[nodiscard]] const std::vector<FilterClause>& kernel_clauses() const { return clauses_; }
  /// Whether some rule may hold for events of this kind.
  [[nodiscard]] bool wants(Kind kind) const { return wanted_[static_cast<size_t>(kind)]; }

  /// Asks the rules; each finding is told, or counted as a repeat.
  void ask(const Event& event, const schema::UserNames& names, const MakeEntry& make,
           const Tell& tell);
  /// Tells what correlations find when time passes without events.
  void tell_correlated(const MakeEntry& make, const Tell& tell);
  /// Tells again, with their number, findings that repeated and whose time is over.
  void tell_repeats(const Tell& tell);

  void write_counters(JsonWriter& json) const;
  [[nodiscard]] const DetectorCounters& counters() const { return counters_; }
  /// Of every rule that is loaded, in the order of loading.
  [[nodiscard]] std::vector<RuleActivity> activity() const;

 private:
  struct Repeat {
    std::uint64_t until_boot_ns = 0;
    std::uint64_t count = 0;
    std::int64_t last_wall_ns = 0;
    FindingEntry entry;  ///< As told first.
  };
  /// One rule's past, by its name, so that a reload keeps it.
  struct Tally {
    RuleActivity sums;                ///< `rule` unused; counts of evaluators before this one.
    std::uint64_t until_boot_ns = 0;  ///< The minute in which told_now and limited count.
    std::uint64_t told_now = 0;
    Repeat limited;
  };

  void find_wanted(bool push_down);
  void keep_counts();
  [[nodiscard]] bool is_suppressed(const rules::Rule& rule, const Event& event) const;
  bool is_over_limit(Tally& tally, const Event& event, std::uint64_t now);
  void found_one(const rules::Rule& rule, Tally& tally, const std::string& id, const Event& event,
                 const std::function<rules::Finding()>& finding, const MakeEntry& make,
                 const Tell& tell);
  void found_correlated(const Event* event, const MakeEntry& make, const Tell& tell);

  std::shared_ptr<const rules::RuleSet> rules_;
  std::vector<const rules::Rule*> list_;  ///< Of rules_, by the numbers that evaluator_ gives.
  std::unique_ptr<rules::Evaluator> evaluator_;
  std::unique_ptr<sigma::Correlator> correlator_;
  std::vector<sigma::Correlated> correlated_;  ///< Of the event that is asked about.
  std::vector<FilterClause> clauses_;
  std::vector<bool> wanted_ = std::vector<bool>(static_cast<size_t>(kLastKind) + 1);
  std::uint64_t window_ns_ = 0;
  std::uint64_t per_minute_ = 0;
  std::vector<config::Suppression> suppressions_;
  std::map<std::string, Tally> tallies_;
  std::vector<Tally*> tally_of_;  ///< Of tallies_, by the numbers that evaluator_ gives.
  std::unordered_map<std::string, Repeat> repeats_;  ///< By id.
  std::vector<rules::Problem> problems_;
  std::string report_;
  std::string host_;
  DetectorCounters counters_;
};

}  // namespace coff::agent
