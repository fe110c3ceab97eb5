// Reads correlation rules of Sigma files.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "sigma/correlation.hpp"
#include "sigma/reader.hpp"

namespace coff::sigma {

namespace {

using Type = YamlNode::Type;

constexpr CorrelationType kTypes[] = {
    CorrelationType::kEventCount,      CorrelationType::kValueCount, CorrelationType::kTemporal,
    CorrelationType::kTemporalOrdered, CorrelationType::kValueSum,   CorrelationType::kValueAverage,
    CorrelationType::kValuePercentile};
constexpr Comparison kComparisons[] = {Comparison::kGreater, Comparison::kGreaterEqual,
                                       Comparison::kLess,    Comparison::kLessEqual,
                                       Comparison::kEqual,   Comparison::kNotEqual};

// "15m"; nothing when it is none, or longer than a year.
std::optional<std::uint64_t> parse_timespan(std::string_view text) {
  constexpr std::uint64_t kSecond = 1'000'000'000;
  constexpr std::uint64_t kYear = 366 * 86400 * kSecond;
  std::uint64_t number = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end.ec != std::errc{} || end.ptr + 1 != text.data() + text.size()) return std::nullopt;
  std::uint64_t unit = 0;
  switch (*end.ptr) {
    case 's': unit = kSecond; break;
    case 'm': unit = 60 * kSecond; break;
    case 'h': unit = 3600 * kSecond; break;
    case 'd': unit = 86400 * kSecond; break;
    case 'w': unit = 7 * 86400 * kSecond; break;
    default: return std::nullopt;
  }
  if (number == 0 || number > kYear / unit) return std::nullopt;
  return number * unit;
}

std::optional<double> parse_number(std::string_view text) {
  double number = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = end.ec == std::errc{} && end.ptr == text.data() + text.size();
  return whole && std::isfinite(number) ? std::optional(number) : std::nullopt;
}

bool is_temporal(CorrelationType type) {
  return type == CorrelationType::kTemporal || type == CorrelationType::kTemporalOrdered;
}

}  // namespace

bool Reader::read_correlation(const YamlNode& document) {
  CorrelationRule rule;
  if (!read_head(document, rule)) return false;
  const YamlNode& body = *find_member(document, "correlation");
  if (body.type != Type::kMapping) return refuse(body, "'correlation' is a mapping");
  if (!no_repeated_keys(body) || !read_correlation_body(body, rule)) return false;
  out_.correlations.push_back(std::move(rule));
  return true;
}

bool Reader::read_correlation_body(const YamlNode& body, CorrelationRule& rule) {
  constexpr size_t kRulesMax = 64;
  constexpr size_t kGroupFieldsMax = 16;
  std::string type;
  std::string timespan;
  std::string generate = "false";
  if (!text(body, "type", type) || !text(body, "timespan", timespan) ||
      !text(body, "generate", generate) || !scalars(body, "rules", rule.rules) ||
      !scalars(body, "group-by", rule.group_by) || !read_aliases(body, rule)) {
    return false;
  }
  const auto* known = std::ranges::find(kTypes, type, correlation_name);
  if (known == std::end(kTypes)) {
    return refuse(body, "unknown type of correlation '" + type.substr(0, 64) + "'");
  }
  rule.type = *known;
  if (rule.rules.empty() || rule.rules.size() > kRulesMax) {
    return refuse(body, "a correlation names 1 to 64 'rules'");
  }
  if (rule.group_by.size() > kGroupFieldsMax) {
    return refuse(body, "'group-by' has more than 16 fields");
  }
  const auto span = parse_timespan(timespan);
  if (!span) return refuse(body, "'timespan' is a number and one of s, m, h, d, w; at most a year");
  rule.timespan_ns = *span;
  if (generate != "true" && generate != "false") {
    return refuse(*find_member(body, "generate"), "'generate' is true or false");
  }
  rule.generate = generate == "true";
  for (const Scalar& field : rule.group_by) {
    // They name fields of findings.
    constexpr std::string_view kPlain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-[]";
    const bool plain = field.text.find_first_not_of(kPlain) == std::string::npos;
    if (plain && !field.text.empty() && field.text.size() <= 128) continue;
    return reporter_.error("SIGMA_RULE", "this is no name of a field", field.where, context_);
  }
  return read_correlation_condition(body, rule);
}

bool Reader::read_correlation_condition(const YamlNode& body, CorrelationRule& rule) {
  const YamlNode* condition = find_member(body, "condition");
  if (condition == nullptr || condition->type == Type::kNull) {
    return is_temporal(rule.type) || refuse(body, "the correlation has no 'condition'");
  }
  if (condition->type != Type::kMapping) {
    return refuse(*condition, "the condition of a correlation is a mapping such as 'gte: 10'");
  }
  if (!no_repeated_keys(*condition)) return false;
  std::string percentile;
  if (!text(*condition, "field", rule.field, 256) ||
      !text(*condition, "percentile", percentile, 64)) {
    return false;
  }
  for (size_t at = 0; at < condition->keys.size(); ++at) {
    const std::string& key = condition->keys[at].scalar;
    if (key == "field" || key == "percentile") continue;
    const auto* known = std::ranges::find(kComparisons, key, comparison_name);
    if (known == std::end(kComparisons)) {
      return refuse(condition->keys[at], "unknown comparison '" + key.substr(0, 64) + "'");
    }
    const auto number = parse_number(condition->items[at].scalar);
    if (!number) return refuse(condition->items[at], "this is not a number");
    const bool counts = rule.type == CorrelationType::kEventCount ||
                        rule.type == CorrelationType::kValueCount || is_temporal(rule.type);
    if (counts && (*number < 0 || *number > static_cast<double>(kEntriesMax))) {
      return refuse(condition->items[at],
                    "a number from 0 to " + std::to_string(kEntriesMax) + ": so many are kept");
    }
    rule.conditions.emplace_back(*known, *number);
  }
  if (rule.conditions.empty()) {
    return refuse(*condition, "the condition has none of gt, gte, lt, lte, eq, neq");
  }
  const bool wants_field = rule.type != CorrelationType::kEventCount && !is_temporal(rule.type);
  if (wants_field && rule.field.empty()) {
    return refuse(*condition, "this type of correlation needs a 'field' in its condition");
  }
  if (rule.type != CorrelationType::kValuePercentile) return true;
  const auto share = parse_number(percentile);
  if (!share || *share < 0 || *share > 100) {
    return refuse(*condition, "'percentile' is a number from 0 to 100");
  }
  rule.percentile = *share;
  return true;
}

bool Reader::read_aliases(const YamlNode& body, CorrelationRule& rule) {
  const YamlNode* aliases = find_member(body, "aliases");
  if (aliases == nullptr || aliases->type == Type::kNull) return true;
  if (aliases->type != Type::kMapping) return refuse(*aliases, "'aliases' is a mapping");
  if (!no_repeated_keys(*aliases)) return false;
  for (size_t at = 0; at < aliases->keys.size(); ++at) {
    const YamlNode& fields = aliases->items[at];
    if (fields.type != Type::kMapping) {
      return refuse(fields, "an alias is a mapping of rules to fields");
    }
    auto& of = rule.aliases[aliases->keys[at].scalar];
    for (size_t i = 0; i < fields.keys.size(); ++i) {
      if (fields.items[i].type != Type::kScalar) return refuse(fields.items[i], "a field's name");
      of[fields.keys[i].scalar] = fields.items[i].scalar;
    }
  }
  return true;
}

}  // namespace coff::sigma
