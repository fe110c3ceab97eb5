// Values of variables: types, scopes, and putting them into texts.
#include "playbook/variables.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "playbook/names.hpp"

namespace coff::playbook {
namespace {

bool is_hex(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char byte) {
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f') ||
           (byte >= 'A' && byte <= 'F');
  });
}

template <typename T>
bool is_number(std::string_view text) {
  T number{};
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  return problem == std::errc() && end == text.data() + text.size();
}

bool is_address(int family, std::string_view text) {
  const std::string address(text.substr(0, text.find('/')));
  unsigned char bytes[16];
  if (inet_pton(family, address.c_str(), bytes) != 1) return false;
  if (address.size() == text.size()) return true;
  const std::string_view bits = text.substr(address.size() + 1);
  unsigned count = 0;
  const auto [end, problem] = std::from_chars(bits.data(), bits.data() + bits.size(), count);
  return problem == std::errc() && end == bits.data() + bits.size() &&
         count <= (family == AF_INET ? 32U : 128U);
}

bool is_mac(std::string_view text) {
  if (text.size() != 17) return false;
  for (size_t at = 0; at < text.size(); ++at) {
    if (at % 3 == 2 ? text[at] != ':' && text[at] != '-' : !is_hex(text.substr(at, 1))) {
      return false;
    }
  }
  return true;
}

// Finds the next "__name__:value" at or after `from`; npos when there is none.
struct Reference {
  size_t begin = std::string_view::npos;
  size_t end = 0;
  std::string_view name;
};
Reference next_reference(std::string_view text, size_t from) {
  constexpr std::string_view kMark = "__:value";
  for (size_t mark = text.find(kMark, from); mark != text.npos; mark = text.find(kMark, mark + 1)) {
    // The name may hold "__" itself: the longest one that is allowed counts.
    constexpr size_t kNameMax = 202;
    for (size_t begin = std::max(from, mark - std::min(mark, kNameMax)); begin < mark; ++begin) {
      const std::string_view name = text.substr(begin, mark + 2 - begin);
      if (name.starts_with("__") && is_variable_name(name)) {
        return {begin, mark + kMark.size(), name};
      }
    }
  }
  return {};
}

}  // namespace

bool value_fits(std::string_view type, std::string_view value) {
  if (value.size() > kValueBytesMax) return false;
  if (type == "bool") return value == "true" || value == "false";
  if (type == "integer" || type == "long") return is_number<std::int64_t>(value);
  if (type == "float") return is_number<double>(value);
  if (type == "ipv4-addr") return is_address(AF_INET, value);
  if (type == "ipv6-addr") return is_address(AF_INET6, value);
  if (type == "mac-addr") return is_mac(value);
  if (type == "hexstring") return is_hex(value);
  if (type == "md5-hash") return value.size() == 32 && is_hex(value);
  if (type == "sha256-hash") return value.size() == 64 && is_hex(value);
  if (type == "uuid") return is_identifier("uuid--" + std::string(value));
  if (type == "dictionary") {
    const auto parsed = parse_document(value);
    return parsed && parsed->is_object();
  }
  return true;
}

std::vector<std::string> variables_in(std::string_view text) {
  std::vector<std::string> names;
  for (Reference at = next_reference(text, 0); at.begin != text.npos;
       at = next_reference(text, at.end)) {
    if (std::ranges::find(names, at.name) == names.end()) names.emplace_back(at.name);
  }
  return names;
}

Result<std::string> substitute(std::string_view text, const ValueOf& value_of) {
  std::string out;
  size_t from = 0;
  for (Reference at = next_reference(text, 0); at.begin != text.npos;
       at = next_reference(text, at.end)) {
    out += text.substr(from, at.begin - from);
    out += TRY(value_of(at.name));
    from = at.end;
    if (out.size() > kDocumentBytesMax) return fail(Code::kLimit, "the text becomes too long");
  }
  return out + std::string(text.substr(from));
}

bool is_plain_word(std::string_view value) {
  constexpr std::string_view kPlain = "_./:@%+=,-";
  return !value.empty() && value.front() != '-' && std::ranges::all_of(value, [&](char byte) {
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
           (byte >= 'A' && byte <= 'Z') || kPlain.find(byte) != kPlain.npos;
  });
}

json::object to_json(const Variables& variables) {
  json::object out;
  for (const auto& [name, variable] : variables) {
    json::object each = {{"type", variable.type}};
    if (variable.value) each["value"] = *variable.value;
    if (variable.constant) each["constant"] = true;
    if (variable.external) each["external"] = true;
    out[name] = std::move(each);
  }
  return out;
}

}  // namespace coff::playbook
