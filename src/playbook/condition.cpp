// Decides a condition over the values of variables, typed as the variable on the left is.
#include "playbook/condition.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <compare>

#include "playbook/variables.hpp"

namespace coff::playbook {
namespace {

constexpr std::int64_t kPatternMemoryBytes = 1 << 20;

/// An IPv4 or IPv6 network; an address is one of full length.
struct Network {
  std::array<std::uint8_t, 16> bytes{};
  unsigned bits = 0;
  unsigned width = 0;
};

std::optional<Network> network_of(std::string_view text) {
  Network network;
  const std::string address(text.substr(0, text.find('/')));
  if (inet_pton(AF_INET, address.c_str(), network.bytes.data()) == 1) network.width = 32;
  else if (inet_pton(AF_INET6, address.c_str(), network.bytes.data()) == 1) network.width = 128;
  else return std::nullopt;
  network.bits = network.width;
  if (address.size() == text.size()) return network;
  const std::string_view bits = text.substr(address.size() + 1);
  const auto [end, problem] = std::from_chars(bits.data(), bits.data() + bits.size(), network.bits);
  if (problem != std::errc() || end != bits.data() + bits.size() || network.bits > network.width) {
    return std::nullopt;
  }
  return network;
}

bool is_inside(const Network& inner, const Network& outer) {
  if (inner.width != outer.width || inner.bits < outer.bits) return false;
  for (unsigned bit = 0; bit < outer.bits; ++bit) {
    const unsigned mask = 0x80U >> (bit % 8);
    if (((inner.bytes[bit / 8] ^ outer.bytes[bit / 8]) & mask) != 0) return false;
  }
  return true;
}

// % is any text, _ one byte: two pointers with one place to come back to, so never exponential.
bool is_like(std::string_view text, std::string_view pattern) {
  size_t at = 0;
  size_t in = 0;
  size_t star = std::string_view::npos;
  size_t back = 0;
  while (at < text.size()) {
    if (in < pattern.size() && pattern[in] == '%') {
      star = in++;
      back = at;
    } else if (in < pattern.size() && (pattern[in] == '_' || pattern[in] == text[at])) {
      ++in;
      ++at;
    } else if (star != std::string_view::npos) {
      in = star + 1;
      at = ++back;
    } else {
      return false;
    }
  }
  while (in < pattern.size() && pattern[in] == '%') ++in;
  return in == pattern.size();
}

template <typename T>
Result<T> number_of_text(std::string_view text, std::string_view type) {
  T number{};
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc() || end != text.data() + text.size()) {
    return fail(Code::kInvalid, fmt::format("\"{}\" is no {}", text, type));
  }
  return number;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& byte : out) {
    if (byte >= 'A' && byte <= 'Z') byte = static_cast<char>(byte - 'A' + 'a');
  }
  return out;
}

bool ignores_case(std::string_view type) {
  return type == "hexstring" || type == "md5-hash" || type == "sha256-hash" || type == "hash" ||
         type == "mac-addr" || type == "uuid" || type == "ipv6-addr" || type == "bool";
}

/// Order of two values of one type.
Result<std::partial_ordering> order(std::string_view type, const std::string& left,
                                    const std::string& right) {
  if (type == "integer" || type == "long") {
    return TRY(number_of_text<std::int64_t>(left, type)) <=>
           TRY(number_of_text<std::int64_t>(right, type));
  }
  if (type == "float") {
    return TRY(number_of_text<double>(left, type)) <=> TRY(number_of_text<double>(right, type));
  }
  if (!value_fits(type, right)) {
    return fail(Code::kInvalid, fmt::format("\"{}\" is no {}", right, type));
  }
  if (ignores_case(type)) return lower(left) <=> lower(right);
  return left <=> right;
}

}  // namespace

Result<bool> Condition::compare_one(const Node& node, const Variable& left,
                                    const std::string& right) {
  const std::string& value = *left.value;
  switch (node.compare) {
    case Operator::kLike: return is_like(value, right);
    case Operator::kMatches: {
      RE2::Options options;
      options.set_log_errors(false);
      options.set_max_mem(kPatternMemoryBytes);
      const RE2 pattern(right, options);
      if (!pattern.ok()) return fail(Code::kInvalid, "not a regular expression: " + right);
      return RE2::PartialMatch(value, pattern);
    }
    case Operator::kIsSubset:
    case Operator::kIsSuperset: {
      const auto mine = network_of(value);
      const auto other = network_of(right);
      if (!mine || !other) return fail(Code::kInvalid, "ISSUBSET and ISSUPERSET compare networks");
      return node.compare == Operator::kIsSubset ? is_inside(*mine, *other)
                                                 : is_inside(*other, *mine);
    }
    default: break;
  }
  const std::partial_ordering ordered = TRY(order(left.type, value, right));
  switch (node.compare) {
    case Operator::kNotEqual: return ordered != 0;
    case Operator::kLess: return ordered < 0;
    case Operator::kLessEqual: return ordered <= 0;
    case Operator::kGreater: return ordered > 0;
    case Operator::kGreaterEqual: return ordered >= 0;
    default: return ordered == 0;
  }
}

Result<bool> Condition::compare(const Node& node, const FindVariable& find) {
  const Variable* left = find(node.variable);
  if (left == nullptr) return fail(Code::kInvalid, node.variable + " is not declared");
  if (!left->value) return false;
  bool held = false;
  for (const Value& each : node.values) {
    std::string right = each.text;
    if (each.variable) {
      const Variable* variable = find(each.text);
      if (variable == nullptr) return fail(Code::kInvalid, each.text + " is not declared");
      if (!variable->value) return false;
      right = *variable->value;
    }
    held = held || TRY(compare_one(node, *left, right));
  }
  return held != node.negated;
}

Result<bool> Condition::holds(const Node& node, const FindVariable& find) {
  switch (node.sort) {
    case Sort::kComparison: return compare(node, find);
    case Sort::kNot: return !TRY(holds(node.children.front(), find));
    case Sort::kAnd:
    case Sort::kOr: break;
  }
  const bool ends = node.sort == Sort::kOr;
  for (const Node& child : node.children) {
    if (TRY(holds(child, find)) == ends) return ends;
  }
  return !ends;
}

Result<bool> Condition::holds(const FindVariable& find) const { return holds(root_, find); }

void Condition::collect(const Node& node, std::vector<std::string>& names) {
  const auto add = [&](const std::string& name) {
    if (!name.empty() && std::ranges::find(names, name) == names.end()) names.push_back(name);
  };
  add(node.variable);
  for (const Value& value : node.values) {
    if (value.variable) add(value.text);
  }
  for (const Node& child : node.children) collect(child, names);
}

std::vector<std::string> Condition::variables() const {
  std::vector<std::string> names;
  collect(root_, names);
  return names;
}

}  // namespace coff::playbook
