// Loads Sigma files: documents, filters into rules, rules into conditions.
#include <algorithm>
#include <deque>

#include "sigma/correlator.hpp"
#include "sigma/fields.hpp"
#include "sigma/filters.hpp"
#include "sigma/reader.hpp"
#include "sigma/sigma.hpp"
#include "sigma/translate.hpp"

namespace coff::sigma {

namespace {

rules::LoadOptions with_own_fields(rules::LoadOptions options) {
  options.extra_fields.insert(options.extra_fields.end(), own_fields().begin(), own_fields().end());
  return options;
}

// "%" begins a field of an output, and has no other spelling.
std::string plain(std::string text) {
  std::ranges::replace(text, '%', ' ');
  return text;
}

std::string output_of(const DetectionRule& rule) {
  std::string text = plain(rule.title) + " (user=%user.name program=%proc.exepath " +
                     "command=%sigma.CommandLine parent=%proc.pexepath";
  if (rule.source.category.starts_with("file_")) text += " file=%sigma.TargetFilename";
  if (rule.source.category == "network_connection") text += " connection=%fd.name";
  if (rule.source.service == "auditd") text += " call=%evt.type name=%sigma.name";
  return text + " container=%container.name)";
}

std::string condition_text(const DetectionRule& rule) {
  std::string text;
  for (const Scalar& each : rule.conditions) text += (text.empty() ? "" : " or ") + each.text;
  return text;
}

}  // namespace

class Loader::State {
 public:
  State(rules::LoadOptions rule_options, Options options)
      : rules_(with_own_fields(rule_options)),
        rule_options_(std::move(rule_options)),
        options_(std::move(options)) {}

  rules::Loader& rules() { return rules_; }

  void add(std::string name, std::string text, std::string license) {
    texts_.push_back(std::move(text));
    reporters_.emplace_back(Source{std::move(name), texts_.back()}, problems_);
    Reader(reporters_.back(), std::move(license), documents_).read();
    const auto extend = [&](std::vector<Reporter*>& reporters, size_t count) {
      reporters.resize(count, &reporters_.back());
    };
    extend(of_rule_, documents_.rules.size());
    extend(of_filter_, documents_.filters.size());
    extend(of_correlation_, documents_.correlations.size());
  }

  Loaded finish() {
    Loaded loaded;
    apply_filters(documents_, options_.placeholders, of_filter_);
    for (size_t at = 0; at < documents_.rules.size(); ++at) add_rule(at, loaded);
    loaded.filters = documents_.filters.size();
    loaded.rules = rules_.finish();
    loaded.correlations =
        correlate(documents_, of_correlation_, rule_options_, *loaded.rules.rules, loaded);
    loaded.rules.problems.insert(loaded.rules.problems.end(), problems_.begin(), problems_.end());
    return loaded;
  }

 private:
  void add_rule(size_t at, Loaded& loaded) {
    const DetectionRule& rule = documents_.rules[at];
    Reporter& reporter = *of_rule_[at];
    RuleStatus status{.title = rule.title,
                      .id = rule.provenance.id,
                      .log_source = to_text(rule.source),
                      .file = rule.file,
                      .line = rule.where.line,
                      .notes = {}};
    if (views_of(rule.source, {}).empty()) {
      status.state = sigma::State::kNoLogSource;
      status.notes.push_back("no such log source here: " + status.log_source);
      loaded.statuses.push_back(std::move(status));
      return;
    }
    auto translated = translate(rule, options_.placeholders, at, reporter);
    if (!translated) return;
    if (translated->blind) status.state = sigma::State::kBlind;
    status.notes = std::move(translated->notes);
    for (const std::string& note : status.notes) {
      reporter.warn("SIGMA_NOT_HERE", note, rule.where, "rule '" + rule.title + "'");
    }
    rules::MadeRule& made = translated->made;
    made.rule.name = rule.title;
    made.rule.description = rule.description;
    made.rule.condition = condition_text(rule);
    made.rule.output = output_of(rule);
    made.rule.priority = rule.priority;
    made.rule.tags = {rule.tags.begin(), rule.tags.end()};
    made.rule.enabled =
        rule.provenance.status != "deprecated" && rule.provenance.status != "unsupported";
    made.rule.file = rule.file;
    made.rule.line = rule.where.line;
    made.rule.provenance = rule.provenance;
    made.column = rule.where.column;
    rules_.add(std::move(made));
    loaded.statuses.push_back(std::move(status));
  }

  rules::Loader rules_;
  rules::LoadOptions rule_options_;
  Options options_;
  std::vector<rules::Problem> problems_;
  std::deque<std::string> texts_;
  std::deque<Reporter> reporters_;
  Documents documents_;
  // Whose problems are told where.
  std::vector<Reporter*> of_rule_;
  std::vector<Reporter*> of_filter_;
  std::vector<Reporter*> of_correlation_;
};

Loader::Loader(rules::LoadOptions rule_options, Options options)
    : state_(std::make_unique<State>(std::move(rule_options), std::move(options))) {}
Loader::~Loader() = default;
rules::Loader& Loader::rules() { return state_->rules(); }
void Loader::add(std::string name, std::string text, std::string license) {
  state_->add(std::move(name), std::move(text), std::move(license));
}
Loaded Loader::finish() { return state_->finish(); }

}  // namespace coff::sigma
