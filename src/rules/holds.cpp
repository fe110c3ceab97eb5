// Comparisons of values, as libsinsp makes them.
#include <algorithm>
#include <cstring>

#include "rules/evaluate.hpp"
#include "rules/operators.hpp"
#include "rules/text_match.hpp"

namespace coff::rules {

namespace {

using schema::Address;
using schema::Value;

template <typename T>
bool ordered(Operator op, const T& a, const T& b) {
  switch (op) {
    case Operator::kEqual:
    case Operator::kIn:
    case Operator::kIntersects: return a == b;
    case Operator::kNotEqual: return !(a == b);
    case Operator::kLess: return a < b;
    case Operator::kLessEqual: return !(b < a);
    case Operator::kGreater: return b < a;
    case Operator::kGreaterEqual: return !(a < b);
    default: return false;
  }
}

bool text_op(Operator op, std::string_view a, std::string_view b) {
  switch (op) {
    case Operator::kContains:
    case Operator::kBContains:
    case Operator::kIContains: return contains(a, b);
    case Operator::kStartsWith:
    case Operator::kBStartsWith: return a.starts_with(b);
    case Operator::kEndsWith: return a.ends_with(b);
    case Operator::kGlob: return glob_match(b, a, false);
    case Operator::kIGlob: return glob_match(b, a, true);
    default: return ordered(op, a, b);
  }
}

bool same_address(const Address& a, const Address& b) {
  return a.v6 == b.v6 && std::memcmp(a.bytes.data(), b.bytes.data(), a.v6 ? 16 : 4) == 0;
}

bool in_network(const Address& address, const Network& network) {
  if (address.v6 != network.address.v6) return false;
  const size_t whole = network.bits / 8;
  if (std::memcmp(address.bytes.data(), network.address.bytes.data(), whole) != 0) return false;
  const unsigned rest = network.bits % 8;
  if (rest == 0) return true;
  const unsigned mask = 0xFFU << (8 - rest);
  return ((address.bytes[whole] ^ network.address.bytes[whole]) & mask & 0xFFU) == 0;
}

// Calls `holds(index)` for the constants as the modifier and the operator say.
template <typename Holds>
bool combined(const Check& check, size_t count, Holds&& holds) {
  size_t hits = 0;
  if (check.modifier == Modifier::kNone && !is_set_operator(check.op)) {
    return count > 0 && holds(0);
  }
  for (size_t at = 0; at < count; ++at) {
    if (holds(at)) {
      ++hits;
      if (check.modifier == Modifier::kNone || check.modifier == Modifier::kAnyOf) return true;
      if (check.modifier == Modifier::kOneOf && hits > 1) return false;
    } else if (check.modifier == Modifier::kAllOf) {
      return false;
    }
  }
  return check.modifier == Modifier::kAllOf ? count > 0 : hits == 1;
}

bool regex_holds(const Check& check, size_t at, std::string_view text) {
  std::string buffer;
  const std::string_view valid = valid_utf8(text, buffer);
  const re2::StringPiece piece(valid.data(), valid.size());
  const re2::RE2& pattern = *check.constants.patterns[at];
  return check.op == Operator::kSearch ? re2::RE2::PartialMatch(piece, pattern)
                                       : re2::RE2::FullMatch(piece, pattern);
}

bool text_holds(const Check& check, std::string_view text) {
  const Constants& constants = check.constants;
  const bool exact = check.op == Operator::kEqual || check.op == Operator::kNotEqual;
  if (is_set_operator(check.op)) return constants.set.contains(text);
  if (check.op == Operator::kPmatch) return constants.prefixes.matches(text);
  if (check.op == Operator::kRegex || check.op == Operator::kSearch) {
    return combined(check, constants.patterns.size(),
                    [&](size_t at) { return regex_holds(check, at, text); });
  }
  if (exact && check.modifier == Modifier::kAnyOf && check.op == Operator::kEqual) {
    return constants.set.contains(text);
  }
  if (exact && check.modifier == Modifier::kAllOf && check.op == Operator::kNotEqual) {
    return !constants.set.empty() && !constants.set.contains(text);
  }
  std::string buffer;
  if (check.op == Operator::kIContains) text = buffer = lowered(text);
  return combined(check, constants.texts.size(),
                  [&](size_t at) { return text_op(check.op, text, constants.texts[at]); });
}

bool address_holds(const Check& check, const Source& left, const Address& address) {
  const Constants& constants = check.constants;
  const bool negated = check.op == Operator::kNotEqual;
  if (left.type == schema::Type::kNetwork) {
    return combined(check, constants.networks.size(), [&](size_t at) {
      return in_network(address, constants.networks[at]) != negated;
    });
  }
  return combined(check, constants.addresses.size(), [&](size_t at) {
    return same_address(address, constants.addresses[at]) != negated;
  });
}

/// One value against the constants of a check.
struct One {
  const Check& check;
  const Source& left;

