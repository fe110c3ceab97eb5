// Translates detection rules: detections become named parts, conditions name them.
#include "sigma/translate.hpp"

#include <algorithm>
#include <sstream>

#include "schema/constants.hpp"

namespace coff::sigma {

namespace {

using rules::Expression;

// Names of detections in one condition, "1 of x*" counted by what it means.
constexpr size_t kReferencesMax = 100'000;

/// One rule seen through one view.
class RuleTranslator {
 public:
  RuleTranslator(const Job& job, const View& view, Notes& notes, std::string prefix,
                 std::vector<std::pair<std::string, Expression>>& parts)
      : job_(job), items_(job, view, notes), prefix_(std::move(prefix)), parts_(parts) {}

  /// The condition over parts that were named; `forwarded` as for items.
  std::expected<Part, ItemProblem> run(const std::vector<Condition>& conditions, bool forwarded) {
    forwarded_ = forwarded;
    done_.clear();
    std::vector<Part> parts;
    for (const Condition& condition : conditions) parts.push_back(node(condition));
    if (problem_) return std::unexpected(std::move(*problem_));
    return part_chain(false, std::move(parts));
  }

 private:
  Part node(const Condition& condition) {
    using enum Condition::Type;
    if (condition.type == kName) return named(condition.name);
    std::vector<Part> parts;
    if (condition.type == kSome || condition.type == kAll) {
      for (const Detection& detection : job_.rule.detections) {
        if (!problem_ && is_meant(condition.name, detection.name))
          parts.push_back(named(detection.name));
      }
      return part_chain(condition.type == kAll, std::move(parts));
    }
    // What the kernel may answer too often must not stand below a "not".
    const bool outer = forwarded_;
    if (condition.type == kNot) forwarded_ = false;
    for (const Condition& child : condition.children) parts.push_back(node(child));
    forwarded_ = outer;
    if (condition.type == kNot) return part_not(std::move(parts.front()));
    return part_chain(condition.type == kAnd, std::move(parts));
  }

  // A detection is translated once, and is then a name.
  Part named(const std::string& name) {
    if (++references_ > kReferencesMax && !problem_) {
      problem_ = {"the condition names detections too often", job_.rule.where};
    }
    if (problem_) return Part::of(false);
    const std::string key = prefix_ + (forwarded_ ? "forwarded/" : "") + name;
    const auto known = done_.find(key);
    if (known != done_.end()) return known->second;
    Part part = detection(name);
    if (!part.constant) {
      Expression reference;
      reference.type = Expression::Type::kIdentifier;
      reference.name = key;
      if (added_.insert(key).second) parts_.emplace_back(key, std::move(part.expression));
      part.expression = std::move(reference);
    }
    return done_.emplace(key, std::move(part)).first->second;
  }

  Part detection(const std::string& name) {
    const auto found = std::ranges::find(job_.rule.detections, name, &Detection::name);
    std::vector<Part> alternatives;
    for (const auto& items : found->alternatives) {
      std::vector<Part> all;
      for (const FieldItem& item : items) {
        auto part = items_.translate(item, forwarded_);
        if (!part) {
          if (!problem_) problem_ = part.error();
          return Part::of(false);
        }
        all.push_back(std::move(*part));
      }
      alternatives.push_back(part_chain(true, std::move(all)));
    }
    return part_chain(false, std::move(alternatives));
  }

