// Values on the right of operators, parsed for the type of the left; which operators suit a type.
#include <arpa/inet.h>
#include <netdb.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/bytes.hpp"
#include "rules/operators.hpp"
#include "rules/program.hpp"
#include "rules/text_match.hpp"

namespace coff::rules {

namespace {

using schema::Address;
using schema::Type;

constexpr size_t kPatternBytesMax = size_t{64} << 10;

using Bad = std::optional<std::string>;

template <typename T>
std::optional<T> whole_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  T number{};
  const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = end.ec == std::errc{} && end.ptr == text.data() + text.size();
  return whole && !text.empty() ? std::optional(number) : std::nullopt;
}

std::optional<std::uint64_t> service_port(const std::string& name) {
  servent entry{};
  servent* found = nullptr;
  char buffer[2048];
  if (getservbyname_r(name.c_str(), nullptr, &entry, buffer, sizeof buffer, &found) != 0 ||
      found == nullptr) {
    return std::nullopt;
  }
  return ntohs(static_cast<std::uint16_t>(found->s_port));
}

std::optional<Address> address(const std::string& text) {
  Address parsed;
  parsed.v6 = text.find('.') == text.npos || text.find(':') != text.npos;
  const int family = parsed.v6 ? AF_INET6 : AF_INET;
  if (inet_pton(family, text.c_str(), parsed.bytes.data()) != 1) return std::nullopt;
  return parsed;
}

std::optional<Network> network(const std::string& text) {
  const size_t slash = text.find('/');
  if (slash == text.npos) return std::nullopt;
  const auto base = address(text.substr(0, slash));
  const auto bits = whole_number<unsigned>(std::string_view(text).substr(slash + 1));
  if (!base || !bits || *bits > (base->v6 ? 128U : 32U)) return std::nullopt;
  return Network{*base, *bits};
}

Bad add_pattern(Constants& out, Operator op, const std::string& text) {
  if (text.size() > kPatternBytesMax) return "a regular expression longer than 64 KiB";
  re2::RE2::Options options(op == Operator::kRegex ? re2::RE2::POSIX : re2::RE2::DefaultOptions);
  options.set_log_errors(false);
  auto pattern = std::make_unique<re2::RE2>(text, options);
  if (!pattern->ok()) return "invalid regular expression '" + text + "': " + pattern->error();
  out.patterns.push_back(std::move(pattern));
  return std::nullopt;
}

Bad add_text(Constants& out, Operator op, Type type, const std::string& text) {
  if (type != Type::kBytes && text.find('\0') != text.npos) {
    return "a text with a zero byte can't be compared with";
  }
  if (op == Operator::kBContains || op == Operator::kBStartsWith) {
    auto bytes = from_hex(text);
    if (!bytes) return "'" + text + "' is not hexadecimal";
    out.texts.push_back(std::move(*bytes));
    return std::nullopt;
  }
  if (op == Operator::kRegex || op == Operator::kSearch) return add_pattern(out, op, text);
  if (op == Operator::kIContains) {
    out.texts.push_back(lowered(text));
    return std::nullopt;
  }
  if (op == Operator::kPmatch) out.prefixes.add(text);
  else if (is_set_operator(op)) out.set.insert(text);
  out.texts.push_back(text);
  return std::nullopt;
}

Bad add_constant(Constants& out, const Source& left, Operator op, const std::string& text) {
  const std::string shown = "'" + text.substr(0, 64) + "'";
  switch (left.type) {
    case Type::kText:
    case Type::kPath:
    case Type::kBytes: return add_text(out, op, left.type, text);
    case Type::kBool:
      if (text != "true" && text != "false") return shown + " is not a valid boolean value";
      out.flags.push_back(text == "true");
      return std::nullopt;
    case Type::kInteger:
    case Type::kTime: {
      const auto number = whole_number<std::int64_t>(text);
      if (!number) return shown + " is not a valid number";
      out.numbers.push_back(*number);
      return std::nullopt;
    }
    case Type::kPort:
    case Type::kUnsigned:
    case Type::kDuration: {
      auto number = whole_number<std::uint64_t>(text);
      // As the C library reads it: a negative number is one near the top.
      if (const auto negative = whole_number<std::int64_t>(text); !number && negative) {
        number = static_cast<std::uint64_t>(*negative);
      }
      if (!number && left.type == Type::kPort) number = service_port(text);
      if (!number) return shown + " is not a valid number";
      out.unsigneds.push_back(*number);
      return std::nullopt;
    }
    case Type::kAddress: {
      const auto parsed = address(text);
      if (!parsed) return "unrecognized IP address " + shown;
      out.addresses.push_back(*parsed);
      return std::nullopt;
    }
    case Type::kNetwork: break;
  }
  const auto parsed = network(text);
  if (!parsed) return "unrecognized IP network " + shown;
  out.networks.push_back(*parsed);
  return std::nullopt;
}

// Whether values of the type take the operator.
bool suits(Type type, Operator op) {
  using enum Operator;
  if (op == kExists || op == kEqual || op == kNotEqual || is_set_operator(op)) return true;
  switch (type) {
    case Type::kText:
    case Type::kPath: return op != kBContains && op != kBStartsWith;
    case Type::kBytes:
      return op == kContains || op == kStartsWith || op == kEndsWith || op == kBContains ||
             op == kBStartsWith;
    case Type::kBool:
    case Type::kAddress:
    case Type::kNetwork: return false;
    default: return is_numeric_operator(op);
  }
}

}  // namespace

std::optional<std::string> refuse_operator(const Source& left, Operator op, Modifier modifier) {
  const std::string name(operator_name(op));
  if (left.reach == Reach::kList) {
    const bool good =
        modifier == Modifier::kNone && (op == Operator::kExists || is_set_operator(op));
    if (good) return std::nullopt;
    return "operator '" + name + "' can't be used with the list '" + left.name + "'";
  }
  if (suits(left.type, op)) return std::nullopt;
  return "operator '" + name + "' not supported for the type of '" + left.name + "', " +
         std::string(schema::type_name(left.type));
}

std::expected<Constants, std::string> parse_constants(const Source& left, Operator op,
                                                      const std::vector<std::string>& texts) {
  Constants constants;
  for (const std::string& text : texts) {
    if (auto bad = add_constant(constants, left, op, text)) return std::unexpected(std::move(*bad));
  }
  return constants;
}

}  // namespace coff::rules
