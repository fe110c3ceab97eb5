// Transformers: values made of values.
#include <algorithm>

#include "rules/evaluate.hpp"
#include "rules/text_match.hpp"

namespace coff::rules {

namespace {

using schema::TextList;
using schema::Value;

// Concatenating can repeat a value; no result is longer.
constexpr size_t kResultBytesMax = size_t{1} << 20;

std::string_view text_of(const Value& value) {
  if (const auto* view = std::get_if<std::string_view>(&value)) return *view;
  const auto* text = std::get_if<std::string>(&value);
  return text == nullptr ? std::string_view{} : std::string_view(*text);
}

int base64_digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

// Padding may be left out.
Value decode_base64(std::string_view text) {
  while (text.ends_with('=')) text.remove_suffix(1);
  if (text.size() % 4 == 1) return {};
  std::string out;
  unsigned bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    const int digit = base64_digit(c);
    if (digit < 0) return {};
    bits = (bits << 6 | static_cast<unsigned>(digit)) & 0xFFFFFF;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>(bits >> count & 0xFF);
  }
  return out;
}

Value length_of(const Value& value) {
  if (const auto* list = std::get_if<TextList>(&value)) return std::uint64_t{list->size()};
  if (const auto* list = std::get_if<schema::NumberList>(&value)) {
    return std::uint64_t{list->size()};
  }
  if (const auto* list = std::get_if<schema::AddressList>(&value)) {
    return std::uint64_t{list->size()};
  }
  return std::uint64_t{text_of(value).size()};
}

TextList split(std::string_view text) {
  TextList list;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(' ', at), text.size());
    if (end > at) list.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return list;
}

/// Options as getopt(3) reads them: letters behind "-", a value for letters with ":"; long options
/// are skipped, "--", "-" and the first other argument end them.
struct Options {
  TextList list;  ///< Letters and values in order, "?" for an unknown letter.
  std::vector<std::pair<char, std::string>> values;
};

Options read_options(const TextList& arguments, std::string_view letters) {
  Options options;
  for (size_t at = 0; at < arguments.size(); ++at) {
    const std::string& argument = arguments[at];
    if (argument == "--" || argument.size() < 2 || argument[0] != '-') break;
    if (argument.starts_with("--")) continue;
    for (size_t i = 1; i < argument.size(); ++i) {
      const size_t known = argument[i] == ':' ? letters.npos : letters.find(argument[i]);
      if (known == letters.npos) {
        options.list.emplace_back("?");
        continue;
      }
      options.list.emplace_back(1, argument[i]);
      std::string value;
      const bool wants_value = known + 1 < letters.size() && letters[known + 1] == ':';
      if (wants_value && i + 1 < argument.size()) value = argument.substr(i + 1);
      else if (wants_value && at + 1 < arguments.size()) value = arguments[++at];
      options.values.emplace_back(argument[i], value);
      if (!wants_value) continue;
      options.list.push_back(std::move(value));
      break;
    }
  }
  return options;
}

Value option(const Source& source, const Value& input, std::string_view letters) {
  const auto* list = std::get_if<TextList>(&input);
  Options options =
      list != nullptr ? read_options(*list, letters) : read_options(split(text_of(input)), letters);
  if (!source.pick) return std::move(options.list);
  Value found;
  for (auto& [letter, value] : options.values) {
    if (source.pick->size() == 1 && source.pick->front() == letter) found = std::move(value);
  }
  return found;
}

Value join(std::string_view separator, const Value& value) {
  const auto* list = std::get_if<TextList>(&value);
  if (list == nullptr) return {};
  std::string text;
  for (const std::string& each : *list) {
    if (&each != list->data()) text += separator;
    text += each;
    if (text.size() > kResultBytesMax) return {};
  }
  return text;
}

}  // namespace

Value transformed(const Source& source, const std::vector<const Value*>& inputs) {
  if (source.kind == Source::Kind::kList) {
    TextList list;
    for (const Value* input : inputs) list.emplace_back(text_of(*input));
    return list;
  }
  const Value& first = *inputs.front();
  switch (source.transform) {
    case Transform::kVal: return first;
    case Transform::kToLower: return lowered(text_of(first));
    case Transform::kToUpper: return uppered(text_of(first));
    case Transform::kB64: return decode_base64(text_of(first));
    case Transform::kBasename: {
      const std::string_view path = text_of(first);
      return std::string(path.substr(path.rfind('/') + 1));
    }
    case Transform::kLen: return length_of(first);
    case Transform::kJoin: return join(text_of(first), *inputs[1]);
    case Transform::kGetopt: return option(source, first, text_of(*inputs[1]));
    case Transform::kConcat: break;
  }
  std::string text;
  for (const Value* input : inputs) {
    text += text_of(*input);
    if (text.size() > kResultBytesMax) return {};
  }
  return text;
}

}  // namespace coff::rules
