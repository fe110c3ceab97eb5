// Values of variables: types, scopes, and putting them into texts.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "playbook/playbook.hpp"

namespace coff::playbook {

/// Longest value of a variable, in bytes.
inline constexpr size_t kValueBytesMax = 4096;

/// Whether `value` can be of `type` (variable-type-ov; an unknown type takes any text).
bool value_fits(std::string_view type, std::string_view value);

/// Names of variables that `text` refers to: each "__name__:value", once.
std::vector<std::string> variables_in(std::string_view text);

/// The value of a variable for one place of a text; the error ends the substitution.
using ValueOf = std::function<Result<std::string>(std::string_view name)>;
/// `text` with each "__name__:value" replaced, once: a value that looks like a reference stays.
Result<std::string> substitute(std::string_view text, const ValueOf& value_of);

/// What may go into a shell's text without being quoted: anything else could be a second command.
bool is_plain_word(std::string_view value);

/// A dictionary for the workflow's state: variables of a scope as JSON, and back.
json::object to_json(const Variables& variables);

}  // namespace coff::playbook
