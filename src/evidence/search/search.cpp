// Search for texts, expressions and YARA rules in files that a hostile container supplied.
#include "evidence/search/search.hpp"

#include "base/bytes.hpp"
#include "base/json_writer.hpp"
#include "evidence/search/finder.hpp"

namespace coff::evidence {
namespace {

/// Bytes of a match that are shown.
constexpr std::size_t kShownBytesMax = 200;
constexpr std::string_view kLetters = "try";

Result<std::unique_ptr<Finder>> make_finder(const std::string& question) {
  if (question.empty()) return fail(Code::kInvalid, "no question");
  switch (question.front()) {
    case 't': return make_text_finder(question.substr(1));
    case 'r': return make_regex_finder(question.substr(1));
    case 'y': return make_yara_finder(question.substr(1));
    default: return fail(Code::kInvalid, "a question of an unknown kind");
  }
}

void write_hit(std::string& out, std::size_t file, const Hit& hit, const CoreMap& core) {
  JsonWriter json(out);
  json.begin_object().member("file", static_cast<std::uint64_t>(file)).member("offset", hit.offset);
  if (const std::uint64_t address = core.address_of(hit.offset); address != 0) {
    json.member("address", address);
  }
  if (!hit.rule.empty()) json.member("rule", hit.rule);
  if (!hit.string.empty()) json.member("string", hit.string);
  json.member("match", printable(hit.match.substr(0, kShownBytesMax))).end_object();
  out += '\n';
}

}  // namespace

Result<std::string> encode_search(SearchKind kind, std::string_view pattern) {
  const std::size_t most = kind == SearchKind::kYara ? kRulesBytesMax : kPatternBytesMax;
  if (pattern.empty() || pattern.size() > most) {
    return fail(Code::kInvalid, "a pattern of 1 to " + std::to_string(most) + " bytes is needed");
  }
  return kLetters[static_cast<std::size_t>(kind)] + std::string(pattern);
}

Result<std::string> answer_search(std::span<const Fd> inputs) {
  if (inputs.empty()) return fail(Code::kInvalid, "no question");
  const std::string question = TRY(read_to_end(inputs[0], kRulesBytesMax + 1));
  const auto finder = TRY(make_finder(question));
  std::string out;
  for (std::size_t at = 1; at < inputs.size(); ++at) {
    const CoreMap core = CoreMap::read(inputs[at]);
    std::uint64_t hits = 0;
    const auto searched = finder->find(inputs[at], [&](const Hit& hit) {
      if (++hits <= kHitsOfFileMax) write_hit(out, at - 1, hit, core);
      // Enough to know that there are many.
      return hits < kHitsOfFileMax * 100;
    });
    JsonWriter json(out);
    json.begin_object()
        .member("file", static_cast<std::uint64_t>(at - 1))
        .member("hits", hits)
        .member("problem", searched ? std::string() : searched.error().message())
        .end_object();
    out += '\n';
  }
  return out;
}

}  // namespace coff::evidence
