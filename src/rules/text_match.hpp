// Private to the room: comparisons of text that the standard library has not, or not in linear
// time.
#pragma once

#include <string>
#include <string_view>

namespace coff::rules {

/// As fnmatch(3) without flags in the C locale: "*" and "?" match "/" too, "[a-z]", "[!x]" and
/// "[[:digit:]]" are sets of bytes, "\" takes the next byte as it is. At most pattern times text
/// steps.
bool glob_match(std::string_view pattern, std::string_view text, bool fold_case);

/// Whether `part` occurs in `text`; linear.
bool contains(std::string_view text, std::string_view part);

/// ASCII letters in lower and upper case.
std::string lowered(std::string_view text);
std::string uppered(std::string_view text);

/// The text itself when it is UTF-8, otherwise a copy in `buffer` with each bad byte replaced by
/// U+FFFD.
std::string_view valid_utf8(std::string_view text, std::string& buffer);

}  // namespace coff::rules
