// Identifiers, timestamps, names of variables and vocabularies of CACAO 2.0.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace coff::playbook {

/// "playbook--61a6c41e-6efc-4516-a242-dfbc5c89d562": a type and a UUID of version 1 to 5.
bool is_identifier(std::string_view text);
/// The type of an identifier: what stands before "--".
std::string_view type_of_identifier(std::string_view identifier);
/// RFC 3339 in UTC with "Z".
bool is_timestamp(std::string_view text);
/// "__name__".
bool is_variable_name(std::string_view text);
/// A random identifier (UUID version 4) of `type`.
Result<std::string> new_identifier(std::string_view type);

std::span<const std::string_view> playbook_types();
std::span<const std::string_view> playbook_activities();
/// Types of commands that the specification lists.
std::span<const std::string_view> command_types();
bool is_listed(std::span<const std::string_view> list, std::string_view name);

}  // namespace coff::playbook