  const Job& job_;
  ItemTranslator items_;
  std::string prefix_;
  std::vector<std::pair<std::string, Expression>>& parts_;
  bool forwarded_ = false;
  std::map<std::string, Part> done_;
  std::set<std::string> added_;
  size_t references_ = 0;
  std::optional<ItemProblem> problem_;
};

std::optional<std::vector<Condition>> read_conditions(const DetectionRule& rule, Reporter& reporter,
                                                      const std::string& context) {
  std::vector<Condition> conditions;
  for (const Scalar& text : rule.conditions) {
    auto condition = parse_condition(text.text);
    std::optional<ConditionProblem> problem;
    if (!condition) problem = condition.error();
    else problem = check_names(*condition, rule.detections);
    if (problem) {
      reporter.error("SIGMA_CONDITION", problem->message, reporter.inside(text, problem->offset),
                     context + ", condition");
      return std::nullopt;
    }
    conditions.push_back(std::move(*condition));
  }
  return conditions;
}

// The idiom of rules that are switched off: events are counted from 1.
Expression never() {
  return check(field_operand("evt.num"), rules::Operator::kEqual, text_operand("0"));
}

}  // namespace

std::optional<ConditionProblem> check_names(const Condition& condition,
                                            const std::vector<Detection>& detections) {
  using enum Condition::Type;
  if (condition.type == kName || condition.type == kSome || condition.type == kAll) {
    const bool known = std::ranges::any_of(detections, [&](const Detection& each) {
      return condition.type == kName ? each.name == condition.name
                                     : is_meant(condition.name, each.name);
    });
    if (known) return std::nullopt;
    return ConditionProblem{"there is no detection '" + condition.name.substr(0, 128) + "'",
                            condition.offset};
  }
  for (const Condition& child : condition.children) {
    if (auto problem = check_names(child, detections)) return problem;
  }
  return std::nullopt;
}

std::set<std::string> syscalls_of(const DetectionRule& rule) {
  std::set<std::string> calls;
  for (const Detection& detection : rule.detections) {
    for (const auto& items : detection.alternatives) {
      for (const FieldItem& item : items) {
        const bool call = item.field == "SYSCALL" || item.field == "syscall";
        for (const Scalar& value : item.values) {
          if (call && is_observed(lower(value.text))) calls.insert(lower(value.text));
          if (item.field != "key") continue;
          if (value.text == "network_connect_4") calls.insert("connect");
          else calls.insert({"execve", "execveat"});
        }
      }
    }
  }
  return calls;
}

std::vector<std::string> watched_paths(std::string_view definition, std::string_view key) {
  std::vector<std::string> paths;
  std::istringstream lines{std::string(definition)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string path;
    std::string permissions;
    std::string named;
    for (std::string word; words >> word;) {
      if (word == "-w") words >> path;
      else if (word == "-p") words >> permissions;
      else if (word == "-k") words >> named;
    }
    if (named != key || path.empty() || permissions.find('x') == permissions.npos) continue;
    paths.push_back(path);
    // Most systems have one folder for both.
    if (path.starts_with("/bin/") || path.starts_with("/sbin/")) paths.push_back("/usr" + path);
  }
  return paths;
}

std::optional<Translated> translate(const DetectionRule& rule, const Placeholders& placeholders,
                                    size_t number, Reporter& reporter) {
  const std::string context = "rule '" + rule.title + "'";
  const auto conditions = read_conditions(rule, reporter, context);
  if (!conditions) return std::nullopt;
  const Job job{.rule = rule, .placeholders = placeholders, .syscalls = syscalls_of(rule)};
  Notes notes;
  const std::vector<View> views = views_of(rule.source, job.syscalls);
  Translated out;
  std::vector<Part> shown;
  std::vector<Part> forwarded;
  for (const View& view : views) {
    RuleTranslator translator(job, view, notes,
                              "sigma/" + std::to_string(number) + '/' + view.name + '/',
                              out.made.parts);
    for (const bool for_kernel : {false, true}) {
      if (for_kernel && !view.of_paths()) {
        forwarded.push_back(shown.back());
        continue;
      }
      auto condition = translator.run(*conditions, for_kernel);
      if (!condition) {
        reporter.error("SIGMA_RULE", condition.error().message, condition.error().where, context);
        return std::nullopt;
      }
      std::vector<Part> both;
      both.push_back(Part::of(view.base));
      both.push_back(std::move(*condition));
      (for_kernel ? forwarded : shown).push_back(part_chain(true, std::move(both)));
    }
  }
  Part condition = part_chain(false, std::move(shown));
  out.blind = condition.constant.has_value();
  out.made.condition = out.blind ? never() : std::move(condition.expression);
  if (!out.blind) {
    Part need = part_chain(false, std::move(forwarded));
    if (!need.constant) out.made.forwarded = std::move(need.expression);
  }
  out.notes.assign(notes.here.begin(), notes.here.end());
  for (const auto& [field, without] : notes.unknown_fields) {
    if (without.size() == views.size()) {
      out.notes.push_back("the field '" + field.substr(0, 128) + "' has no value here");
    }
  }
  return out;
}

}  // namespace coff::sigma
