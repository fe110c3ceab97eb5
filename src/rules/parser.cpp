// Reads a condition into a tree: a recursive descent, one function for each production.
#include "rules/parser.hpp"

#include <algorithm>

#include "rules/lexer.hpp"
#include "rules/operators.hpp"

namespace coff::rules {

namespace {

class Parser {
 public:
  Parser(std::string_view text, unsigned depth_max) : lexer_(text), depth_max_(depth_max) {}

  bool whole(Expression& out) {
    if (!either(out)) return false;
    if (lexer_.at_end()) return true;
    return fail("unexpected token after '" + shown(lexer_.token()) + "', expecting 'or', 'and'");
  }

  bool operand(Operand& out) {
    out.place = lexer_.place();
    if (lexer_.field_name()) return field_rest(out);
    if (const auto transform = transform_start()) return transform_rest(out, *transform);
    return fail("expected a field or a transformer");
  }

  [[nodiscard]] ParseError error() const { return {message_, place_}; }
  [[nodiscard]] size_t consumed() const { return lexer_.place().offset; }

 private:
  /// Counts one nested production as long as it lives.
  class Depth {
   public:
    explicit Depth(unsigned& depth) : depth_(depth) { ++depth_; }
    ~Depth() { --depth_; }
    Depth(const Depth&) = delete;
    Depth& operator=(const Depth&) = delete;

   private:
    unsigned& depth_;
  };

  static std::string shown(std::string_view token) { return std::string(token.substr(0, 64)); }

  bool fail(std::string message) {
    if (message_.empty()) {
      message_ = std::move(message);
      place_ = lexer_.place();
    }
    return false;
  }
  bool deep() {
    if (depth_ < depth_max_) return false;
    fail("exceeded max depth limit of " + std::to_string(depth_max_));
    return true;
  }

  bool either(Expression& out) { return chain(out, "or", Expression::Type::kOr); }
  bool both(Expression& out) { return chain(out, "and", Expression::Type::kAnd); }

  bool link(Expression& out, bool is_or) { return is_or ? both(out) : negation(out); }

  bool chain(Expression& out, std::string_view word, Expression::Type type) {
    const Depth depth(depth_);
    if (deep()) return false;
    const bool is_or = type == Expression::Type::kOr;
    const Place place = lexer_.place();
    lexer_.blank();
    Expression first;
    if (!link(first, is_or)) return false;
    std::vector<Expression> children;
    lexer_.blank();
    while (lexer_.literal(word)) {
      if (children.empty()) children.push_back(std::move(first));
      Expression& child = children.emplace_back();
      if (lexer_.blank()) {
        if (!link(child, is_or)) return false;
      } else if (lexer_.literal("(")) {
        if (!embedded(child)) return false;
      } else {
        return fail("expected blank or '(' after '" + std::string(word) + "'");
      }
      lexer_.blank();
    }
    if (children.empty()) {
      out = std::move(first);
      return true;
    }
    out.type = type;
    out.place = place;
    out.children = std::move(children);
    return true;
  }

  bool negation(Expression& out) {
    const Depth depth(depth_);
    if (deep()) return false;
    const Place place = lexer_.place();
    lexer_.blank();
    bool negated = false;
    while (lexer_.word("not")) negated = !negated;
    Expression child;
    if (lexer_.literal("not(")) {
      negated = !negated;
      if (!embedded(child)) return false;
    } else if (!check(child)) {
      return false;
    }
    if (!negated) {
      out = std::move(child);
      return true;
    }
    out.type = Expression::Type::kNot;
    out.place = place;
    out.children.push_back(std::move(child));
    return true;
  }

  bool embedded(Expression& out) {
    const Depth depth(depth_);
    if (deep()) return false;
    lexer_.blank();
    if (!either(out)) return false;
    lexer_.blank();
    return lexer_.literal(")") || fail("expected a ')' token");
  }

