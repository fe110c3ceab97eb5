// Parses conditions of Sigma rules.
#include "sigma/condition.hpp"

#include <algorithm>

#include "sigma/pattern.hpp"

namespace coff::sigma {

namespace {

struct Token {
  std::string_view text;  ///< "" at the end.
  size_t offset = 0;
};

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '*' || c == '?' || c == '-' || c == '.';
}

class Parser {
 public:
  using Outcome = std::expected<Condition, ConditionProblem>;

  explicit Parser(std::string_view text) : text_(text) { next(); }

  Outcome run() {
    if (text_.size() > kConditionBytesMax) return refuse("the condition is longer than 64 KiB");
    Outcome outcome = chain(Condition::Type::kOr, 0);
    if (outcome && !token_.text.empty()) return refuse(unexpected("'and', 'or' or the end"));
    return outcome;
  }

 private:
  void next() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != text_.npos) ++at_;
    const size_t begin = at_;
    while (at_ < text_.size() && is_word(text_[at_])) ++at_;
    if (at_ == begin && at_ < text_.size()) ++at_;
    token_ = {text_.substr(begin, at_ - begin), begin};
  }
  [[nodiscard]] bool is(std::string_view keyword) const { return lower(token_.text) == keyword; }
  bool take(std::string_view keyword) {
    if (!is(keyword)) return false;
    next();
    return true;
  }

  std::unexpected<ConditionProblem> refuse(std::string message) const {
    return std::unexpected(ConditionProblem{std::move(message), token_.offset});
  }
  [[nodiscard]] std::string unexpected(std::string_view wanted) const {
    if (token_.text == "|") {
      return "aggregations behind '|' are no longer part of Sigma: write a correlation rule";
    }
    const std::string found =
        token_.text.empty() ? "the end" : "'" + std::string(token_.text.substr(0, 64)) + "'";
    return "found " + found + " where " + std::string(wanted) + " was expected";
  }

  // "a or b or c", or with "and".
  Outcome chain(Condition::Type type, unsigned depth) {
    const bool is_or = type == Condition::Type::kOr;
    const auto part = [&] { return is_or ? chain(Condition::Type::kAnd, depth) : negation(depth); };
    Condition made{.type = type, .name = {}, .offset = token_.offset, .children = {}};
    do {
      Outcome child = part();
      if (!child) return child;
      made.children.push_back(std::move(*child));
    } while (take(is_or ? "or" : "and"));
    if (made.children.size() > 1) return made;
    Condition only = std::move(made.children.front());
    return only;
  }

  Outcome negation(unsigned depth) {
    if (depth > kConditionDepthMax) {
      return refuse("nested deeper than " + std::to_string(kConditionDepthMax) + " levels");
    }
    const size_t offset = token_.offset;
    if (!take("not")) return primary(depth);
    Outcome child = negation(depth + 1);
    if (!child) return child;
    Condition made{.type = Condition::Type::kNot, .name = {}, .offset = offset, .children = {}};
    made.children.push_back(std::move(*child));
    return made;
  }

  Outcome primary(unsigned depth) {
    if (take("(")) {
      Outcome inner = chain(Condition::Type::kOr, depth + 1);
      if (!inner) return inner;
      if (!take(")")) return refuse(unexpected("')'"));
      return inner;
    }
    const Token first = token_;
    const bool keyword = is("and") || is("or") || is("of") || is("them") || is("not");
    if (first.text.empty() || !is_word(first.text[0]) || keyword) {
      return refuse(unexpected("a detection"));
    }
    const bool some = is("1") || is("any");
    const bool all = is("all");
    next();
    Condition made{.type = Condition::Type::kName,
                   .name = std::string(first.text),
                   .offset = first.offset,
                   .children = {}};
    if (!is("of")) {
      if (made.name.find_first_of("*?") == made.name.npos) return made;
      return std::unexpected(ConditionProblem{
          "'" + made.name.substr(0, 64) + "' needs '1 of' or 'all of' before it", first.offset});
    }
    if (!some && !all) {
      return std::unexpected(
          ConditionProblem{"only '1 of', 'any of' and 'all of' are known", first.offset});
    }
    next();
    made.type = some ? Condition::Type::kSome : Condition::Type::kAll;
    if (token_.text.empty() || !is_word(token_.text[0])) {
      return refuse(unexpected("'them' or a name"));
    }
    made.name = is("them") ? "them" : std::string(token_.text);
    made.offset = token_.offset;
    next();
    return made;
  }

  std::string_view text_;
  size_t at_ = 0;
  Token token_;
};

}  // namespace

std::expected<Condition, ConditionProblem> parse_condition(std::string_view text) {
  return Parser(text).run();
}

bool is_meant(std::string_view pattern, std::string_view name) {
  if (name.starts_with('_') && !pattern.starts_with('_')) return false;
  return pattern == "them" || matches(parse_pattern(pattern), name, false);
}

}  // namespace coff::sigma
