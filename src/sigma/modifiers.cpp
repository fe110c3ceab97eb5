// Names of modifiers, correlation types and comparisons.
#include <algorithm>

#include "sigma/reader.hpp"

namespace coff::sigma {

namespace {

struct Named {
  std::string_view name;
  Modifier modifier;
};
constexpr Named kModifiers[] = {
    {"all", Modifier::kAll},
    {"startswith", Modifier::kStartsWith},
    {"endswith", Modifier::kEndsWith},
    {"contains", Modifier::kContains},
    {"exists", Modifier::kExists},
    {"cased", Modifier::kCased},
    {"neq", Modifier::kNeq},
    {"windash", Modifier::kWindash},
    {"re", Modifier::kRe},
    {"i", Modifier::kReIgnoreCase},
    {"ignorecase", Modifier::kReIgnoreCase},
    {"m", Modifier::kReMultiLine},
    {"multiline", Modifier::kReMultiLine},
    {"s", Modifier::kReDotAll},
    {"dotall", Modifier::kReDotAll},
    {"base64", Modifier::kBase64},
    {"base64offset", Modifier::kBase64Offset},
    {"utf16le", Modifier::kUtf16Le},
    {"wide", Modifier::kUtf16Le},
    {"utf16be", Modifier::kUtf16Be},
    {"utf16", Modifier::kUtf16},
    {"lt", Modifier::kLt},
    {"lte", Modifier::kLte},
    {"gt", Modifier::kGt},
    {"gte", Modifier::kGte},
    {"minute", Modifier::kMinute},
    {"hour", Modifier::kHour},
    {"day", Modifier::kDay},
    {"week", Modifier::kWeek},
    {"month", Modifier::kMonth},
    {"year", Modifier::kYear},
    {"cidr", Modifier::kCidr},
    {"expand", Modifier::kExpand},
    {"fieldref", Modifier::kFieldRef},
};
constexpr size_t kModifiersMax = 16;

}  // namespace

std::optional<std::vector<Modifier>> parse_modifiers(std::string_view text, std::string& unknown) {
  std::vector<Modifier> found;
  while (true) {
    const size_t end = std::min(text.find('|'), text.size());
    const std::string_view name = text.substr(0, end);
    const auto* known = std::ranges::find(kModifiers, name, &Named::name);
    if (known == std::end(kModifiers) || found.size() >= kModifiersMax) {
      unknown = name.substr(0, 64);
      return std::nullopt;
    }
    found.push_back(known->modifier);
    if (end == text.size()) return found;
    text.remove_prefix(end + 1);
  }
}

std::string_view modifier_name(Modifier modifier) {
  return std::ranges::find(kModifiers, modifier, &Named::modifier)->name;
}

std::string_view correlation_name(CorrelationType type) {
  constexpr std::string_view kNames[] = {"event_count",      "value_count", "temporal",
                                         "temporal_ordered", "value_sum",   "value_avg",
                                         "value_percentile"};
  return kNames[static_cast<size_t>(type)];
}

std::string_view comparison_name(Comparison comparison) {
  constexpr std::string_view kNames[] = {"gt", "gte", "lt", "lte", "eq", "neq"};
  return kNames[static_cast<size_t>(comparison)];
}

}  // namespace coff::sigma
