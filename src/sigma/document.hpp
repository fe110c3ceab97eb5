// Private to the room: what Sigma files say, before it means anything.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "rules/rule.hpp"

namespace coff::sigma {

/// A place in a file.
struct Where {
  size_t line = 1;    ///< From 1.
  size_t column = 1;  ///< From 1, in bytes.
};

/// A value of a rule.
struct Scalar {
  std::string text;
  bool null = false;
  Where where;
};

/// Modifiers behind a field, "CommandLine|contains|all".
enum class Modifier : unsigned char {
  kAll,
  kStartsWith,
  kEndsWith,
  kContains,
  kExists,
  kCased,
  kNeq,
  kWindash,
  kRe,
  kReIgnoreCase,
  kReMultiLine,
  kReDotAll,
  kBase64,
  kBase64Offset,
  kUtf16Le,
  kUtf16Be,
  kUtf16,
  kLt,
  kLte,
  kGt,
  kGte,
  kMinute,
  kHour,
  kDay,
  kWeek,
  kMonth,
  kYear,
  kCidr,
  kExpand,
  kFieldRef,
};

/// A field, or "" for keywords, with its modifiers and values: some must hold, with kAll all.
struct FieldItem {
  std::string field;
  std::vector<Modifier> modifiers;
  std::vector<Scalar> values;
  Where where;
};

/// A named detection: some of the alternatives, of each all items.
struct Detection {
  std::string name;
  std::vector<std::vector<FieldItem>> alternatives;
  Where where;
};

struct LogSource {
  std::string category;
  std::string product;
  std::string service;
  std::string definition;
  Where where;
};

struct DetectionRule {
  std::string title;
  std::string name;  ///< What correlations may call it beside its id.
  std::string description;
  rules::Provenance provenance;
  rules::Priority priority = rules::Priority::kWarning;
  std::vector<std::string> tags;
  LogSource source;
  std::vector<Detection> detections;
  std::vector<Scalar> conditions;  ///< Some must hold.
  std::string file;
  Where where;
};

/// A condition that is added to rules of other files.
struct FilterRule {
  std::string title;
  LogSource source;
  bool every_rule = false;
  std::vector<Scalar> rules;  ///< Ids or names.
  std::vector<Detection> detections;
  Scalar condition;
  std::string file;
  Where where;
};

enum class CorrelationType : unsigned char {
  kEventCount,
  kValueCount,
  kTemporal,
  kTemporalOrdered,
  kValueSum,
  kValueAverage,
  kValuePercentile,
};
std::string_view correlation_name(CorrelationType type);

enum class Comparison : unsigned char {
  kGreater,
  kGreaterEqual,
  kLess,
  kLessEqual,
  kEqual,
  kNotEqual
};
std::string_view comparison_name(Comparison comparison);

struct CorrelationRule {
  std::string title;
  std::string name;
  std::string description;
  rules::Provenance provenance;
  rules::Priority priority = rules::Priority::kWarning;
  std::vector<std::string> tags;
  CorrelationType type = CorrelationType::kEventCount;
  std::vector<Scalar> rules;  ///< Ids or names.
  std::vector<Scalar> group_by;
  std::uint64_t timespan_ns = 0;
  std::vector<std::pair<Comparison, double>> conditions;  ///< All hold; none for temporal ones.
  std::string field;                                      ///< Whose values are counted.
  double percentile = 0;
  /// Alias, then rule, then the field that it stands for.
  std::map<std::string, std::map<std::string, std::string>> aliases;
  bool generate = false;  ///< Its rules tell their own findings too.
  std::string file;
  Where where;
};

/// Everything that was read, in order.
struct Documents {
  std::vector<DetectionRule> rules;
  std::vector<FilterRule> filters;
  std::vector<CorrelationRule> correlations;
};

}  // namespace coff::sigma
