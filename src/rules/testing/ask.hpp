// Asks one condition of one event, for tests of the room.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "rules/evaluate.hpp"
#include "rules/parser.hpp"

namespace coff::rules::testing {

using schema::Argument;
using schema::Field;
using schema::Subject;
using schema::Type;
using schema::Value;

inline Value text(std::string_view value) { return value; }

// The fields of the official compiler test's own mock, and what only its capture could hold.
inline std::vector<Field> mock_fields() {
  return {
      {"c.true", Type::kText, [](const Subject&, const Argument&) { return text("1"); }, "", "",
       ""},
      {"c.false", Type::kText, [](const Subject&, const Argument&) { return text("0"); }, "", "",
       ""},
      {"c.singlequote", Type::kText,
       [](const Subject&, const Argument&) { return text("hello 'quoted'"); }, "", "", ""},
      {"c.doublequote", Type::kText,
       [](const Subject&, const Argument&) { return text("hello \"quoted\""); }, "", "", ""},
      {"c.buffer", Type::kBytes, [](const Subject&, const Argument&) { return text("x"); }, "", "",
       ""},
  };
}

struct Answer {
  bool compiled = false;
  bool result = false;
  std::string message;
  std::vector<CompileWarning> warnings;
};

inline Answer ask(std::string_view condition, const Subject* subject,
                  std::vector<Field> extra = mock_fields()) {
  Answer answer;
  const auto parsed = parse_condition(condition);
  if (!parsed) {
    answer.message = parsed.error().message;
    return answer;
  }
  Program program(std::move(extra));
  const auto node = program.add(*parsed, {}, answer.warnings);
  if (!node) {
    answer.message = node.error().message;
    return answer;
  }
  answer.compiled = true;
  if (subject == nullptr) return answer;
  program.index_texts();
  Evaluation evaluation(program);
  evaluation.begin(*subject);
  const auto eval = [&](const auto& self, NodeId id) -> bool {
    const Node& each = program.nodes()[id];
    switch (each.type) {
      case Node::Type::kFalse: return false;
      case Node::Type::kTrue: return true;
      case Node::Type::kCheck: return evaluation.check(each.check);
      case Node::Type::kNot: return !self(self, each.children[0]);
      case Node::Type::kAnd:
        return std::ranges::all_of(each.children, [&](NodeId c) { return self(self, c); });
      case Node::Type::kOr: break;
    }
    return std::ranges::any_of(each.children, [&](NodeId c) { return self(self, c); });
  };
  answer.result = eval(eval, *node);
  return answer;
}

inline bool holds_for(const Event& event, std::string_view condition,
                      std::vector<Field> extra = {}) {
  const Subject subject{.event = event, .number = 1, .host = "box"};
  const Answer answer = ask(condition, &subject, std::move(extra));
  EXPECT_TRUE(answer.compiled) << condition << ": " << answer.message;
  return answer.result;
}

}  // namespace coff::rules::testing
