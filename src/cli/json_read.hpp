// Members of the agent's answers, read without trust in their types.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>

namespace coff::cli {

/// The member `name` where it is an object, else null; owned by `object`.
const boost::json::object* object_in(const boost::json::object& object, std::string_view name);

/// The same, or an empty object.
const boost::json::object& object_or_empty(const boost::json::object& object,
                                           std::string_view name);

/// The member `name` where it is a string, else ""; owned by `object`, and not fit for a terminal.
std::string_view text_in(const boost::json::object& object, std::string_view name);

/// The member `name` as text, numbers and lists as JSON; "" when there is none. Not fit for a
/// terminal.
std::string any_text_in(const boost::json::object& object, std::string_view name);

/// The same, fit for a terminal.
std::string shown_in(const boost::json::object& object, std::string_view name);

/// The member `name` where it is a number that `Number` holds, else 0.
template <typename Number>
Number number_in(const boost::json::object& object, std::string_view name) {
  const boost::json::value* value = object.if_contains(name);
  if (value == nullptr) return 0;
  boost::json::error_code problem;
  const auto number = value->to_number<Number>(problem);
  return problem ? 0 : number;
}

}  // namespace coff::cli
