// Reading the arguments of a call: a JSON object from a local user, checked member by member.
#include "agent/call_arguments.hpp"

#include "base/clock.hpp"

namespace coff::agent {

namespace json = boost::json;

Result<json::object> arguments_of(std::string_view text) {
  return guard(Code::kInvalid, "malformed arguments", [&]() -> json::object {
    json::error_code problem;
    json::value value = json::parse(text, problem);
    if (problem || !value.is_object()) return {};
    return std::move(value.as_object());
  });
}

Result<std::uint64_t> number_of(const json::object& arguments, std::string_view name,
                                std::optional<std::uint64_t> missing) {
  const json::value* value = arguments.if_contains(name);
  if (value == nullptr && missing) return *missing;
  json::error_code problem;
  const auto number = value == nullptr ? 0 : value->to_number<std::uint64_t>(problem);
  if (value == nullptr || problem) {
    return fail(Code::kInvalid, std::string(name) + " must be a whole number");
  }
  return number;
}

Result<std::string> text_argument(const json::object& arguments, std::string_view name) {
  const json::value* value = arguments.if_contains(name);
  if (value == nullptr) return std::string();
  if (!value->is_string()) return fail(Code::kInvalid, std::string(name) + " must be a string");
  return std::string(value->get_string());
}

Result<std::optional<std::int64_t>> time_of(const json::object& arguments, std::string_view name) {
  const std::string text = TRY(text_argument(arguments, name));
  if (text.empty()) return std::nullopt;
  return TRY(parse_time(text));
}

Result<std::vector<std::string>> names_of(const json::object& arguments, std::string_view name) {
  const json::value* value = arguments.if_contains(name);
  if (value == nullptr || !value->is_array()) {
    std::string one = TRY(text_argument(arguments, name));
    return one.empty() ? std::vector<std::string>() : std::vector<std::string>{std::move(one)};
  }
  std::vector<std::string> names;
  for (const json::value& element : value->get_array()) {
    if (!element.is_string() || names.size() >= kArgumentNamesMax) {
      return fail(Code::kInvalid, std::string(name) + " must be a short list of strings");
    }
    names.emplace_back(element.get_string());
  }
  return names;
}

}  // namespace coff::agent
