// Applies the modifiers of an item to its values.
#include "sigma/item.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "sigma/reader.hpp"

namespace coff::sigma {

namespace {

using rules::Operator;

class Preparer {
 public:
  Preparer(const FieldItem& item, const Placeholders& placeholders)
      : item_(item), placeholders_(placeholders) {}

  std::expected<Prepared, ItemProblem> run() {
    for (const Modifier modifier : item_.modifiers) {
      if (!look(modifier)) return std::unexpected(std::move(problem_));
    }
    if (how_count_ > 1) {
      refuse("modifiers that exclude each other", item_.where);
      return std::unexpected(std::move(problem_));
    }
    for (const Scalar& value : item_.values) {
      if (!add(value)) return std::unexpected(std::move(problem_));
    }
    return std::move(out_);
  }

 private:
  bool refuse(std::string message, Where where) {
    problem_ = {std::move(message), where};
    return false;
  }

  bool how(Prepared::How how) {
    out_.how = how;
    ++how_count_;
    return true;
  }
  bool number(Operator op) {
    out_.op = op;
    return how(Prepared::How::kNumber);
  }
  bool time(std::string_view part) {
    out_.time_part = part;
    // "hour|gte" is one comparison.
    if (out_.how == Prepared::How::kText) out_.how = Prepared::How::kNumber;
    return true;
  }

  // What a modifier says about the item as a whole.
  bool look(Modifier modifier) {
    switch (modifier) {
      case Modifier::kAll: out_.all = true; return true;
      case Modifier::kNeq: out_.negated = true; return true;
      case Modifier::kCased: out_.cased = true; return true;
      case Modifier::kRe: return how(Prepared::How::kRegex);
      case Modifier::kReIgnoreCase: flags_ += 'i'; return true;
      case Modifier::kReMultiLine: flags_ += 'm'; return true;
      case Modifier::kReDotAll: flags_ += 's'; return true;
      case Modifier::kCidr: return how(Prepared::How::kNetwork);
      case Modifier::kExists: return how(Prepared::How::kExists);
      case Modifier::kFieldRef: return how(Prepared::How::kField);
      case Modifier::kLt: return number(Operator::kLess);
      case Modifier::kLte: return number(Operator::kLessEqual);
      case Modifier::kGt: return number(Operator::kGreater);
      case Modifier::kGte: return number(Operator::kGreaterEqual);
      case Modifier::kMinute: return time("sigma.minute");
      case Modifier::kHour: return time("sigma.hour");
      case Modifier::kDay: return time("sigma.day");
      case Modifier::kWeek: return time("sigma.week");
      case Modifier::kMonth: return time("sigma.month");
      case Modifier::kYear: return time("sigma.year");
      case Modifier::kStartsWith: side_ = Operator::kStartsWith; return true;
      case Modifier::kEndsWith: side_ = Operator::kEndsWith; return true;
      case Modifier::kContains: side_ = Operator::kContains; return true;
      default: return true;
    }
  }

  bool add(const Scalar& value) {
    Wanted wanted{.patterns = {}, .text = {}, .null = value.null, .where = value.where};
    switch (out_.how) {
      case Prepared::How::kExists: return exists(value);
      case Prepared::How::kField: out_.op = side_; [[fallthrough]];
      case Prepared::How::kNetwork:
        if (value.null || value.text.empty()) return refuse("a value is missing", value.where);
        wanted.text = value.text;
        break;
      case Prepared::How::kRegex:
        if (value.null) return refuse("a regular expression is missing", value.where);
        wanted.text = flags_.empty() ? value.text : "(?" + flags_ + ')' + value.text;
        break;
      default:
        if (!flags_.empty()) return refuse("flags i, m and s belong behind 're'", item_.where);
        if (!value.null && !text(value, wanted.patterns)) return false;
    }
    count_ += wanted.patterns.size();
    if (count_ > kAlternativesMax) {
      return refuse("more than " + std::to_string(kAlternativesMax) + " alternatives", value.where);
    }
    out_.wanted.push_back(std::move(wanted));
    return true;
  }

  bool exists(const Scalar& value) {
    const std::string word = lower(value.text);
    const bool yes = word == "true" || word == "yes";
    if (!yes && word != "false" && word != "no") {
      return refuse("'exists' is true or false", value.where);
    }
    if (item_.values.size() != 1) return refuse("'exists' takes one value", value.where);
    out_.exists = yes;
    return true;
  }

