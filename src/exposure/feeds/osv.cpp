// Advisories in the OSV format (ossf.github.io/osv-schema).
#include <array>
#include <boost/json.hpp>

#include "exposure/feeds/feeds.hpp"
#include "exposure/feeds/json_members.hpp"
#include "inventory/json_text.hpp"

namespace coff::exposure {
namespace {

namespace json = boost::json;
using inventory::items_of;
using inventory::member_of;
using inventory::text_of;

/// One event object has one member that is a kind.
void read_event(const json::value& value, Range& range) {
  constexpr std::pair<std::string_view, Event::Kind> kKinds[] = {
      {"introduced", Event::Kind::kIntroduced},
      {"fixed", Event::Kind::kFixed},
      {"last_affected", Event::Kind::kLastAffected},
      {"limit", Event::Kind::kLimit}};
  for (const auto& [name, kind] : kKinds) {
    if (const std::string_view version = text_of(value, name); !version.empty()) {
      range.push_back({kind, std::string(version)});
    }
  }
}

/// Nothing for an ecosystem whose order is not known, and for what only names commits.
std::optional<Affected> affected_of(const json::value& value) {
  const json::value* package = member_of(value, "package");
  if (package == nullptr) return std::nullopt;
  Affected affected{.ecosystem = std::string(text_of(*package, "ecosystem")),
                    .package = std::string(text_of(*package, "name"))};
  const auto scheme = scheme_of_ecosystem(affected.ecosystem);
  if (!scheme || affected.package.empty()) return std::nullopt;
  affected.scheme = *scheme;
  for (const json::value& item : items_of(value, "ranges")) {
    if (text_of(item, "type") == "GIT") continue;
    Range range;
    for (const json::value& event : items_of(item, "events")) read_event(event, range);
    if (!range.empty()) affected.ranges.push_back(std::move(range));
  }
  for (const json::value& version : items_of(value, "versions")) {
    if (version.is_string()) affected.versions.emplace_back(std::string_view(version.get_string()));
  }
  if (affected.ranges.empty() && affected.versions.empty()) return std::nullopt;
  return affected;
}

std::string severity_of(const json::value& root) {
  for (const json::value& item : items_of(root, "severity")) {
    if (const std::string_view score = text_of(item, "score"); !score.empty()) {
      return std::string(score);
    }
  }
  const json::value* specific = member_of(root, "database_specific");
  return specific == nullptr ? std::string() : std::string(text_of(*specific, "severity"));
}

Result<void> read_one(std::string_view text, const Sink& sink) {
  const json::value root = TRY(inventory::parse_json(text));
  Advisory advisory{.name = std::string(text_of(root, "id"))};
  if (advisory.name.empty()) return fail(Code::kInvalid, "an advisory has no id");
  // Withdrawn: it says nothing any more.
  if (!text_of(root, "withdrawn").empty()) return {};
  advisory.summary = text_of(root, "summary");
  if (advisory.summary.empty()) {
    constexpr std::size_t kSummaryBytesMax = 300;
    advisory.summary = text_of(root, "details").substr(0, kSummaryBytesMax);
  }
  advisory.severity = severity_of(root);
  for (const char* list : {"aliases", "upstream", "related"}) {
    for (const json::value& alias : items_of(root, list)) {
      if (!alias.is_string()) continue;
      const std::string_view name = alias.get_string();
      // "related" is weaker than an alias, but distributions put their CVEs there.
      if (std::string_view(list) == "related" && !name.starts_with("CVE-")) continue;
      advisory.aliases.emplace_back(name);
    }
  }
  for (const json::value& item : items_of(root, "affected")) {
    if (auto affected = affected_of(item)) advisory.affected.push_back(std::move(*affected));
  }
  return sink(advisory);
}

}  // namespace

Result<void> read_osv(std::string_view text, const Sink& sink) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && text[first] == '[') {
    return each_element(text, [&sink](std::string_view bytes) { return read_one(bytes, sink); });
  }
  return read_one(text, sink);
}

}  // namespace coff::exposure
