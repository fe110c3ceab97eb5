// Reads a condition: a lexer and a parser by recursive descent.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "playbook/condition.hpp"
#include "playbook/names.hpp"

namespace coff::playbook {

class ConditionParser {
 public:
  explicit ConditionParser(std::string_view text) : text_(text) {}

  Result<Condition> parse() {
    if (text_.size() > kConditionBytesMax) {
      return fail(Code::kLimit, fmt::format("it is longer than {} bytes", kConditionBytesMax));
    }
    Condition condition;
    TRY(advance());
    const bool bracketed = is("[");
    if (bracketed) TRY(advance());
    condition.root_ = TRY(either());
    if (bracketed) {
      if (!is("]")) return wrong("]");
      TRY(advance());
    }
    if (token_.sort != Token::Sort::kEnd) return wrong("AND, OR or the end");
    return condition;
  }

 private:
  using Node = Condition::Node;
  using Operator = Condition::Operator;

  struct Token {
    enum class Sort : unsigned char { kEnd, kWord, kText, kSymbol };
    Sort sort = Sort::kEnd;
    std::string text;
    size_t at = 0;
  };

  [[nodiscard]] std::unexpected<Error> wrong(std::string_view wanted) const {
    return fail(Code::kInvalid, fmt::format("at byte {}: {} was expected", token_.at + 1, wanted));
  }
  [[nodiscard]] bool is(std::string_view text) const {
    return token_.sort != Token::Sort::kText && token_.sort != Token::Sort::kEnd &&
           token_.text == text;
  }

  static bool in_word(char byte) {
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
           (byte >= 'A' && byte <= 'Z') ||
           std::string_view("_-:.+").find(byte) != std::string_view::npos;
  }

  Result<void> quoted() {
    token_.sort = Token::Sort::kText;
    for (++at_; at_ < text_.size() && text_[at_] != '\''; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      token_.text += text_[at_];
    }
    if (at_ == text_.size()) return fail(Code::kInvalid, "a text has no end");
    ++at_;
    return {};
  }

  Result<void> advance() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
    token_ = {.at = at_};
    if (at_ == text_.size()) return {};
    if (text_[at_] == '\'') return quoted();
    if (in_word(text_[at_])) {
      token_.sort = Token::Sort::kWord;
      while (at_ < text_.size() && in_word(text_[at_])) token_.text += text_[at_++];
      // Constants of STIX: t'2026-…' and h'…' mean their text.
      if ((token_.text == "t" || token_.text == "h") && at_ < text_.size() && text_[at_] == '\'') {
        token_.text.clear();
        return quoted();
      }
      return {};
    }
    token_.sort = Token::Sort::kSymbol;
    for (const std::string_view symbol :
         {"==", "!=", "<>", "<=", ">=", "=", "<", ">", "(", ")", "[", "]", ","}) {
      if (!text_.substr(at_).starts_with(symbol)) continue;
      token_.text = symbol;
      at_ += symbol.size();
      return {};
    }
    return fail(Code::kInvalid,
                fmt::format("at byte {}: \"{}\" has no meaning", at_ + 1, text_.substr(at_, 1)));
  }

  Result<Node> either() {
    Node left = TRY(both());
    while (is("OR")) {
      TRY(advance());
      left = TRY(join(Condition::Sort::kOr, std::move(left), both()));
    }
    return left;
  }
  Result<Node> both() {
    Node left = TRY(one());
    while (is("AND")) {
      TRY(advance());
      left = TRY(join(Condition::Sort::kAnd, std::move(left), one()));
    }
    return left;
  }
  static Result<Node> join(Condition::Sort sort, Node left, Result<Node> right) {
    if (!right) return right;
    Node node;
    node.sort = sort;
    if (left.sort == sort) node.children = std::move(left.children);
    else node.children.push_back(std::move(left));
    node.children.push_back(std::move(*right));
    return node;
  }

  Result<Node> one() {
    if (++depth_ > kConditionDepthMax) return fail(Code::kLimit, "it is nested too deeply");
    auto node = inner();
    --depth_;
    return node;
  }
  Result<Node> inner() {
    if (is("NOT")) {
      TRY(advance());
      Node node;
      node.sort = Condition::Sort::kNot;
      node.children.push_back(TRY(one()));
      return node;
    }
    if (!is("(")) return comparison();
    TRY(advance());
    Node node = TRY(either());
    if (!is(")")) return wrong(")");
    TRY(advance());
    return node;
  }

  static std::string variable_name(std::string_view word) {
    constexpr std::string_view kValue = ":value";
    if (word.ends_with(kValue)) word.remove_suffix(kValue.size());
    return is_variable_name(word) ? std::string(word) : std::string();
  }

  Result<Node> comparison() {
    if (++comparisons_ > kComparisonsMax) return fail(Code::kLimit, "it has too many comparisons");
    Node node;
    if (token_.sort == Token::Sort::kWord) node.variable = variable_name(token_.text);
    if (node.variable.empty()) return wrong("a variable, __name__:value,");
    TRY(advance());
    if (is("NOT")) {
      node.negated = true;
      TRY(advance());
    }
    node.compare = TRY(operator_of());
    TRY(advance());
    if (node.compare != Operator::kIn) {
      node.values.push_back(TRY(value()));
      return node;
    }
    if (!is("(")) return wrong("(");
    do {
      TRY(advance());
      node.values.push_back(TRY(value()));
    } while (is(","));
    if (!is(")")) return wrong(")");
    TRY(advance());
    return node;
  }

  [[nodiscard]] Result<Operator> operator_of() const {
    static constexpr std::array<std::pair<std::string_view, Operator>, 13> kOperators = {{
        {"=", Operator::kEqual},
        {"==", Operator::kEqual},
        {"!=", Operator::kNotEqual},
        {"<>", Operator::kNotEqual},
        {"<", Operator::kLess},
        {"<=", Operator::kLessEqual},
        {">", Operator::kGreater},
        {">=", Operator::kGreaterEqual},
        {"IN", Operator::kIn},
        {"LIKE", Operator::kLike},
        {"MATCHES", Operator::kMatches},
        {"ISSUBSET", Operator::kIsSubset},
        {"ISSUPERSET", Operator::kIsSuperset},
    }};
    for (const auto& [text, compare] : kOperators) {
      if (is(text)) return compare;
    }
    return wrong("an operator");
  }

  Result<Condition::Value> value() {
    Condition::Value value;
    if (token_.sort == Token::Sort::kText) {
      value.text = token_.text;
    } else if (token_.sort == Token::Sort::kWord) {
      value.text = variable_name(token_.text);
      value.variable = !value.text.empty();
      // Numbers, true and false, and words that people forgot to quote are no different by text.
      if (!value.variable) value.text = token_.text;
      if (value.text == "AND" || value.text == "OR" || value.text == "NOT") return wrong("a value");
    } else {
      return wrong("a value");
    }
    TRY(advance());
    return value;
  }

  std::string_view text_;
  size_t at_ = 0;
  size_t depth_ = 0;
  size_t comparisons_ = 0;
  Token token_;
};

Result<Condition> Condition::parse(std::string_view text) { return ConditionParser(text).parse(); }

}  // namespace coff::playbook
