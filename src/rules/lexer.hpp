// Private to the room: reads the tokens of conditions. The grammar has no token boundaries of its
// own ("in(", ">=1", "a.b=c"), so the parser asks for one kind of token at a time.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "rules/ast.hpp"

namespace coff::rules {

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  [[nodiscard]] Place place() const { return place_; }
  [[nodiscard]] bool at_end() const { return place_.offset == text_.size(); }
  /// Returns to a place that place() gave.
  void back_to(const Place& place) { place_ = place; }
  /// The last token, unescaped: for messages and for what was read.
  [[nodiscard]] const std::string& token() const { return token_; }

  /// Skips blanks (space, \t, \b, \r, \n); true when there was one.
  bool blank();
  bool literal(std::string_view expected);
  /// As literal, with a blank behind it, which is consumed too.
  bool word(std::string_view expected);
  bool identifier();
  bool field_name();
  bool field_argument();
  bool hexadecimal();
  bool number();
  bool bare_text();
  /// False without an error when no closed quotation starts here; see error().
  bool quoted_text();
  /// Set when a quotation was closed but holds a bad escape.
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  [[nodiscard]] std::string_view rest() const { return text_.substr(place_.offset); }
  bool take(size_t length);
  template <typename Accept>
  bool take_while(Accept accept);

  std::string_view text_;
  Place place_;
  std::string token_;
  std::string error_;
};

/// Text between quotes without its escapes; empty for a bad escape, which `error` names.
/// `quoted` includes both quotes.
std::optional<std::string> unescape(std::string_view quoted, std::string& error);

}  // namespace coff::rules
