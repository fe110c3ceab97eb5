// Short ways to read JSON that comes from outside: bounded, and absent members are empty values.
#include "inventory/json_text.hpp"

#include <boost/json.hpp>

namespace coff::inventory {

namespace json = boost::json;

Result<json::value> parse_json(std::string_view text) {
  json::parse_options options;
  options.max_depth = 32;
  json::error_code problem;
  // A parser's own memory may run out on a large text.
  auto value = guard(Code::kLimit, "JSON is too large",
                     [&] { return json::parse(text, problem, json::storage_ptr(), options); });
  if (!value) return std::unexpected(value.error());
  if (problem) return fail(Code::kInvalid, "not valid JSON: " + problem.message());
  return std::move(*value);
}

const json::value* member_of(const json::value& object, std::string_view name) {
  return object.is_object() ? object.get_object().if_contains(name) : nullptr;
}

std::string_view text_of(const json::value& object, std::string_view name) {
  const json::value* member = member_of(object, name);
  return member != nullptr && member->is_string() ? std::string_view(member->get_string())
                                                  : std::string_view();
}

std::span<const json::value> items_of(const json::value& object, std::string_view name) {
  const json::value* member = member_of(object, name);
  if (member == nullptr || !member->is_array()) return {};
  return {member->get_array().data(), member->get_array().size()};
}

std::uint64_t number_of(const json::value& object, std::string_view name) {
  const json::value* member = member_of(object, name);
  if (member == nullptr) return 0;
  if (member->is_uint64()) return member->get_uint64();
  return member->is_int64() && member->get_int64() > 0
             ? static_cast<std::uint64_t>(member->get_int64())
             : 0;
}

}  // namespace coff::inventory
