// Search for texts, expressions and YARA rules in files that a hostile container supplied.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace coff::evidence {

enum class SearchKind : unsigned char { kText, kRegex, kYara };

/// Hits told of one file; more are only counted.
inline constexpr std::uint64_t kHitsOfFileMax = 200;
/// Files of one answer_search() at most.
inline constexpr std::size_t kSearchFilesMax = 48;
/// A match longer than this may be cut or missed where pieces of a file meet.
inline constexpr std::size_t kMatchBytesMax = 65536;
inline constexpr std::size_t kPatternBytesMax = 65536;
inline constexpr std::size_t kRulesBytesMax = std::size_t{4} << 20U;

/// A question as bytes: one letter (t, r, y) and the pattern or the rules.
Result<std::string> encode_search(SearchKind kind, std::string_view pattern);

/// For a worker without any rights: `inputs` are the question and the files. JSON lines: "file"
/// (from 0), "offset", "address" (in cores), "match" (readable), "rule" and "string" (YARA); at the
/// end of each file "file" and "hits". kInvalid for a pattern or rules that are malformed.
Result<std::string> answer_search(std::span<const Fd> inputs);

}  // namespace coff::evidence
