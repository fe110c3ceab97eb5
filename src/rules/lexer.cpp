// Reads the tokens of conditions.
#include "rules/lexer.hpp"

namespace coff::rules {

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\b' || c == '\r' || c == '\n'; }
bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\v' || c == '\f' || c == '\r';
}
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

size_t identifier_length(std::string_view text) {
  if (text.empty() || !is_letter(text[0])) return 0;
  size_t length = 1;
  while (length < text.size() &&
         (is_letter(text[length]) || is_digit(text[length]) || text[length] == '_')) {
    ++length;
  }
  return length;
}

size_t digits(std::string_view text, size_t at) {
  while (at < text.size() && is_digit(text[at])) ++at;
  return at;
}

}  // namespace

std::optional<std::string> unescape(std::string_view quoted, std::string& error) {
  const char delimiter = quoted.front();
  const std::string_view text = quoted.substr(1, quoted.size() - 2);
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\') {
      out += text[at];
      continue;
    }
    const char c = ++at < text.size() ? text[at] : '\0';
    switch (c) {
      case 'b': out += '\b'; break;
      case 'f': out += '\f'; break;
      case 'n': out += '\n'; break;
      case 'r': out += '\r'; break;
      case 't': out += '\t'; break;
      case '\\':
      case '/': out += c; break;
      case ' ': out += '\\'; break;  // Old rule files wrote a backslash so.
      case 'x': {
        const int high = at + 1 < text.size() ? hex_value(text[at + 1]) : -1;
        const int low = at + 2 < text.size() ? hex_value(text[at + 2]) : -1;
        if (high < 0 || low < 0) {
          error = "\\x needs two hexadecimal digits";
          return std::nullopt;
        }
        out += static_cast<char>(high * 16 + low);
        at += 2;
        break;
      }
      default:
        if (c != '\0' && c == delimiter) {
          out += c;
          break;
        }
        error = "unknown escape in a quoted text: \\";
        if (c != '\0') error += c;
        return std::nullopt;
    }
  }
  return out;
}

bool Lexer::take(size_t length) {
  if (length == 0) return false;
  token_.assign(rest().substr(0, length));
  for (const char c : token_) {
    ++place_.column;
    if (c == '\r' || c == '\n') {
      place_.column = 1;
      ++place_.line;
    }
    ++place_.offset;
  }
  return true;
}

template <typename Accept>
bool Lexer::take_while(Accept accept) {
  const std::string_view text = rest();
  size_t length = 0;
  while (length < text.size() && text[length] != '\0' && accept(text[length])) ++length;
  return take(length);
}

bool Lexer::blank() {
  bool found = false;
  for (; place_.offset < text_.size() && is_blank(text_[place_.offset]); ++place_.offset) {
    found = true;
    ++place_.column;
    if (text_[place_.offset] == '\r' || text_[place_.offset] == '\n') {
      place_.column = 1;
      ++place_.line;
    }
  }
  return found;
}

bool Lexer::literal(std::string_view expected) {
  return rest().starts_with(expected) && take(expected.size());
}

bool Lexer::word(std::string_view expected) {
  const std::string_view text = rest();
  if (!text.starts_with(expected) || text.size() == expected.size()) return false;
  return is_blank(text[expected.size()]) && take(expected.size()) && blank();
}

bool Lexer::identifier() { return take(identifier_length(rest())); }

bool Lexer::field_name() {
  const std::string_view text = rest();
  size_t length = identifier_length(text);
  if (length == 0) return false;
  bool dotted = false;
  while (length < text.size() && text[length] == '.') {
    const size_t more = identifier_length(text.substr(length + 1));
    if (more == 0) break;
    length += more + 1;
    dotted = true;
  }
  return dotted && take(length);
}

bool Lexer::field_argument() {
  return take_while(
      [](char c) { return c != '[' && c != ']' && c != '"' && c != '\'' && !is_space(c); });
}

bool Lexer::hexadecimal() {
  const std::string_view text = rest();
  if (text.size() < 3 || text[0] != '0' || (text[1] != 'x' && text[1] != 'X')) return false;
  size_t length = 2;
  while (length < text.size() && hex_value(text[length]) >= 0) ++length;
  return length > 2 && take(length);
}

bool Lexer::number() {
  const std::string_view text = rest();
  const size_t first = !text.empty() && (text[0] == '+' || text[0] == '-') ? 1 : 0;
  size_t end = digits(text, first);
  if (end == first) return false;
  if (end < text.size() && text[end] == '.') end = digits(text, end + 1);
  const bool exponent = end + 1 < text.size() && (text[end] == 'e' || text[end] == 'E') &&
                        (text[end + 1] == '+' || text[end + 1] == '-');
  if (exponent && digits(text, end + 2) > end + 2) end = digits(text, end + 2);
  return take(end);
}

bool Lexer::bare_text() {
  return take_while([](char c) {
    return c != '(' && c != ')' && c != '"' && c != '\'' && c != '=' && c != ',' && !is_space(c);
  });
}

bool Lexer::quoted_text() {
  const std::string_view text = rest();
  if (text.empty() || (text[0] != '"' && text[0] != '\'')) return false;
  // A quote behind a backslash never closes, whatever stands before the backslash.
  size_t end = 1;
  while (end < text.size() && (text[end] != text[0] || text[end - 1] == '\\')) ++end;
  if (end >= text.size()) return false;
  auto plain = unescape(text.substr(0, end + 1), error_);
  if (!plain) return false;
  take(end + 1);
  token_ = std::move(*plain);
  return true;
}

}  // namespace coff::rules
