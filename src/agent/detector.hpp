// Rules at work: loading them, asking them about events, telling what repeats once with its number.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/json_writer.hpp"
#include "base/result.hpp"
#include "config/config.hpp"
#include "rules/rules.hpp"
#include "schema/kernel_filter.hpp"
#include "schema/user_names.hpp"

namespace coff::agent {

/// What became of events and findings, since start.
struct DetectorCounters {
  std::uint64_t asked = 0;      ///< Events that rules were asked about.
  std::uint64_t findings = 0;   ///< Told at once.
  std::uint64_t repeats = 0;    ///< Counted into a finding that was told before.
  std::uint64_t unlimited = 0;  ///< Told at once because too many different ones repeat already.
};

/// One finding on its way out. `event` is borrowed.
struct Found {
  const rules::Finding& finding;
  const Event& event;
  std::string_view id;  ///< 16 hexadecimal digits: the same for repeats of one finding.
};

/// Belongs to the thread of the sensor's loop. Not movable.
class Detector {
 public:
  /// Makes the entry of a finding: one JSON object. Only for those that are told.
  using MakeEntry = std::function<std::string(const Found&)>;
  /// Takes a finding's entry, complete.
  using Tell = std::function<void(std::string_view entry)>;
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
  /// What the last load complained of, for the log.
  [[nodiscard]] const std::vector<rules::Problem>& problems() const { return problems_; }

  /// Clauses of what the loaded rules need from the kernel.
  [[nodiscard]] const std::vector<FilterClause>& kernel_clauses() const { return clauses_; }
  /// Whether some rule may hold for events of this kind.
  [[nodiscard]] bool wants(Kind kind) const { return wanted_[static_cast<size_t>(kind)]; }

  /// Asks the rules; each finding is told, or counted as a repeat.
  void ask(const Event& event, const schema::UserNames& names, const MakeEntry& make,
           const Tell& tell);
  /// Tells again, with their number, findings that repeated and whose time is over.
  void tell_repeats(const Tell& tell);

  void write_counters(JsonWriter& json) const;
  [[nodiscard]] const DetectorCounters& counters() const { return counters_; }
  [[nodiscard]] std::vector<rules::RuleCount> rule_counts() const;

 private:
  struct Repeat {
    std::uint64_t until_boot_ns = 0;
    std::uint64_t count = 0;
    std::int64_t last_wall_ns = 0;
    std::string entry;  ///< As told first.
  };

  void find_wanted();
  static std::string with_repeats(const Repeat& repeat);

  std::shared_ptr<const rules::RuleSet> rules_;
  std::vector<const rules::Rule*> list_;  ///< Of rules_, by the numbers that evaluator_ gives.
  std::unique_ptr<rules::Evaluator> evaluator_;
  std::vector<FilterClause> clauses_;
  std::vector<bool> wanted_ = std::vector<bool>(static_cast<size_t>(kLastKind) + 1);
  std::uint64_t window_ns_ = 0;
  std::unordered_map<std::string, Repeat> repeats_;  ///< By id.
  std::vector<rules::Problem> problems_;
  std::string report_;
  std::string host_;
  DetectorCounters counters_;
};

}  // namespace coff::agent
