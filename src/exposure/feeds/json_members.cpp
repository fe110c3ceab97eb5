// Walks over a large JSON object or array without having all of it in memory as values.
#include "exposure/feeds/json_members.hpp"

#include <boost/json.hpp>

#include "inventory/json_text.hpp"

namespace coff::exposure {
namespace {

std::unexpected<Error> malformed(std::string_view what) {
  return fail(Code::kInvalid, "not valid JSON: " + std::string(what));
}

/// A place in a text that is taken for JSON.
class Walk {
 public:
  explicit Walk(std::string_view text) : text_(text) {}

  /// The next character that is no white space; '\0' at the end.
  char peek() {
    at_ = text_.find_first_not_of(" \t\r\n", at_);
    if (at_ == std::string_view::npos) at_ = text_.size();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool take(char wanted) {
    if (peek() != wanted) return false;
    ++at_;
    return true;
  }

  /// The bytes of one value; empty when there is none.
  std::string_view value() {
    peek();
    const std::size_t begin = at_;
    std::size_t depth = 0;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        if (!skip_string()) return {};
      } else {
        if (depth == 0 && (c == ',' || c == '}' || c == ']')) break;
        if (c == '{' || c == '[') ++depth;
        if (c == '}' || c == ']') --depth;
        ++at_;
      }
    }
    return depth == 0 ? text_.substr(begin, at_ - begin) : std::string_view();
  }

 private:
  bool skip_string() {
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\\') ++at_;
      else if (text_[at_] == '"') {
        ++at_;
        return true;
      }
    }
    at_ = text_.size();
    return false;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

/// Calls `one` for each part between the brackets.
Result<void> each_part(std::string_view text, char open, char close,
                       const std::function<Result<void>(Walk&)>& one) {
  Walk walk(text);
  if (!walk.take(open)) return malformed("it does not begin as it should");
  if (!walk.take(close)) {
    do {
      TRY(one(walk));
    } while (walk.take(','));
    if (!walk.take(close)) return malformed("it is cut off");
  }
  if (walk.peek() != '\0') return malformed("something follows its end");
  return {};
}

}  // namespace

Result<void> each_member(
    std::string_view text,
    const std::function<Result<void>(std::string_view, std::string_view)>& take) {
  return each_part(text, '{', '}', [&take](Walk& walk) -> Result<void> {
    if (walk.peek() != '"') return malformed("a member has no name");
    // A name and its value, cut at the colon that follows the name's last quote.
    const std::string_view both = walk.value();
    std::size_t end = 1;
    while (end < both.size() && both[end] != '"') end += both[end] == '\\' ? 2U : 1U;
    if (end >= both.size()) return malformed("a member is cut off");
    const std::size_t colon = both.find_first_not_of(" \t\r\n", end + 1);
    if (colon == std::string_view::npos || both[colon] != ':')
      return malformed("a colon is missing");
    const boost::json::value name = TRY(inventory::parse_json(both.substr(0, end + 1)));
    return take(std::string_view(name.get_string()), both.substr(colon + 1));
  });
}

Result<void> each_element(std::string_view text,
                          const std::function<Result<void>(std::string_view)>& take) {
  return each_part(text, '[', ']', [&take](Walk& walk) -> Result<void> {
    const std::string_view bytes = walk.value();
    if (bytes.empty()) return malformed("an element is missing");
    return take(bytes);
  });
}

}  // namespace coff::exposure
