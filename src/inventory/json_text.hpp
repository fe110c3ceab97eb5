// Short ways to read JSON that comes from outside: bounded, and absent members are empty values.
#pragma once

#include <boost/json/value.hpp>
#include <span>
#include <string_view>

#include "base/result.hpp"

namespace coff::inventory {

/// Parses `text` strictly, at most 32 levels deep. kInvalid says where it went wrong.
Result<boost::json::value> parse_json(std::string_view text);

/// Member `name` of an object as text; "" when it is absent or something else.
std::string_view text_of(const boost::json::value& object, std::string_view name);
/// Member `name` of an object, which is an array; empty when it is absent or something else.
std::span<const boost::json::value> items_of(const boost::json::value& object,
                                             std::string_view name);
/// Member `name` of an object; null when it is absent.
const boost::json::value* member_of(const boost::json::value& object, std::string_view name);
/// Member `name` of an object as a number; 0 when it is absent, negative or something else.
std::uint64_t number_of(const boost::json::value& object, std::string_view name);

}  // namespace coff::inventory
