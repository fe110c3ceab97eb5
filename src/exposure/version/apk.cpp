// Order of Alpine's versions, as apk-tools defines it.
#include <array>

#include "exposure/version/compare.hpp"

namespace coff::exposure {
namespace {

/// Parts in the order of a version; a version that goes on with an earlier kind is the newer one.
enum class Kind : unsigned char {
  kFirstNumber,
  kNumber,
  kLetter,
  kSuffix,
  kSuffixNumber,
  kHash,
  kRevision,
  kEnd,
  kInvalid,
};

struct Token {
  Kind kind = Kind::kEnd;
  std::string_view text;
  int suffix = 0;  ///< Rank of a suffix: negative ones come before the release.
};

struct Suffix {
  std::string_view name;
  int rank;
};
constexpr std::array<Suffix, 9> kSuffixes = {{{"alpha", -4},
                                              {"beta", -3},
                                              {"pre", -2},
                                              {"rc", -1},
                                              {"cvs", 1},
                                              {"svn", 2},
                                              {"git", 3},
                                              {"hg", 4},
                                              {"p", 5}}};

bool is_hash_digit(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Token next() {
    const Kind before = last_;
    const Token token = read(before);
    last_ = token.kind;
    started_ = true;
    return token;
  }

 private:
  /// What is left is its text.
  [[nodiscard]] Token invalid() const { return {Kind::kInvalid, text_, 0}; }

  Token number(Kind kind) {
    const std::string_view digits = take_while(text_, is_digit);
    return digits.empty() ? invalid() : Token{kind, digits, 0};
  }

  Token read(Kind before) {
    if (!started_) return number(Kind::kFirstNumber);
    if (before == Kind::kInvalid) return invalid();
    if (text_.empty()) return {};
    const char c = text_.front();
    if (is_digit(c)) {
      return before == Kind::kSuffix ? number(Kind::kSuffixNumber) : invalid();
    }
    text_.remove_prefix(1);
    if (c == '.') return before <= Kind::kNumber ? number(Kind::kNumber) : invalid();
    if (is_lower(c)) {
      return before <= Kind::kNumber ? Token{Kind::kLetter, {text_.data() - 1, 1}, 0} : invalid();
    }
    if (c == '_') return before <= Kind::kSuffixNumber ? suffix() : invalid();
    if (c == '~') {
      const std::string_view hash = take_while(text_, is_hash_digit);
      return before < Kind::kHash && !hash.empty() ? Token{Kind::kHash, hash, 0} : invalid();
    }
    if (c == '-' && before < Kind::kRevision && text_.starts_with('r')) {
      text_.remove_prefix(1);
      return number(Kind::kRevision);
    }
    return invalid();
  }

  Token suffix() {
    const std::string_view name = take_while(text_, is_lower);
    for (const Suffix& known : kSuffixes) {
      if (known.name == name) return {Kind::kSuffix, name, known.rank};
    }
    return invalid();
  }

  std::string_view text_;
  Kind last_ = Kind::kEnd;
  bool started_ = false;
};

int compare_tokens(const Token& left, const Token& right) {
  switch (left.kind) {
    case Kind::kNumber:
      // As decimal places: 1.02 comes before 1.1.
      if (left.text.starts_with('0') || right.text.starts_with('0')) {
        return order_of(left.text, right.text);
      }
      return compare_digits(left.text, right.text);
    case Kind::kFirstNumber:
    case Kind::kSuffixNumber:
    case Kind::kRevision: return compare_digits(left.text, right.text);
    case Kind::kSuffix: return order_of(left.suffix, right.suffix);
    case Kind::kLetter:
    case Kind::kHash: return order_of(left.text, right.text);
    case Kind::kEnd:
    case Kind::kInvalid: return 0;
  }
  return 0;
}

}  // namespace

bool valid_apk(std::string_view version) {
  Reader reader(version);
  for (;;) {
    const Kind kind = reader.next().kind;
    if (kind == Kind::kEnd) return true;
    if (kind == Kind::kInvalid) return false;
  }
}

int compare_apk(std::string_view left, std::string_view right) {
  Reader left_reader(left);
  Reader right_reader(right);
  for (;;) {
    const Token a = left_reader.next();
    const Token b = right_reader.next();
    if (a.kind == b.kind) {
      if (a.kind == Kind::kEnd) return 0;
      if (a.kind == Kind::kInvalid) return order_of(a.text, b.text);
      if (const int difference = compare_tokens(a, b); difference != 0) return difference;
      continue;
    }
    if (a.kind == Kind::kSuffix && a.suffix < 0) return -1;
    if (b.kind == Kind::kSuffix && b.suffix < 0) return 1;
    return order_of(b.kind, a.kind);
  }
}

}  // namespace coff::exposure
