// Private to the room: how operators and transformers are spelled, in the order they are tried.
#pragma once

#include <string>
#include <string_view>

#include "rules/ast.hpp"

namespace coff::rules {

struct Spelling {
  std::string_view text;
  Operator op;
  bool blank_behind;  ///< A word that needs a blank behind it.
};

inline constexpr Spelling kSpellings[] = {
    {"exists", Operator::kExists, false},
    {"<=", Operator::kLessEqual, false},
    {"<", Operator::kLess, false},
    {">=", Operator::kGreaterEqual, false},
    {">", Operator::kGreater, false},
    {"==", Operator::kEqual, false},
    {"=", Operator::kEqual, false},
    {"!=", Operator::kNotEqual, false},
    {"glob", Operator::kGlob, true},
    {"iglob", Operator::kIGlob, true},
    {"contains", Operator::kContains, true},
    {"icontains", Operator::kIContains, true},
    {"bcontains", Operator::kBContains, true},
    {"startswith", Operator::kStartsWith, true},
    {"bstartswith", Operator::kBStartsWith, true},
    {"endswith", Operator::kEndsWith, true},
    {"regex", Operator::kRegex, true},
    {"intersects", Operator::kIntersects, false},
    {"in", Operator::kIn, false},
    {"pmatch", Operator::kPmatch, false},
};

/// Those that may stand on either side.
inline constexpr Transform kTransforms[] = {
    Transform::kToLower, Transform::kToUpper, Transform::kB64,    Transform::kBasename,
    Transform::kLen,     Transform::kJoin,    Transform::kConcat, Transform::kGetopt,
};

inline bool is_numeric_operator(Operator op) {
  return op >= Operator::kLess && op <= Operator::kGreaterEqual;
}

inline bool is_set_operator(Operator op) {
  return op == Operator::kIn || op == Operator::kIntersects;
}

/// "'exists', '<=', …", for messages.
std::string operator_list();
std::string transform_list();

}  // namespace coff::rules
