// Rules at work: loading them, asking them about events, telling what repeats once with its number.
#include "agent/detector.hpp"

#include <unistd.h>

#include <algorithm>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "rules/push_down.hpp"
#include "schema/constants.hpp"

namespace coff::agent {

namespace {

constexpr size_t kProblemsTold = 20;

rules::LoadOptions load_options(const config::RulesSettings& settings) {
  rules::LoadOptions options;
  for (const auto& name : settings.disable) options.selections.push_back({name, "", false});
  for (const auto& tag : settings.disable_tags) options.selections.push_back({"", tag, false});
  options.priority_max = rules::parse_priority(settings.priority).value_or(options.priority_max);
  return options;
}

std::string report_of(const std::vector<std::string>& files, const rules::Loaded& loaded,
                      bool used) {
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
      .key("problems")
      .begin_array();
  for (size_t at = 0; at < std::min(loaded.problems.size(), kProblemsTold); ++at) {
    json.raw(rules::to_json(loaded.problems[at]));
  }
  json.end_array().end_object();
  return members.substr(1, members.size() - 2);
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
  constexpr std::uint64_t kSecondNs = 1'000'000'000;
  const std::vector<std::string> files = settings.existing_files();
  rules::Loaded loaded = rules::load_files(files, load_options(settings));
  problems_ = loaded.problems;
  const bool used = loaded.ok() || !keep || rules_ == nullptr;
  report_ = report_of(files, loaded, used);
  if (!used) return fail(Code::kInvalid, "the rule files have errors; the rules that run stay");
  window_ns_ = settings.repeat_seconds * kSecondNs;
  rules_ = std::move(loaded.rules);
  list_ = rules_->rules();
  evaluator_ = std::make_unique<rules::Evaluator>(rules_, settings.matching == "first"
                                                              ? rules::Evaluator::Matching::kFirst
                                                              : rules::Evaluator::Matching::kAll);
  std::string name(256, '\0');
  if (::gethostname(name.data(), name.size() - 1) == 0) host_ = name.c_str();
  find_wanted();
  return {};
}

// Kernel events by what the rules need of the kernel; events of engines by their names.
void Detector::find_wanted() {
  clauses_ = rules::kernel_filter(*rules_).clauses;
  std::fill(wanted_.begin(), wanted_.end(), false);
  for (FilterClause& clause : clauses_) {
    clause.reason = "rules: " + clause.reason;
    for (const unsigned kind : clause.kinds) wanted_[kind] = true;
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
  for (const std::uint32_t rule : evaluator_->matches(subject)) {
    const std::string id = id_of(*list_[rule], event);
    const auto known = repeats_.find(id);
    if (known != repeats_.end()) {
      ++known->second.count;
      known->second.last_wall_ns = event.wall_ns;
      ++counters_.repeats;
      continue;
    }
    ++counters_.findings;
    const rules::Finding finding = evaluator_->finding(rule);
    std::string entry = make({finding, event, id});
    tell(entry);
    if (window_ns_ == 0) continue;
    if (repeats_.size() >= kRepeatsMax) {
      ++counters_.unlimited;
      continue;
    }
    const std::uint64_t now = static_cast<std::uint64_t>(boot_now_ns());
    repeats_.emplace(id, Repeat{.until_boot_ns = now + window_ns_, .entry = std::move(entry)});
  }
}

std::string Detector::with_repeats(const Repeat& repeat) {
  std::string entry = repeat.entry;
  entry.pop_back();
  entry += ",\"repeats\":" + std::to_string(repeat.count) + ",\"last\":\"";
  append_time(entry, repeat.last_wall_ns);
  entry += "\"}";
  return entry;
}

void Detector::tell_repeats(const Tell& tell) {
  const auto now = static_cast<std::uint64_t>(boot_now_ns());
  for (auto at = repeats_.begin(); at != repeats_.end();) {
    if (at->second.until_boot_ns > now) {
      ++at;
      continue;
    }
    if (at->second.count > 0) tell(with_repeats(at->second));
    at = repeats_.erase(at);
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
      .end_object();
}

std::vector<rules::RuleCount> Detector::rule_counts() const {
  return evaluator_ == nullptr ? std::vector<rules::RuleCount>() : evaluator_->counts();
}

}  // namespace coff::agent
