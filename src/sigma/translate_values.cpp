// Translates values that are no plain texts: numbers, addresses, networks, regular expressions,
// other fields.
#include <arpa/inet.h>
#include <re2/re2.h>

#include <algorithm>
#include <charconv>

#include "sigma/match_texts.hpp"
#include "sigma/translate.hpp"

namespace coff::sigma {

namespace {

using rules::Operator;
using schema::Type;

constexpr size_t kRegexBytesMax = size_t{64} << 10;

std::string as_text(const std::string& name) { return "sigma.text[" + name + ']'; }

Meaning text_meaning(const Meaning& meaning) {
  Meaning made{.names = {}, .type = Type::kText, .network = {}};
  for (const std::string& name : meaning.names) made.names.push_back(as_text(name));
  return made;
}

bool is_text(Type type) { return type == Type::kText || type == Type::kPath; }

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t number = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = end.ec == std::errc{} && end.ptr == text.data() + text.size();
  return whole && !text.empty() ? std::optional(number) : std::nullopt;
}

bool is_address(const std::string& text) {
  unsigned char bytes[16];
  return inet_pton(text.find(':') == text.npos ? AF_INET : AF_INET6, text.c_str(), bytes) == 1;
}

// "10.0.0.0/8" as it is, an address as the network of itself alone.
std::optional<std::string> network_text(const std::string& text) {
  const size_t slash = std::min(text.find('/'), text.size());
  const std::string address = text.substr(0, slash);
  const std::int64_t bits_max = address.find(':') == address.npos ? 32 : 128;
  if (!is_address(address)) return std::nullopt;
  const auto bits = slash == text.size() ? std::optional(bits_max)
                                         : whole_number(std::string_view(text).substr(slash + 1));
  if (!bits || *bits < 0 || *bits > bits_max) return std::nullopt;
  return address + '/' + std::to_string(*bits);
}

// The single text of each value; nothing when some value has a wildcard or several alternatives.
std::optional<std::vector<std::string>> plain_texts(const Prepared& prepared) {
  std::vector<std::string> texts;
  for (const Wanted& wanted : prepared.wanted) {
    if (wanted.patterns.size() != 1 || !wanted.patterns.front().is_text()) return std::nullopt;
    texts.push_back(wanted.patterns.front().runs.front());
  }
  return texts;
}

// Some or all of the texts stand in the relation to the field.
Part compare(const std::string& name, Operator op, bool all,
             const std::vector<std::string>& texts) {
  std::vector<Part> parts;
  if (!all && op == Operator::kEqual && texts.size() > 1) {
    return Part::of(check(field_operand(name), Operator::kIn, list_operand(texts)));
  }
  for (const std::string& text : texts) {
    parts.push_back(Part::of(check(field_operand(name), op, text_operand(text))));
  }
  return part_chain(all, std::move(parts));
}

}  // namespace

Part ItemTranslator::numbers(const Prepared& prepared, const Meaning& meaning) {
  const auto texts = plain_texts(prepared);
  const bool whole = texts && std::ranges::all_of(*texts, [](const auto& t) {
                       return whole_number(t).has_value();
                     });
  const Where where = prepared.wanted.front().where;
  if (prepared.how == Prepared::How::kNumber && !whole) {
    return refuse("a whole number is wanted here", where);
  }
  std::vector<std::string> names = meaning.names;
  if (!prepared.time_part.empty()) {
    if (meaning.type != Type::kTime) return refuse("the field is no time", where);
    for (std::string& name : names) name = prepared.time_part + '[' + name + ']';
  } else if (is_text(meaning.type)) {
    for (std::string& name : names) name = "sigma.number[" + name + ']';
  } else if (!whole || meaning.type == Type::kBool) {
    // "80*", "true": compared as it would be printed.
    return this->texts(prepared, text_meaning(meaning), false);
  }
  std::vector<Part> parts;
  for (const std::string& name : names) {
    parts.push_back(compare(name, prepared.op, prepared.all, *texts));
  }
  return part_chain(false, std::move(parts));
}

Part ItemTranslator::addresses(const Prepared& prepared, const Meaning& meaning) {
  const auto texts = plain_texts(prepared);
  if (!texts || !std::ranges::all_of(*texts, is_address)) {
    return this->texts(prepared, text_meaning(meaning), false);
  }
  return compare(meaning.names.front(), Operator::kEqual, prepared.all, *texts);
}

Part ItemTranslator::networks(const Prepared& prepared, const Meaning& meaning) {
  std::vector<std::string> networks;
  for (const Wanted& wanted : prepared.wanted) {
    const auto network = network_text(wanted.text);
    if (!network) {
      return refuse("'" + wanted.text.substr(0, 64) + "' is no network such as 10.0.0.0/8",
                    wanted.where);
    }
    networks.push_back(*network);
  }
  if (meaning.network.empty()) {
    return refuse("'cidr' needs the field of an address", prepared.wanted.front().where);
  }
  return compare(meaning.network, Operator::kEqual, prepared.all, networks);
}

Part ItemTranslator::regexes(const Prepared& prepared, const Meaning& meaning) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  for (const Wanted& wanted : prepared.wanted) {
    if (wanted.text.size() > kRegexBytesMax) {
      return refuse("a regular expression longer than 64 KiB", wanted.where);
    }
    const re2::RE2 pattern(wanted.text, options);
    if (!pattern.ok()) {
      return refuse("a regular expression that RE2 does not take: " + pattern.error(),
                    wanted.where);
    }
  }
  const Meaning texts = is_text(meaning.type) ? meaning : text_meaning(meaning);
  std::vector<Part> parts;
  for (const std::string& name : texts.names) {
    std::vector<Part> values;
    for (const Wanted& wanted : prepared.wanted) {
      values.push_back(
          Part::of(check(field_operand(name), Operator::kSearch, text_operand(wanted.text))));
    }
    parts.push_back(part_chain(prepared.all, std::move(values)));
  }
  return part_chain(false, std::move(parts));
}

Part ItemTranslator::other_field(const Prepared& prepared, const Meaning& meaning) {
  const auto lowered = [&](const Meaning& of) {
    const std::string& name = of.names.front();
    rules::Operand field = field_operand(is_text(of.type) ? name : as_text(name));
    rules::Operand made{.type = rules::Operand::Type::kTransform, .text = {}, .argument = {}};
    made.transform = prepared.cased ? rules::Transform::kConcat : rules::Transform::kToLower;
    // A transformer of two texts: the second adds nothing.
    made.items.push_back(std::move(field));
    if (prepared.cased) made.items.push_back(text_operand(""));
    return made;
  };
  std::vector<Part> parts;
  for (const Wanted& wanted : prepared.wanted) {
    const auto other = view_.meaning(wanted.text);
    if (!other) {
      return refuse("the field '" + wanted.text.substr(0, 64) + "' is not known", wanted.where);
    }
    parts.push_back(Part::of(check(lowered(meaning), prepared.op, lowered(*other))));
  }
  return part_chain(prepared.all, std::move(parts));
}

}  // namespace coff::sigma
