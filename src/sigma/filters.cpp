// Filters put into the rules that they are for.
#include "sigma/filters.hpp"

#include <algorithm>

#include "sigma/translate.hpp"

namespace coff::sigma {

namespace {

bool fits(const LogSource& filter, const LogSource& rule) {
  const auto same = [](const std::string& wanted, const std::string& has) {
    return wanted.empty() || wanted == has;
  };
  return same(filter.category, rule.category) && same(filter.product, rule.product) &&
         same(filter.service, rule.service);
}

bool is_named(const FilterRule& filter, const DetectionRule& rule) {
  return filter.every_rule || std::ranges::any_of(filter.rules, [&](const Scalar& name) {
           return name.text == rule.provenance.id || (!rule.name.empty() && name.text == rule.name);
         });
}

// The filter's condition over detections with a prefix that no rule has.
std::string renamed(const Condition& condition, const std::string& prefix) {
  using enum Condition::Type;
  switch (condition.type) {
    case kName: return prefix + condition.name;
    case kSome:
    case kAll: {
      const std::string name = condition.name == "them" ? "*" : condition.name;
      return (condition.type == kAll ? "all of " : "1 of ") + prefix + name;
    }
    case kNot: return "not (" + renamed(condition.children.front(), prefix) + ')';
    default: break;
  }
  std::string text;
  for (const Condition& child : condition.children) {
    if (!text.empty()) text += condition.type == kAnd ? " and " : " or ";
    text += '(' + renamed(child, prefix) + ')';
  }
  return text;
}

// The condition, when everything in the filter is right.
std::optional<Condition> checked(const FilterRule& filter, const Placeholders& placeholders,
                                 Reporter& reporter, const std::string& context) {
  auto condition = parse_condition(filter.condition.text);
  std::optional<ConditionProblem> problem;
  if (!condition) problem = condition.error();
  else problem = check_names(*condition, filter.detections);
  if (problem) {
    reporter.error("SIGMA_CONDITION", problem->message,
                   reporter.inside(filter.condition, problem->offset), context);
    return std::nullopt;
  }
  for (const Detection& detection : filter.detections) {
    for (const auto& items : detection.alternatives) {
      for (const FieldItem& item : items) {
        const auto prepared = prepare(item, placeholders);
        if (prepared) continue;
        reporter.error("SIGMA_RULE", prepared.error().message, prepared.error().where, context);
        return std::nullopt;
      }
    }
  }
  return std::move(*condition);
}

size_t values_of(const FilterRule& filter) {
  size_t count = 0;
  for (const Detection& detection : filter.detections) {
    for (const auto& items : detection.alternatives) {
      for (const FieldItem& item : items) count += 1 + item.values.size();
    }
  }
  return count;
}

void add_to(DetectionRule& rule, const FilterRule& filter, const std::string& condition,
            const std::string& prefix) {
  for (Scalar& each : rule.conditions) each.text = '(' + each.text + ") and (" + condition + ')';
  for (Detection detection : filter.detections) {
    detection.name.insert(0, prefix);
    rule.detections.push_back(std::move(detection));
  }
}

}  // namespace

void apply_filters(Documents& documents, const Placeholders& placeholders,
                   const std::vector<Reporter*>& reporters) {
  for (size_t at = 0; at < documents.filters.size(); ++at) {
    const FilterRule& filter = documents.filters[at];
    const std::string context = "filter '" + filter.title + "'";
    const auto condition = checked(filter, placeholders, *reporters[at], context);
    if (!condition) continue;
    const std::string prefix = "_filter" + std::to_string(at) + '_';
    const std::string text = renamed(*condition, prefix);
    const size_t values = values_of(filter);
    size_t used = 0;
    for (DetectionRule& rule : documents.rules) {
      if (!fits(filter.source, rule.source) || !is_named(filter, rule)) continue;
      if (++used * values > kFilterValuesMax) {
        reporters[at]->error("SIGMA_FILTER", "the filter is too large for so many rules",
                             filter.where, context);
        break;
      }
      add_to(rule, filter, text, prefix);
    }
    if (used > 0) continue;
    reporters[at]->warn("SIGMA_FILTER", "the filter fits no rule that was read", filter.where,
                        context);
  }
}

}  // namespace coff::sigma
