// Correlation rules as they were read made into plans over the rules that were compiled.
#include <algorithm>
#include <functional>

#include "sigma/correlator.hpp"
#include "sigma/problem.hpp"
#include "sigma/sigma.hpp"
#include "sigma/translate.hpp"

namespace coff::sigma {

/// Makes plans: finds the rules that correlations name, and what their fields mean.
class CorrelationPlanner {
 public:
  CorrelationPlanner(const Documents& documents, const std::vector<Reporter*>& reporters,
                     const rules::LoadOptions& options, const rules::RuleSet& set, Loaded& loaded)
      : options_(options),
        documents_(documents),
        reporters_(reporters),
        set_(set.rules()),
        loaded_(loaded) {
    rule_of_ = by_name(documents.rules);
    correlation_of_ = by_name(documents.correlations);
    for (size_t at = 0; at < set_.size(); ++at) {
      if (set_[at]->provenance.language != "sigma") continue;
      compiled_of_.emplace(place_key(set_[at]->file, set_[at]->line), at);
    }
  }

  std::shared_ptr<const Correlations> run() {
    out_->inputs_.resize(set_.size());
    out_->silent_.resize(set_.size(), false);
    const size_t count = documents_.correlations.size();
    usable_.assign(count, true);
    // One that names a broken one is broken too: until nothing changes.
    for (bool changed = true; changed;) {
      changed = false;
      for (size_t at = 0; at < count; ++at) {
        if (!usable_[at] || names_are_known(at)) continue;
        usable_[at] = false;
        changed = true;
      }
    }
    refuse_loops();
    plan_of_.assign(count, 0);
    for (size_t at = 0; at < count; ++at) {
      if (!usable_[at]) continue;
      plan_of_[at] = static_cast<std::uint32_t>(out_->plans_.size());
      out_->plans_.push_back(plan(documents_.correlations[at]));
    }
    for (size_t at = 0; at < count; ++at) {
      if (usable_[at]) connect(at);
    }
    select_silent();
    return std::move(out_);
  }

 private:
  const CorrelationRule& rule(size_t at) const { return documents_.correlations[at]; }

  // What may be called by its id or its name; of equal ones the first.
  template <typename Rules>
  static std::unordered_map<std::string, size_t> by_name(const Rules& rules) {
    std::unordered_map<std::string, size_t> places;
    for (size_t at = 0; at < rules.size(); ++at) {
      for (const std::string* name : {&rules[at].provenance.id, &rules[at].name}) {
        if (!name->empty()) places.emplace(*name, at);
      }
    }
    return places;
  }
  static std::optional<size_t> find(const std::unordered_map<std::string, size_t>& places,
                                    const std::string& name) {
    const auto found = places.find(name);
    return found == places.end() ? std::nullopt : std::optional(found->second);
  }
  [[nodiscard]] std::optional<size_t> find_rule(const std::string& name) const {
    return find(rule_of_, name);
  }
  [[nodiscard]] std::optional<size_t> find_correlation(const std::string& name) const {
    return find(correlation_of_, name);
  }
  static std::string place_key(const std::string& file, size_t line) {
    return file + ':' + std::to_string(line);
  }
  // The place of a rule that was compiled.
  [[nodiscard]] std::optional<std::uint32_t> compiled(const DetectionRule& wanted) const {
    const auto place = find(compiled_of_, place_key(wanted.file, wanted.where.line));
    return place ? std::optional(static_cast<std::uint32_t>(*place)) : std::nullopt;
  }

  bool refuse(size_t at, std::string message, Where where) {
    reporters_[at]->error("SIGMA_CORRELATION", std::move(message), where,
                          "rule '" + rule(at).title + "'");
    return false;
  }

  bool names_are_known(size_t at) {
    for (const Scalar& name : rule(at).rules) {
      const std::string shown = "'" + name.text.substr(0, 128) + "'";
      if (const auto other = find_correlation(name.text)) {
        if (usable_[*other]) continue;
        return refuse(at, "the correlation " + shown + " is not loaded", name.where);
      }
      const auto found = find_rule(name.text);
      if (!found) return refuse(at, "there is no rule " + shown, name.where);
      if (!compiled(documents_.rules[*found])) {
        return refuse(at, "the rule " + shown + " is not loaded", name.where);
      }
    }
    return true;
  }

  void refuse_loops() {
    enum class Mark : unsigned char { kNew, kOpen, kDone };
    std::vector<Mark> marks(documents_.correlations.size(), Mark::kNew);
    constexpr unsigned kChainMax = 8;
    const std::function<bool(size_t, unsigned)> visit = [&](size_t at, unsigned depth) {
      if (marks[at] == Mark::kDone || !usable_[at]) return bool{usable_[at]};
      bool good = marks[at] == Mark::kNew && depth <= kChainMax;
      marks[at] = Mark::kOpen;
      for (const Scalar& name : rule(at).rules) {
        const auto other = find_correlation(name.text);
        if (good && other) good = visit(*other, depth + 1);
      }
      marks[at] = Mark::kDone;
      if (!good && usable_[at]) {
        usable_[at] = false;
        refuse(at, "correlations that wait for each other, or stand above 8 others",
               rule(at).where);
      }
      return good;
    };
    for (size_t at = 0; at < marks.size(); ++at) visit(at, 0);
  }

