// JSON from outside: strict and bounded parsing, the canonical form of RFC 8785, short readers.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace coff::playbook {

namespace json = boost::json;

/// Largest document that is read, and how deep its arrays and objects may nest.
inline constexpr size_t kDocumentBytesMax = size_t{1} << 20;
inline constexpr size_t kDocumentDepthMax = 32;

/// Parses one JSON value. kInvalid for anything else, for invalid UTF-8 and for an object that has
/// a name twice (two readers could see different documents under one signature).
Result<json::value> parse_document(std::string_view text);
/// The JSON Canonicalization Scheme (RFC 8785): what is hashed and signed.
std::string canonical(const json::value& value);
/// Lower-case hexadecimal SHA-256 of the canonical form.
std::string canonical_hash(const json::value& value);
/// Indented by two spaces, members in their order: for people and files.
std::string pretty(const json::value& value);

/// Member `name`; null when `value` is no object or has no such member.
const json::value* member_of(const json::value& value, std::string_view name);
const json::value* member_of(const json::object& object, std::string_view name);
/// Member `name` as text; "" when it is absent or something else.
std::string text_of(const json::object& object, std::string_view name);
/// Member `name` as a number; `otherwise` when it is absent, negative or something else.
std::uint64_t number_of(const json::object& object, std::string_view name,
                        std::uint64_t otherwise = 0);
/// Member `name` as a boolean; false when it is absent or something else.
bool flag_of(const json::object& object, std::string_view name);
/// The texts of member `name`, which is an array.
std::vector<std::string> texts_of(const json::object& object, std::string_view name);
/// Text as JSON sees it.
inline std::string_view view(const json::string& text) { return {text.data(), text.size()}; }

}  // namespace coff::playbook
