// Which redacted values an entry has: the commitments that stand in its strings.
#include "trail/commitments.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>

namespace coff::trail {

namespace {

namespace json = boost::json;

constexpr std::string_view kMark = "[redacted:";
/// SHA-256 in base64.
constexpr size_t kCommitmentBytes = 44;

const json::value* child_of(const json::value& parent, std::string_view name) {
  if (parent.is_object()) return parent.get_object().if_contains(name);
  if (!parent.is_array()) return nullptr;
  size_t place = 0;
  const auto [end, problem] = std::from_chars(name.data(), name.data() + name.size(), place);
  if (problem != std::errc() || end != name.data() + name.size()) return nullptr;
  return parent.get_array().if_contains(place);
}

void collect_text(std::string_view text, std::vector<std::string>& found) {
  for (size_t at = text.find(kMark); at != std::string_view::npos; at = text.find(kMark, at + 1)) {
    const std::string_view rest = text.substr(at + kMark.size());
    if (rest.size() <= kCommitmentBytes || rest[kCommitmentBytes] != ']') continue;
    const std::string_view commitment = rest.substr(0, kCommitmentBytes);
    if (std::ranges::find(found, commitment) == found.end()) found.emplace_back(commitment);
  }
}

// As deep as the parser allows, 32 levels.
void collect(const json::value& value, std::vector<std::string>& found) {
  if (value.is_string()) return collect_text(std::string_view(value.get_string()), found);
  if (value.is_array()) {
    for (const json::value& element : value.get_array()) collect(element, found);
  } else if (value.is_object()) {
    for (const auto& member : value.get_object()) collect(member.value(), found);
  }
}

}  // namespace

Result<std::vector<std::string>> commitments_in(std::string_view entry, std::string_view field) {
  json::error_code problem;
  const json::value whole =
      TRY(guard(Code::kCorrupt, "unreadable entry", [&] { return json::parse(entry, problem); }));
  if (problem || !whole.is_object()) return fail(Code::kCorrupt, "the entry is no JSON object");
  const json::value* value = &whole;
  for (std::string_view rest = field; value != nullptr && !rest.empty();) {
    const size_t dot = std::min(rest.find('.'), rest.size());
    value = child_of(*value, rest.substr(0, dot));
    rest.remove_prefix(std::min(dot + 1, rest.size()));
  }
  if (value == nullptr) {
    return fail(Code::kNotFound, "the entry has no " + std::string(field));
  }
  std::vector<std::string> found;
  collect(*value, found);
  return found;
}

}  // namespace coff::trail