  [[nodiscard]] Correlations::Plan plan(const CorrelationRule& from) const {
    Correlations::Plan made;
    made.rule.name = from.title;
    made.rule.description = from.description;
    made.rule.condition = "correlation " + std::string(correlation_name(from.type));
    made.rule.priority = from.priority;
    made.rule.tags = {from.tags.begin(), from.tags.end()};
    made.rule.file = from.file;
    made.rule.line = from.where.line;
    made.rule.provenance = from.provenance;
    rules::apply_selections(options_, made.rule);
    made.watch = {.type = from.type,
                  .rules = from.rules.size(),
                  .timespan_ns = from.timespan_ns,
                  .conditions = from.conditions,
                  .percentile = from.percentile};
    for (const Scalar& field : from.group_by) made.group_names.push_back(field.text);
    return made;
  }

  // What a field of the correlation is of a match of that rule; "" when it has none.
  std::string field_of(const CorrelationRule& of, const std::string& field, const Scalar& named,
                       const DetectionRule& from) {
    std::string wanted = field;
    if (const auto alias = of.aliases.find(field); alias != of.aliases.end()) {
      for (const std::string& name : {named.text, from.provenance.id, from.name}) {
        const auto known = alias->second.find(name);
        if (known != alias->second.end()) wanted = known->second;
      }
    }
    for (const View& view : views_of(from.source, syscalls_of(from))) {
      if (const auto meaning = view.meaning(wanted)) return meaning->names.front();
    }
    return {};
  }

  // The first detection rule below a correlation: its fields are those of its matches.
  const DetectionRule* first_rule(size_t at) const {
    const std::string& name = rule(at).rules.front().text;
    if (const auto other = find_correlation(name)) return first_rule(*other);
    return &documents_.rules[*find_rule(name)];
  }

  void connect(size_t at) {
    const CorrelationRule& of = rule(at);
    RuleStatus status{.title = of.title,
                      .id = of.provenance.id,
                      .log_source = "correlation",
                      .file = of.file,
                      .line = of.where.line,
                      .notes = {}};
    for (std::uint32_t place = 0; place < of.rules.size(); ++place) {
      const Scalar& named = of.rules[place];
      const auto other = find_correlation(named.text);
      const DetectionRule& from =
          other ? *first_rule(*other) : documents_.rules[*find_rule(named.text)];
      Correlations::Input input{.plan = plan_of_[at], .place = place, .group = {}, .value = {}};
      for (const Scalar& field : of.group_by) {
        input.group.push_back(field_of(of, field.text, named, from));
        if (input.group.back().empty()) note(at, status, field.text, from.title);
      }
      if (!of.field.empty()) {
        input.value = field_of(of, of.field, named, from);
        if (input.value.empty()) note(at, status, of.field, from.title);
      }
      auto& inputs =
          other ? out_->plans_[plan_of_[*other]].outputs : out_->inputs_[*compiled(from)];
      out_->plans_[plan_of_[at]].rule_names.push_back(other ? rule(*other).title : from.title);
      inputs.push_back(std::move(input));
    }
    loaded_.statuses.push_back(std::move(status));
  }

  void note(size_t at, RuleStatus& status, const std::string& field, const std::string& title) {
    std::string text =
        "the field '" + field.substr(0, 128) + "' has no value in matches of '" + title + "'";
    reporters_[at]->warn("SIGMA_NOT_HERE", text, rule(at).where, "rule '" + rule(at).title + "'");
    status.notes.push_back(std::move(text));
  }

  // A rule that some correlation lets speak speaks.
  void select_silent() {
    for (size_t at = 0; at < usable_.size(); ++at) {
      for (const Scalar& name : rule(at).rules) {
        if (!usable_[at] || !out_->plans_[plan_of_[at]].rule.enabled) break;
        const auto other = find_correlation(name.text);
        if (other) out_->plans_[plan_of_[*other]].silent = !rule(at).generate;
        else out_->silent_[*compiled(documents_.rules[*find_rule(name.text)])] = true;
      }
    }
    for (size_t at = 0; at < usable_.size(); ++at) {
      if (!usable_[at] || !rule(at).generate) continue;
      for (const Scalar& name : rule(at).rules) {
        const auto other = find_correlation(name.text);
        if (other) out_->plans_[plan_of_[*other]].silent = false;
        else out_->silent_[*compiled(documents_.rules[*find_rule(name.text)])] = false;
      }
    }
  }

  const rules::LoadOptions& options_;
  const Documents& documents_;
  const std::vector<Reporter*>& reporters_;
  std::vector<const rules::Rule*> set_;
  Loaded& loaded_;
  std::unordered_map<std::string, size_t> rule_of_;
  std::unordered_map<std::string, size_t> correlation_of_;
  std::unordered_map<std::string, size_t> compiled_of_;
  std::vector<bool> usable_;
  std::vector<std::uint32_t> plan_of_;
  std::shared_ptr<Correlations> out_ = std::make_shared<Correlations>();
};

std::shared_ptr<const Correlations> correlate(const Documents& documents,
                                              const std::vector<Reporter*>& reporters,
                                              const rules::LoadOptions& options,
                                              const rules::RuleSet& set, Loaded& loaded) {
  return CorrelationPlanner(documents, reporters, options, set, loaded).run();
}

}  // namespace coff::sigma
