// Private to the room: does a name say that its value is a secret?
#pragma once

#include <string_view>

namespace coff::schema {

/// Compares without regard to case; "-" equals "_".
bool equal_names(std::string_view left, std::string_view right);
/// The same with "*" in the pattern for anything.
bool matches_pattern(std::string_view pattern, std::string_view name);
/// Nothing to hide whatever the name is: empty, a switch word, an unexpanded variable, a small
/// number.
bool is_harmless_value(std::string_view value);
/// The built-in rules: the words of the name, and for vague words the look of the value.
bool is_secret_by_name(std::string_view name, std::string_view value);

}  // namespace coff::schema
