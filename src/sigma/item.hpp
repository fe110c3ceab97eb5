// Private to the room: an item of a detection with its modifiers applied to its values.
#pragma once

#include <expected>
#include <map>
#include <string>
#include <vector>

#include "rules/ast.hpp"
#include "sigma/document.hpp"
#include "sigma/pattern.hpp"

namespace coff::sigma {

/// What |expand puts in for "%name%": texts that may hold wildcards.
using Placeholders = std::map<std::string, std::vector<std::string>, std::less<>>;

/// One value: some of its alternatives must hold.
struct Wanted {
  std::vector<Pattern> patterns;  ///< kText, kNumber: as written.
  std::string text;               ///< kRegex with its flags, kNetwork, kField.
  bool null = false;              ///< The field has no value.
  Where where;
};

struct Prepared {
  enum class How : unsigned char { kText, kNumber, kRegex, kNetwork, kExists, kField };
  How how = How::kText;
  rules::Operator op = rules::Operator::kEqual;  ///< Of kNumber, kField.
  bool all = false;
  bool negated = false;
  bool cased = false;
  bool exists = false;    ///< Of kExists.
  std::string time_part;  ///< "sigma.hour"; "" for none.
  std::vector<Wanted> wanted;
};

struct ItemProblem {
  std::string message;
  Where where;
};

/// Alternatives of one item, all values together.
inline constexpr size_t kAlternativesMax = 200'000;
/// A text with a wildcard inside may have so many bytes: each costs a step for each byte compared.
inline constexpr size_t kGlobBytesMax = 4096;

/// Applies the modifiers, in the order in which they stand.
std::expected<Prepared, ItemProblem> prepare(const FieldItem& item,
                                             const Placeholders& placeholders);

// Encodings of values.
/// Nothing when the text is no UTF-8.
std::expected<std::string, std::string> to_utf16(std::string_view text, bool big_endian);
/// The three texts that base64 makes of some bytes by where they begin, without what depends on
/// their neighbours.
std::vector<std::string> base64_offsets(std::string_view bytes);
/// Every "-" or "/" that begins a word as each of "-", "/" and the three dashes of typography.
/// Empty when there are more than `most`.
std::vector<Pattern> windash(const Pattern& pattern, size_t most);

}  // namespace coff::sigma
