// Members of the agent's answers, read without trust in their types.
#include "cli/json_read.hpp"

#include "base/bytes.hpp"

namespace coff::cli {

namespace json = boost::json;

const json::object* object_in(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_object() ? &value->get_object() : nullptr;
}

const json::object& object_or_empty(const json::object& object, std::string_view name) {
  static const json::object kNone;
  const json::object* member = object_in(object, name);
  return member != nullptr ? *member : kNone;
}

std::string_view text_in(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string_view(value->get_string())
                                                : std::string_view{};
}

std::string any_text_in(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr) return {};
  return value->is_string() ? std::string(value->get_string()) : json::serialize(*value);
}

std::string shown_in(const json::object& object, std::string_view name) {
  return printable(any_text_in(object, name));
}

}  // namespace coff::cli
