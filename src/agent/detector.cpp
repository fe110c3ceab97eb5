// Rules at work: loading them, asking them about events, telling what repeats once with its number.
#include "agent/detector.hpp"

#include <unistd.h>

#include <algorithm>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "rules/push_down.hpp"
#include "rules/text_match.hpp"
#include "schema/constants.hpp"
#include "sigma/sigma.hpp"

namespace coff::agent {

namespace {

constexpr size_t kProblemsTold = 20;
constexpr std::uint64_t kSecondNs = 1'000'000'000;

bool fits(const std::string& pattern, std::string_view text) {
  return pattern.empty() || rules::glob_match(pattern, text, false);
}

// The entry as it was told, and at its end how many came after it, and when the last one did.
FindingEntry with_count(const FindingEntry& told, std::string_view name, std::uint64_t count,
                        std::int64_t last_wall_ns) {
  FindingEntry entry = told;
  entry.json.pop_back();
  entry.json.append(",\"").append(name).append("\":").append(std::to_string(count));
  entry.json += ",\"last\":\"";
  append_time(entry.json, last_wall_ns);
  entry.json += "\"}";
  return entry;
}

rules::LoadOptions load_options(const config::RulesSettings& settings) {
  rules::LoadOptions options;
  for (const auto& tag : settings.disable_tags) options.selections.push_back({"", tag, false});
  for (const auto& tag : settings.enable_tags) options.selections.push_back({"", tag, true});
  for (const auto& name : settings.disable) options.selections.push_back({name, "", false});
  for (const auto& name : settings.enable) options.selections.push_back({name, "", true});
  options.priority_max = rules::parse_priority(settings.priority).value_or(options.priority_max);
  return options;
}

sigma::Options sigma_options(const config::RulesSettings& settings) {
  sigma::Options options;
  for (const std::string& text : settings.sigma_placeholders) {
    const size_t equal = std::min(text.find('='), text.size());
    options.placeholders[text.substr(0, equal)].push_back(
        equal < text.size() ? text.substr(equal + 1) : "");
  }
  return options;
}

std::string report_of(const std::vector<std::string>& files, const sigma::Loaded& all_loaded,
                      bool used) {
  const rules::Loaded& loaded = all_loaded.rules;
  std::string members;
  JsonWriter json(members);
  const auto all = loaded.rules->rules();
  const auto enabled =
      std::count_if(all.begin(), all.end(), [](const rules::Rule* rule) { return rule->enabled; });
  const auto errors =
      std::count_if(loaded.problems.begin(), loaded.problems.end(),
                    [](const auto& p) { return p.severity == rules::Problem::Severity::kError; });
  json.begin_object().key("files").begin_array();
  for (const auto& file : files) json.string(file);
  json.end_array()
      .member("used", used)
      .member("rules", all.size())
      .member("enabled", static_cast<std::uint64_t>(enabled))
      .member("errors", static_cast<std::uint64_t>(errors))
      .member("warnings", loaded.problems.size() - static_cast<size_t>(errors))
      .key("sigma")
      .begin_object()
      .member("rules", all_loaded.statuses.size())
      .member("run", all_loaded.count(sigma::State::kRuns))
      .member("blind", all_loaded.count(sigma::State::kBlind))
      .member("no_log_source", all_loaded.count(sigma::State::kNoLogSource))
      .member("correlations", all_loaded.correlations->plans().size())
      .member("filters", all_loaded.filters)
      .end_object()
      .key("problems")
      .begin_array();
  for (size_t at = 0; at < std::min(loaded.problems.size(), kProblemsTold); ++at) {
    json.raw(rules::to_json(loaded.problems[at]));
  }
  json.end_array().end_object();
  return members.substr(1, members.size() - 2);
}

// A correlation repeats when it holds for the same group in the same container.
std::string id_of(const sigma::Correlated& correlated, const Event& event) {
  const Hash hash = sha256({"correlation", std::string_view("\0", 1), correlated.rule->name,
                            std::string_view("\0", 1),
                            event.container == nullptr ? std::string_view() : event.container->id,
                            std::string_view("\0", 1), correlated.group});
  return to_hex(std::span(hash).first(8));
}

// One finding repeats when the same rule holds for the same program in the same container.
std::string id_of(const rules::Rule& rule, const Event& event) {
  const Process* process = event.process.get();
  const Program* program = process == nullptr ? nullptr : process->program.get();
  const Hash hash =
      sha256({rule.name, std::string_view("\0", 1),
              event.container == nullptr ? std::string_view() : event.container->id,
              std::string_view("\0", 1),
              program == nullptr ? std::string_view() : std::string_view(program->exe),
              std::string_view("\0", 1), process == nullptr ? std::string_view() : process->name});
  return to_hex(std::span(hash).first(8));
}

}  // namespace

Result<void> Detector::load(const config::RulesSettings& settings, bool keep) {
  std::vector<std::string> files = settings.existing_files();
  const std::vector<std::string> sigma_files = settings.existing_sigma_files();
  sigma::Loaded all_loaded =
      sigma::load_files(files, sigma_files, load_options(settings), sigma_options(settings));
  rules::Loaded& loaded = all_loaded.rules;
  files.insert(files.end(), sigma_files.begin(), sigma_files.end());
  problems_ = loaded.problems;
  const bool used = loaded.ok() || !keep || rules_ == nullptr;
  report_ = report_of(files, all_loaded, used);
  if (!used) return fail(Code::kInvalid, "the rule files have errors; the rules that run stay");
  keep_counts();
  window_ns_ = settings.repeat_seconds * kSecondNs;
  per_minute_ = settings.findings_per_minute;
  suppressions_ = settings.suppress;
  rules_ = std::move(loaded.rules);
  list_ = rules_->rules();
  tally_of_.clear();
  for (const rules::Rule* rule : list_) tally_of_.push_back(&tallies_[rule->name]);
  evaluator_ = std::make_unique<rules::Evaluator>(rules_, settings.matching == "first"
                                                              ? rules::Evaluator::Matching::kFirst
                                                              : rules::Evaluator::Matching::kAll);
  correlator_ = std::make_unique<sigma::Correlator>(all_loaded.correlations);
  std::string name(256, '\0');
  if (::gethostname(name.data(), name.size() - 1) == 0) host_ = name.c_str();
  find_wanted(settings.push_down == "on");
  return {};
}

// The evaluator is about to go, and its counts with it. Rules that no file has any more are
// forgotten, so that reloading other files again and again cannot fill the memory.
void Detector::keep_counts() {
  if (evaluator_ == nullptr) return;
  std::map<std::string, Tally> kept;
  for (const rules::RuleCount& count : evaluator_->counts()) {
    auto node = tallies_.extract(count.rule->name);
    if (node.empty()) continue;
    node.mapped().sums.evaluated += count.evaluated;
    node.mapped().sums.matched += count.matched;
    kept.insert(std::move(node));
  }
  tallies_ = std::move(kept);
}

// Kernel events by what the rules need of the kernel; events of engines by their names.
void Detector::find_wanted(bool push_down) {
  clauses_ = rules::kernel_filter(*rules_).clauses;
  std::fill(wanted_.begin(), wanted_.end(), false);
  for (FilterClause& clause : clauses_) {
    clause.reason = "rules: " + clause.reason;
    for (const unsigned kind : clause.kinds) wanted_[kind] = true;
  }
  if (!push_down) {
    FilterClause everything{.reason = "rules: all that they could look at", .kinds = {}};
    for (unsigned kind = 0; kind < COFF_KINDS; ++kind) {
      if (wanted_[kind]) everything.kinds.push_back(kind);
    }
    clauses_ = {std::move(everything)};
  }
  const auto types = rules_->event_types();
  const auto is_named = [&](std::string_view name) {
    return std::binary_search(types.begin(), types.end(), name);
  };
  for (auto kind = static_cast<size_t>(Kind::container_create); kind < wanted_.size(); ++kind) {
    wanted_[kind] = is_named("container") || is_named(schema::kind_name(static_cast<Kind>(kind)));
  }
}

void Detector::ask(const Event& event, const schema::UserNames& names, const MakeEntry& make,
                   const Tell& tell) {
  if (evaluator_ == nullptr) return;
  ++counters_.asked;
  const schema::Subject subject{
      .event = event, .names = &names, .number = counters_.asked, .host = host_};
  const auto matched = evaluator_->matches(subject);
  for (const std::uint32_t rule : matched) {
    if (correlator_->correlations().is_silent(rule)) continue;
    found_one(
        *list_[rule], *tally_of_[rule], id_of(*list_[rule], event), event,
        [&] { return evaluator_->finding(rule); }, make, tell);
  }
  if (correlator_->correlations().plans().empty()) return;
  correlator_->ask(subject, matched, correlated_);
  found_correlated(&event, make, tell);
}

void Detector::tell_correlated(const MakeEntry& make, const Tell& tell) {
  if (correlator_ == nullptr || correlator_->correlations().plans().empty()) return;
  correlator_->pass(static_cast<std::uint64_t>(boot_now_ns()), correlated_);
  found_correlated(nullptr, make, tell);
}

void Detector::found_correlated(const Event* event, const MakeEntry& make, const Tell& tell) {
  for (const sigma::Correlated& each : correlated_) {
    const Event& last = each.event ? *each.event : *event;
    found_one(
        *each.rule, tallies_[each.rule->name], id_of(each, last), last,
        [&] { return each.finding; }, make, tell);
  }
  correlated_.clear();
}

bool Detector::is_suppressed(const rules::Rule& rule, const Event& event) const {
  const Container* container = event.container.get();
  const Program* program = event.process == nullptr ? nullptr : event.process->program.get();
  return std::ranges::any_of(suppressions_, [&](const config::Suppression& each) {
    return fits(each.rule, rule.name) &&
           fits(each.container, container == nullptr ? std::string_view() : container->name) &&
           fits(each.image, container == nullptr ? std::string_view() : container->image) &&
           fits(each.program, program == nullptr ? std::string_view() : program->exe);
  });
}

bool Detector::is_over_limit(Tally& tally, const Event& event, std::uint64_t now) {
  if (per_minute_ == 0) return false;
  // What was counted in the minute before is told by tell_repeats(), which begins the next.
  if (now >= tally.until_boot_ns && tally.limited.count == 0) {
    tally.until_boot_ns = now + 60 * kSecondNs;
    tally.told_now = 0;
  }
  if (tally.told_now < per_minute_) return false;
  ++tally.limited.count;
  tally.limited.last_wall_ns = event.wall_ns;
  return true;
}

void Detector::found_one(const rules::Rule& rule, Tally& tally, const std::string& id,
                         const Event& event, const std::function<rules::Finding()>& finding,
                         const MakeEntry& make, const Tell& tell) {
  if (is_suppressed(rule, event)) {
    ++counters_.suppressed;
    ++tally.sums.suppressed;
    return;
  }
  const auto known = repeats_.find(id);
  if (known != repeats_.end()) {
    ++known->second.count;
    known->second.last_wall_ns = event.wall_ns;
    ++counters_.repeats;
    ++tally.sums.repeats;
    return;
  }
  const auto now = static_cast<std::uint64_t>(boot_now_ns());
  if (is_over_limit(tally, event, now)) {
    ++counters_.limited;
    ++tally.sums.limited;
    return;
  }
  ++counters_.findings;
  ++tally.sums.told;
  ++tally.told_now;
  const rules::Finding made = finding();
  FindingEntry entry = make({made, event, id});
  tell(entry);
  if (per_minute_ != 0 && tally.told_now == per_minute_) tally.limited.entry = entry;
  if (window_ns_ == 0) return;
  if (repeats_.size() >= kRepeatsMax) {
    ++counters_.unlimited;
    return;
  }
  repeats_.emplace(id, Repeat{.until_boot_ns = now + window_ns_, .entry = std::move(entry)});
}

void Detector::tell_repeats(const Tell& tell) {
  const auto now = static_cast<std::uint64_t>(boot_now_ns());
  for (auto at = repeats_.begin(); at != repeats_.end();) {
    const Repeat& repeat = at->second;
    if (repeat.until_boot_ns > now) {
      ++at;
      continue;
    }
    if (repeat.count > 0) {
      tell(with_count(repeat.entry, "repeats", repeat.count, repeat.last_wall_ns));
    }
    at = repeats_.erase(at);
  }
  for (auto& [name, tally] : tallies_) {
    if (tally.limited.count == 0 || tally.until_boot_ns > now) continue;
    tell(with_count(tally.limited.entry, "limited", tally.limited.count,
                    tally.limited.last_wall_ns));
    tally.limited = Repeat{};
  }
}

void Detector::write_counters(JsonWriter& json) const {
  json.key("rules")
      .begin_object()
      .member("loaded", rules_ == nullptr ? std::uint64_t{0} : rules_->rules().size())
      .member("asked", counters_.asked)
      .member("findings", counters_.findings)
      .member("repeats", counters_.repeats)
      .member("unlimited", counters_.unlimited)
      .member("suppressed", counters_.suppressed)
      .member("limited", counters_.limited);
  const sigma::MemoryCounters forgotten =
      correlator_ == nullptr ? sigma::MemoryCounters{} : correlator_->counters();
  json.key("correlation")
      .begin_object()
      .member("matches_forgotten", forgotten.entries_evicted)
      .member("groups_forgotten", forgotten.groups_evicted)
      .member("late", forgotten.late)
      .end_object()
      .end_object();
}

std::vector<RuleActivity> Detector::activity() const {
  std::vector<RuleActivity> all;
  if (evaluator_ == nullptr) return all;
  const std::vector<rules::RuleCount> counts = evaluator_->counts();
  for (size_t at = 0; at < list_.size(); ++at) {
    RuleActivity& each = all.emplace_back(tally_of_[at]->sums);
    each.rule = list_[at];
    each.evaluated += counts[at].evaluated;
    each.matched += counts[at].matched;
  }
  return all;
}

}  // namespace coff::agent