  bool check(Expression& out) {
    const Depth depth(depth_);
    if (deep()) return false;
    lexer_.blank();
    const Place place = lexer_.place();
    if (lexer_.literal("(")) return embedded(out);
    out.place = out.left.place = place;
    if (lexer_.field_name()) {
      out.type = Expression::Type::kCheck;
      return field_rest(out.left) && condition(out);
    }
    if (const auto transform = transform_start()) {
      out.type = Expression::Type::kCheck;
      return transform_rest(out.left, *transform) && condition(out);
    }
    if (lexer_.identifier()) {
      out.name = lexer_.token();
      return true;
    }
    return fail("expected a '(' token, a field check, or an identifier");
  }

  // Behind the name of a field.
  bool field_rest(Operand& out) {
    out.type = Operand::Type::kField;
    out.text = lexer_.token();
    return !lexer_.literal("[") || bracket_rest(out);
  }

  bool bracket_rest(Operand& out) {
    if (!lexer_.quoted_text() && !lexer_.field_argument()) {
      return fail("expected a valid field argument: a quoted string or a bare string");
    }
    out.argument = lexer_.token();
    return lexer_.literal("]") || fail("expected a ']' token");
  }

  std::optional<Transform> transform_start() {
    for (const Transform each : kTransforms) {
      if (lexer_.literal(std::string(transform_name(each)) + '(')) return each;
    }
    return std::nullopt;
  }

  // Behind "name(".
  bool transform_rest(Operand& out, Transform transform) {
    const Depth depth(depth_);
    if (deep()) return false;
    out.type = Operand::Type::kTransform;
    out.transform = transform;
    do {
      lexer_.blank();
      if (!argument(out.items.emplace_back(), true)) return false;
      lexer_.blank();
    } while (lexer_.literal(","));
    if (!lexer_.literal(")")) return fail("expected a ')' token closing the transformer");
    return !lexer_.literal("[") || bracket_rest(out);
  }

  // Only the top level of arguments may hold a list.
  bool argument(Operand& out, bool may_be_list) {
    out.place = lexer_.place();
    if (lexer_.hexadecimal() || lexer_.number()) {
      out.type = Operand::Type::kNumber;
      out.text = lexer_.token();
      return true;
    }
    if (lexer_.quoted_text()) {
      out.text = lexer_.token();
      return true;
    }
    if (may_be_list && lexer_.literal("(")) return argument_list(out);
    if (const auto transform = transform_start()) return transform_rest(out, *transform);
    if (lexer_.field_name()) return field_rest(out);
    return fail(lexer_.error().empty()
                    ? "expected a field, a quoted string, a number, a list or a nested transformer"
                    : lexer_.error());
  }

  bool argument_list(Operand& out) {
    const Depth depth(depth_);
    if (deep()) return false;
    out.type = Operand::Type::kList;
    lexer_.blank();
    if (lexer_.literal(")")) return true;
    do {
      lexer_.blank();
      if (!argument(out.items.emplace_back(), false)) return false;
      lexer_.blank();
    } while (lexer_.literal(","));
    return lexer_.literal(")") || fail("expected a ')' token");
  }

  bool condition(Expression& out) {
    const Depth depth(depth_);
    if (deep()) return false;
    lexer_.blank();
    for (const Spelling& each : kSpellings) {
      const bool found = each.blank_behind ? lexer_.word(each.text) : lexer_.literal(each.text);
      if (!found) continue;
      out.op = each.op;
      out.doubled = each.text == "==";
      if (out.op == Operator::kExists) return true;
      if (is_numeric_operator(out.op)) return number_value(out.right);
      if (is_list_operator(out.op)) return list_value(out.right);
      const bool blank_before = each.blank_behind || lexer_.blank();
      if (blank_before && modifier(out.modifier)) return list_value(out.right);
      return text_value(out.right);
    }
    return fail("expected a valid check operator: one of " + operator_list());
  }