  bool operator()(std::monostate) const { return false; }
  bool operator()(bool flag) const {
    return combined(check, check.constants.flags.size(), [&](size_t at) {
      return ordered(check.op, static_cast<int>(flag), static_cast<int>(check.constants.flags[at]));
    });
  }
  bool operator()(std::int64_t number) const {
    return combined(check, check.constants.numbers.size(), [&](size_t at) {
      return ordered(check.op, number, check.constants.numbers[at]);
    });
  }
  bool operator()(std::uint64_t number) const {
    return combined(check, check.constants.unsigneds.size(), [&](size_t at) {
      return ordered(check.op, number, check.constants.unsigneds[at]);
    });
  }
  bool operator()(std::string_view text) const { return text_holds(check, text); }
  bool operator()(const std::string& text) const { return text_holds(check, text); }
  bool operator()(const Address& address) const { return address_holds(check, left, address); }
  template <typename T>
  bool operator()(const std::vector<T>& list) const {
    const auto one = [this](const T& each) { return (*this)(each); };
    const bool all = (left.reach == Reach::kEnds && check.op == Operator::kNotEqual) ||
                     (left.reach == Reach::kList && check.op == Operator::kIn);
    return all ? !list.empty() && std::ranges::all_of(list, one) : std::ranges::any_of(list, one);
  }
};

std::string_view text_of_value(const Value& value) {
  if (const auto* view = std::get_if<std::string_view>(&value)) return *view;
  const auto* text = std::get_if<std::string>(&value);
  return text == nullptr ? std::string_view{} : std::string_view(*text);
}

/// One value against another one of the same type.
struct Pair {
  Operator op;
  const Source& left;
  const Value& right;

  bool operator()(std::monostate) const { return false; }
  bool operator()(bool flag) const {
    const auto* other = std::get_if<bool>(&right);
    return other != nullptr && ordered(op, static_cast<int>(flag), static_cast<int>(*other));
  }
  bool operator()(std::int64_t number) const { return plain(number); }
  bool operator()(std::uint64_t number) const { return plain(number); }
  bool operator()(std::string_view text) const {
    const std::string_view other = text_of_value(right);
    if (op == Operator::kIContains) return contains(lowered(text), lowered(other));
    return text_op(op, text, other);
  }
  bool operator()(const std::string& text) const { return (*this)(std::string_view(text)); }
  bool operator()(const Address& address) const {
    const auto* other = std::get_if<Address>(&right);
    return other != nullptr && same_address(address, *other) != (op == Operator::kNotEqual);
  }
  template <typename T>
  bool operator()(const std::vector<T>& list) const {
    const auto* other = std::get_if<std::vector<T>>(&right);
    if (other == nullptr) {
      return std::ranges::any_of(list, [this](const T& each) { return (*this)(each); });
    }
    const auto known = [&](const T& each) {
      return std::ranges::find(*other, each) != other->end();
    };
    return op == Operator::kIn ? !list.empty() && std::ranges::all_of(list, known)
                               : std::ranges::any_of(list, known);
  }
  template <typename T>
  [[nodiscard]] bool plain(T number) const {
    const T* other = std::get_if<T>(&right);
    return other != nullptr && ordered(op, number, *other);
  }
};

}  // namespace

bool holds(const Check& check, const Source& left, const Value& value) {
  return std::visit(One{check, left}, value);
}

bool holds_between(Operator op, const Source& left, const Value& a, const Value& b) {
  return std::visit(Pair{op, left, b}, a);
}

}  // namespace coff::rules
