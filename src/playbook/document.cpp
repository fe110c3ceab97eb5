// JSON from outside: strict and bounded parsing, the canonical form of RFC 8785, short readers.
#include "playbook/document.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>

#include "base/bytes.hpp"

namespace coff::playbook {
namespace {

size_t members_in(const json::value& value) {
  size_t count = 0;
  if (const auto* object = value.if_object(); object != nullptr) {
    for (const auto& member : *object) count += 1 + members_in(member.value());
  } else if (const auto* array = value.if_array(); array != nullptr) {
    for (const json::value& item : *array) count += members_in(item);
  }
  return count;
}

// In JSON that parsed, each colon outside of a text stands behind the name of one member.
size_t members_written(std::string_view text) {
  size_t count = 0;
  bool quoted = false;
  for (size_t at = 0; at < text.size(); ++at) {
    if (quoted && text[at] == '\\') ++at;
    else if (text[at] == '"') quoted = !quoted;
    else if (text[at] == ':' && !quoted) ++count;
  }
  return count;
}

// Numbers with a fraction or an exponent, in their order. Boost 1.81 may read them with a last
// digit that is off by one, which would be another number to sign.
std::optional<std::vector<double>> fractions_written(std::string_view text) {
  std::vector<double> numbers;
  bool quoted = false;
  for (size_t at = 0; at < text.size(); ++at) {
    if (quoted && text[at] == '\\') ++at;
    else if (text[at] == '"') quoted = !quoted;
    if (quoted || (text[at] != '-' && (text[at] < '0' || text[at] > '9'))) continue;
    const size_t end = std::min(text.find_first_not_of("-+.eE0123456789", at), text.size());
    const std::string_view token = text.substr(at, end - at);
    if (token.find_first_of(".eE") != token.npos) {
      double number = 0;
      const auto read = std::from_chars(token.data(), token.data() + token.size(), number);
      if (read.ec != std::errc()) return std::nullopt;
      numbers.push_back(number);
    }
    at = end - 1;
  }
  return numbers;
}

void put_fractions(json::value& value, const std::vector<double>& numbers, size_t& next) {
  if (auto* object = value.if_object(); object != nullptr) {
    for (auto& member : *object) put_fractions(member.value(), numbers, next);
  } else if (auto* array = value.if_array(); array != nullptr) {
    for (json::value& item : *array) put_fractions(item, numbers, next);
  } else if (value.is_double()) {
    if (next < numbers.size()) value = numbers[next];
    ++next;
  }
}

// UTF-16 code units decide the order of names: RFC 8785 section 3.2.3.
std::u16string utf16(std::string_view text) {
  std::u16string units;
  for (size_t at = 0; at < text.size();) {
    const size_t size = std::max<size_t>(utf8_sequence(text.substr(at)), 1);
    auto byte = [&](size_t i) { return static_cast<std::uint8_t>(text[at + i]); };
    std::uint32_t point = byte(0);
    if (size > 1) point &= 0xFFU >> (size + 1);
    for (size_t i = 1; i < size; ++i) point = (point << 6U) | (byte(i) & 0x3FU);
    if (point >= 0x10000U) {
      units += static_cast<char16_t>(0xD800U + ((point - 0x10000U) >> 10U));
      units += static_cast<char16_t>(0xDC00U + ((point - 0x10000U) & 0x3FFU));
    } else {
      units += static_cast<char16_t>(point);
    }
    at += size;
  }
  return units;
}

void append_text(std::string& out, std::string_view text) {
  out += '"';
  for (const char byte : text) {
    const auto code = static_cast<unsigned char>(byte);
    constexpr std::string_view kNamed = "\b\t\n\f\r\"\\";
    constexpr std::string_view kLetters = "btnfr\"\\";
    if (const size_t at = kNamed.find(byte); at != kNamed.npos) {
      out += '\\';
      out += kLetters[at];
    } else if (code < 0x20) {
      out += fmt::format("\\u{:04x}", code);
    } else {
      out += byte;
    }
  }
  out += '"';
}

// ECMAScript's Number::toString: the shortest digits, an exponent outside of 1e-7 to 1e21.
void append_number(std::string& out, double number) {
  if (number == 0 || !std::isfinite(number)) {
    out += '0';
    return;
  }
  char buffer[64];
  const auto written = std::to_chars(buffer, buffer + sizeof buffer, std::fabs(number),
                                     std::chars_format::scientific);
  const std::string_view text(buffer, static_cast<size_t>(written.ptr - buffer));
  const size_t mark = text.find('e');
  std::string digits(text.substr(0, mark));
  std::erase(digits, '.');
  int exponent = 0;
  const std::string_view power = text.substr(mark + (text[mark + 1] == '+' ? 2 : 1));
  std::from_chars(power.data(), power.data() + power.size(), exponent);
  ++exponent;
  const int count = static_cast<int>(digits.size());
  if (number < 0) out += '-';
  if (count <= exponent && exponent <= 21) {
    out += digits + std::string(static_cast<size_t>(exponent - count), '0');
  } else if (0 < exponent && exponent <= 21) {
    out += digits.substr(0, static_cast<size_t>(exponent)) + '.' +
           digits.substr(static_cast<size_t>(exponent));
  } else if (-6 < exponent && exponent <= 0) {
    out += "0." + std::string(static_cast<size_t>(-exponent), '0') + digits;
  } else {
    out += digits.substr(0, 1);
    if (count > 1) out += '.' + digits.substr(1);
    out += fmt::format("e{}{}", exponent > 0 ? '+' : '-', std::abs(exponent - 1));
  }
}

void append_canonical(std::string& out, const json::value& value) {
  switch (value.kind()) {
    case json::kind::object: {
      std::vector<std::pair<std::u16string, const json::key_value_pair*>> members;
      for (const auto& member : value.get_object()) {
        members.emplace_back(utf16({member.key().data(), member.key().size()}), &member);
      }
      std::ranges::sort(members, {}, [](const auto& member) { return member.first; });
      out += '{';
      for (size_t at = 0; at < members.size(); ++at) {
        if (at > 0) out += ',';
        append_text(out, {members[at].second->key().data(), members[at].second->key().size()});
        out += ':';
        append_canonical(out, members[at].second->value());
      }
      out += '}';
      break;
    }
    case json::kind::array: {
      out += '[';
      bool first = true;
      for (const json::value& item : value.get_array()) {
        if (!std::exchange(first, false)) out += ',';
        append_canonical(out, item);
      }
      out += ']';
      break;
    }
    case json::kind::string: append_text(out, view(value.get_string())); break;
    case json::kind::bool_: out += value.get_bool() ? "true" : "false"; break;
    case json::kind::null: out += "null"; break;
    case json::kind::int64: append_number(out, static_cast<double>(value.get_int64())); break;
    case json::kind::uint64: append_number(out, static_cast<double>(value.get_uint64())); break;
    case json::kind::double_: append_number(out, value.get_double()); break;
  }
}

void append_pretty(std::string& out, const json::value& value, size_t depth) {
  const std::string inner((depth + 1) * 2, ' ');
  if (const auto* object = value.if_object(); object != nullptr && !object->empty()) {
    out += "{\n";
    size_t left = object->size();
    for (const auto& member : *object) {
      out += inner;
      append_text(out, {member.key().data(), member.key().size()});
      out += ": ";
      append_pretty(out, member.value(), depth + 1);
      out += --left > 0 ? ",\n" : "\n";
    }
    out += std::string(depth * 2, ' ') + '}';
  } else if (const auto* array = value.if_array(); array != nullptr && !array->empty()) {
    out += "[\n";
    size_t left = array->size();
    for (const json::value& item : *array) {
      out += inner;
      append_pretty(out, item, depth + 1);
      out += --left > 0 ? ",\n" : "\n";
    }
    out += std::string(depth * 2, ' ') + ']';
  } else if (value.is_double()) {
    append_number(out, value.get_double());
  } else {
    out += json::serialize(value);
  }
}

}  // namespace

Result<json::value> parse_document(std::string_view text) {
  if (text.size() > kDocumentBytesMax) {
    return fail(Code::kLimit, fmt::format("it is longer than {} bytes", kDocumentBytesMax));
  }
  json::parse_options options;
  options.max_depth = kDocumentDepthMax;
  json::error_code problem;
  json::value value = json::parse({text.data(), text.size()}, problem, {}, options);
  if (problem) return fail(Code::kInvalid, "not JSON: " + problem.message());
  if (members_in(value) != members_written(text)) {
    return fail(Code::kInvalid, "an object has two members of the same name");
  }
  const auto fractions = fractions_written(text);
  size_t placed = 0;
  if (fractions) put_fractions(value, *fractions, placed);
  // A whole number beyond 64 bits is a double without a fraction: it has no exact value in I-JSON.
  if (!fractions || placed != fractions->size()) {
    return fail(Code::kInvalid, "a number is too large or too small");
  }
  return value;
}

std::string canonical(const json::value& value) {
  std::string out;
  append_canonical(out, value);
  return out;
}

std::string canonical_hash(const json::value& value) { return to_hex(sha256(canonical(value))); }

std::string pretty(const json::value& value) {
  std::string out;
  append_pretty(out, value, 0);
  return out + '\n';
}

const json::value* member_of(const json::object& object, std::string_view name) {
  return object.if_contains({name.data(), name.size()});
}

const json::value* member_of(const json::value& value, std::string_view name) {
  const auto* object = value.if_object();
  return object == nullptr ? nullptr : member_of(*object, name);
}

std::string text_of(const json::object& object, std::string_view name) {
  const json::value* value = member_of(object, name);
  return value != nullptr && value->is_string() ? std::string(view(value->get_string()))
                                                : std::string();
}

std::uint64_t number_of(const json::object& object, std::string_view name,
                        std::uint64_t otherwise) {
  const json::value* value = member_of(object, name);
  if (value == nullptr) return otherwise;
  if (value->is_uint64()) return value->get_uint64();
  if (value->is_int64() && value->get_int64() >= 0) {
    return static_cast<std::uint64_t>(value->get_int64());
  }
  return otherwise;
}

bool flag_of(const json::object& object, std::string_view name) {
  const json::value* value = member_of(object, name);
  return value != nullptr && value->is_bool() && value->get_bool();
}

std::vector<std::string> texts_of(const json::object& object, std::string_view name) {
  std::vector<std::string> texts;
  const json::value* value = member_of(object, name);
  if (value == nullptr || !value->is_array()) return texts;
  for (const json::value& item : value->get_array()) {
    if (item.is_string()) texts.emplace_back(view(item.get_string()));
  }
  return texts;
}

}  // namespace coff::playbook