  // A modifier is one only when a list follows; otherwise the word is the value.
  bool modifier(Modifier& out) {
    const Place before = lexer_.place();
    for (const Modifier each : {Modifier::kOneOf, Modifier::kAnyOf, Modifier::kAllOf}) {
      if (!lexer_.word(modifier_name(each))) continue;
      const Place behind = lexer_.place();
      bool follows = lexer_.literal("(");
      if (!follows && lexer_.identifier()) {
        const std::string& word = lexer_.token();
        follows = word != "and" && word != "or" && word != "not";
      }
      lexer_.back_to(follows ? behind : before);
      if (follows) out = each;
      return follows;
    }
    return false;
  }

  bool number_value(Operand& out) {
    const Depth depth(depth_);
    if (deep()) return false;
    lexer_.blank();
    if (transform_or_val(out) || !message_.empty()) return message_.empty();
    if (lexer_.hexadecimal() || lexer_.number()) {
      out.text = lexer_.token();
      return true;
    }
    return fail("expected a number value or a field with a valid transformer: " + transform_list());
  }

  bool text_value(Operand& out) {
    const Depth depth(depth_);
    if (deep()) return false;
    lexer_.blank();
    if (transform_or_val(out) || !message_.empty()) return message_.empty();
    if (text(out)) return true;
    return fail(lexer_.error().empty()
                    ? "expected a string value or a field with a valid transformer: " +
                          transform_list()
                    : lexer_.error());
  }

  bool text(Operand& out) {
    out.place = lexer_.place();
    if (!lexer_.quoted_text() && !lexer_.bare_text()) return false;
    out.text = lexer_.token();
    return true;
  }

  bool list_value(Operand& out) {
    const Depth depth(depth_);
    if (deep()) return false;
    lexer_.blank();
    out.place = lexer_.place();
    if (lexer_.literal("(")) return text_list(out);
    if (transform_or_val(out) || !message_.empty()) return message_.empty();
    if (lexer_.identifier()) {
      out.text = lexer_.token();
      return true;
    }
    return fail("expected a list, an identifier, or a field with a valid transformer: " +
                transform_list());
  }

  bool text_list(Operand& out) {
    out.type = Operand::Type::kList;
    lexer_.blank();
    Operand item;
    if (text(item)) {
      out.items.push_back(std::move(item));
      lexer_.blank();
      while (lexer_.literal(",")) {
        lexer_.blank();
        if (!text(out.items.emplace_back())) {
          return fail(lexer_.error().empty() ? "expected a string value" : lexer_.error());
        }
        lexer_.blank();
      }
    }
    if (lexer_.literal(")")) return true;
    return fail(lexer_.error().empty() ? "expected a ')' token" : lexer_.error());
  }

  // False without a message: something else stands here.
  bool transform_or_val(Operand& out) {
    out.place = lexer_.place();
    if (lexer_.literal("val(")) {
      out.type = Operand::Type::kTransform;
      out.transform = Transform::kVal;
      lexer_.blank();
      Operand& field = out.items.emplace_back();
      field.place = lexer_.place();
      if (!lexer_.field_name()) return fail("expected a field within 'val' transformer");
      if (!field_rest(field)) return false;
      lexer_.blank();
      return lexer_.literal(")") || fail("expected a ')' token closing the transformer");
    }
    const auto transform = transform_start();
    return transform && transform_rest(out, *transform);
  }

  Lexer lexer_;
  unsigned depth_max_;
  unsigned depth_ = 0;
  std::string message_;
  Place place_;
};

}  // namespace

std::expected<Expression, ParseError> parse_condition(std::string_view text, unsigned depth_max) {
  if (text.empty()) return std::unexpected(ParseError{"filter input string is empty", {}});
  if (text.size() > kConditionBytesMax) {
    return std::unexpected(ParseError{
        "the condition is longer than " + std::to_string(kConditionBytesMax) + " bytes", {}});
  }
  Parser parser(text, depth_max);
  Expression expression;
  if (!parser.whole(expression)) return std::unexpected(parser.error());
  return expression;
}

std::expected<Operand, ParseError> parse_operand(std::string_view text, size_t& length) {
  Parser parser(text, kDepthMax);
  Operand operand;
  if (!parser.operand(operand)) return std::unexpected(parser.error());
  length = parser.consumed();
  return operand;
}

}  // namespace coff::rules
