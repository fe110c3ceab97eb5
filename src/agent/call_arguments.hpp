// Reading the arguments of a call: a JSON object from a local user, checked member by member.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace coff::agent {

/// Names in one list of a call's arguments.
inline constexpr std::size_t kArgumentNamesMax = 64;

/// The object; an empty one for what is none. kInvalid when it can't be read at all.
Result<boost::json::object> arguments_of(std::string_view text);
/// A whole number of this name; `missing` when it isn't there, else kInvalid.
Result<std::uint64_t> number_of(const boost::json::object& arguments, std::string_view name,
                                std::optional<std::uint64_t> missing);
/// A string of this name; empty when it isn't there.
Result<std::string> text_argument(const boost::json::object& arguments, std::string_view name);
/// An RFC 3339 time in nanoseconds since 1970.
Result<std::optional<std::int64_t>> time_of(const boost::json::object& arguments,
                                            std::string_view name);
/// One name, or a list of at most kArgumentNamesMax.
Result<std::vector<std::string>> names_of(const boost::json::object& arguments,
                                          std::string_view name);

}  // namespace coff::agent