  // The modifiers that change texts, in their order.
  bool text(const Scalar& value, std::vector<Pattern>& out) {
    out = {parse_pattern(value.text)};
    for (const Modifier modifier : item_.modifiers) {
      std::vector<Pattern> next;
      for (Pattern& pattern : out) {
        if (!apply(modifier, std::move(pattern), value, next)) return false;
        if (next.size() > kAlternativesMax) {
          return refuse("a value with too many alternatives", value.where);
        }
      }
      out = std::move(next);
    }
    for (const Pattern& pattern : out) {
      for (const std::string& run : pattern.runs) {
        if (run.find('\0') == run.npos) continue;
        return refuse("UTF-16 has zero bytes, which no text here has: encode it in base64 too",
                      value.where);
      }
      const size_t size = to_text(pattern).size();
      const bool inside = pattern.wild.find('?') != pattern.wild.npos || pattern.runs.size() > 3;
      if (inside && size > kGlobBytesMax) {
        return refuse("a text with wildcards inside has more than " +
                          std::to_string(kGlobBytesMax) + " bytes",
                      value.where);
      }
    }
    return true;
  }

  bool apply(Modifier modifier, Pattern pattern, const Scalar& value, std::vector<Pattern>& out) {
    switch (modifier) {
      case Modifier::kContains:
        pattern.open_front();
        pattern.open_back();
        break;
      case Modifier::kStartsWith: pattern.open_back(); break;
      case Modifier::kEndsWith: pattern.open_front(); break;
      case Modifier::kUtf16Le: return encode(std::move(pattern), "", false, value, out);
      case Modifier::kUtf16Be: return encode(std::move(pattern), "", true, value, out);
      case Modifier::kUtf16: return encode(std::move(pattern), "\xFF\xFE", false, value, out);
      case Modifier::kBase64:
      case Modifier::kBase64Offset: return base64(modifier, pattern, value, out);
      case Modifier::kWindash: {
        auto variants = windash(pattern, 1000);
        if (variants.empty()) return refuse("'windash' makes more than 1000 variants", value.where);
        std::ranges::move(variants, std::back_inserter(out));
        return true;
      }
      case Modifier::kExpand: return expand(pattern, value, out);
      default: break;
    }
    out.push_back(std::move(pattern));
    return true;
  }

  bool encode(Pattern pattern, std::string_view mark, bool big_endian, const Scalar& value,
              std::vector<Pattern>& out) {
    for (std::string& run : pattern.runs) {
      auto encoded = to_utf16(run, big_endian);
      if (!encoded) return refuse(encoded.error(), value.where);
      run = std::move(*encoded);
    }
    pattern.runs.front().insert(0, mark);
    out.push_back(std::move(pattern));
    return true;
  }

  bool base64(Modifier modifier, const Pattern& pattern, const Scalar& value,
              std::vector<Pattern>& out) {
    if (!pattern.is_text()) return refuse("a wildcard can't be encoded in base64", value.where);
    const std::string& bytes = pattern.runs.front();
    if (modifier == Modifier::kBase64) {
      out.push_back(pattern_of_text(to_base64(octets(bytes))));
      return true;
    }
    const auto texts = base64_offsets(bytes);
    if (texts.empty()) return refuse("too short for 'base64offset'", value.where);
    for (const std::string& text : texts) out.push_back(pattern_of_text(text));
    return true;
  }

  // "%name%" as each of its values.
  bool expand(const Pattern& pattern, const Scalar& value, std::vector<Pattern>& out) {
    std::vector<Pattern> made(1);
    for (size_t run = 0; run < pattern.runs.size(); ++run) {
      std::string_view rest = pattern.runs[run];
      while (true) {
        const size_t begin = rest.find('%');
        const size_t end = begin == rest.npos ? rest.npos : rest.find('%', begin + 1);
        for (Pattern& one : made) one.append(rest.substr(0, end == rest.npos ? end : begin));
        if (end == rest.npos) break;
        const std::string_view name = rest.substr(begin + 1, end - begin - 1);
        const auto known = placeholders_.find(name);
        if (known == placeholders_.end()) {
          return refuse("no value is configured for the placeholder '%" + std::string(name) + "%'",
                        value.where);
        }
        if (!multiply(made, known->second)) {
          return refuse("a value with too many alternatives", value.where);
        }
        rest.remove_prefix(end + 1);
      }
      for (Pattern& one : made) {
        if (run < pattern.wild.size()) one.append_wild(pattern.wild[run]);
      }
    }
    std::ranges::move(made, std::back_inserter(out));
    return true;
  }

  static bool multiply(std::vector<Pattern>& made, const std::vector<std::string>& with) {
    if (made.size() * with.size() > kAlternativesMax) return false;
    std::vector<Pattern> more;
    for (const Pattern& one : made) {
      for (const std::string& text : with) {
        more.push_back(one);
        more.back().append(parse_pattern(text));
      }
    }
    made = std::move(more);
    return true;
  }

  const FieldItem& item_;
  const Placeholders& placeholders_;
  Prepared out_;
  Operator side_ = Operator::kEqual;
  std::string flags_;
  unsigned how_count_ = 0;
  size_t count_ = 0;
  ItemProblem problem_;
};

}  // namespace

std::expected<Prepared, ItemProblem> prepare(const FieldItem& item,
                                             const Placeholders& placeholders) {
  return Preparer(item, placeholders).run();
}

}  // namespace coff::sigma
