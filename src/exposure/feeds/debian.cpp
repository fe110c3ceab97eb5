// The Debian security tracker: its JSON, and its lists of DSAs and DLAs.
#include <algorithm>
#include <boost/json.hpp>
#include <map>
#include <utility>

#include "exposure/feeds/feeds.hpp"
#include "exposure/feeds/json_members.hpp"
#include "inventory/json_text.hpp"
#include "inventory/packages/text_lines.hpp"

namespace coff::exposure {
namespace {

namespace json = boost::json;
using inventory::member_of;
using inventory::text_of;
using inventory::trim;

/// No fix, or one at `fixed`.
Range from_start(std::string_view fixed) {
  Range range = {{Event::Kind::kIntroduced, "0"}};
  if (!fixed.empty()) range.push_back({Event::Kind::kFixed, std::string(fixed)});
  return range;
}

/// The newest version that any suite of the release has: after a point release that may be the
/// main suite's, and not security's.
std::string newest(const json::value& release) {
  std::string best;
  const json::value* suites = member_of(release, "repositories");
  if (suites == nullptr || !suites->is_object()) return best;
  for (const auto& [suite, version] : suites->get_object()) {
    if (!version.is_string()) continue;
    const std::string_view text = version.get_string();
    if (best.empty() || compare_versions(Scheme::kDebian, best, text) < 0) best = text;
  }
  return best;
}

Affected release_of(std::string_view package, std::string ecosystem, const json::value& release) {
  Affected affected{.ecosystem = std::move(ecosystem),
                    .package = std::string(package),
                    .scheme = Scheme::kDebian};
  affected.available = newest(release);
  const std::string_view status = text_of(release, "status");
  const std::string_view fixed = text_of(release, "fixed_version");
  const std::string_view urgency = text_of(release, "urgency");
  if (status == "resolved" && fixed == "0") {
    affected.status = Status::kNotAffected;
    return affected;
  }
  affected.ranges.push_back(from_start(status == "resolved" ? fixed : ""));
  if (status == "undetermined") {
    affected.status = Status::kUndetermined;
  } else if (urgency == "unimportant") {
    affected.status = Status::kUnimportant;
  } else if (urgency == "end-of-life") {
    affected.status = Status::kEndOfLife;
  } else if (member_of(release, "nodsa") != nullptr) {
    affected.status = Status::kNoAdvisory;
    affected.note = text_of(release, "nodsa");
    if (const std::string_view reason = text_of(release, "nodsa_reason"); !reason.empty()) {
      affected.note += affected.note.empty() ? reason : " (" + std::string(reason) + ")";
    }
  }
  return affected;
}

/// All releases of one name ("CVE-2014-0160") and one package.
Advisory entry_of(std::string_view package, std::string_view name, const json::value& entry) {
  Advisory advisory{.name = std::string(name)};
  advisory.summary = text_of(entry, "description");
  const json::value* releases = member_of(entry, "releases");
  if (releases == nullptr || !releases->is_object()) return advisory;
  for (const auto& [codename, release] : releases->get_object()) {
    std::string ecosystem = debian_ecosystem(codename);
    if (ecosystem.empty()) continue;
    if (const std::string_view urgency = text_of(release, "urgency");
        urgency != "not yet assigned" && advisory.severity.empty()) {
      advisory.severity = urgency;
    }
    advisory.affected.push_back(release_of(package, std::move(ecosystem), release));
  }
  return advisory;
}

struct ListEntry {
  Advisory advisory;
  [[nodiscard]] bool any() const { return !advisory.name.empty(); }
};

/// "[29 Mar 2023] DSA-5380-1 xorg-server - security update"
bool read_head(std::string_view line, ListEntry& entry) {
  const std::size_t close = line.find("] ");
  if (!line.starts_with('[') || close == std::string_view::npos) return false;
  line.remove_prefix(close + 2);
  entry.advisory.name = line.substr(0, line.find(' '));
  entry.advisory.summary = trim(line.substr(std::min(entry.advisory.name.size(), line.size())));
  return entry.advisory.name.starts_with("DSA-") || entry.advisory.name.starts_with("DLA-");
}

/// "[bullseye] - xorg-server 2:1.20.11-1+deb11u6", or "<not-affected>" in the version's place.
void read_release(std::string_view line, ListEntry& entry) {
  const std::size_t close = line.find("] - ");
  if (close == std::string_view::npos) return;
  const std::string ecosystem = debian_ecosystem(line.substr(1, close - 1));
  std::string_view rest = line.substr(close + 4);
  const std::size_t space = rest.find(' ');
  if (ecosystem.empty() || space == std::string_view::npos) return;
  Affected affected{.ecosystem = ecosystem,
                    .package = std::string(rest.substr(0, space)),
                    .scheme = Scheme::kDebian};
  rest = trim(rest.substr(space));
  const std::string_view version = rest.substr(0, rest.find(' '));
  if (version == "<not-affected>") affected.status = Status::kNotAffected;
  else if (version == "<end-of-life>") affected.status = Status::kEndOfLife;
  else if (version == "<undetermined>") affected.status = Status::kUndetermined;
  else if (version.starts_with('<') && version != "<unfixed>")
    affected.status = Status::kNoAdvisory;
  if (affected.status != Status::kNotAffected) {
    affected.ranges.push_back(from_start(version.starts_with('<') ? "" : version));
  }
  if (version.starts_with('<')) affected.note = rest;
  entry.advisory.affected.push_back(std::move(affected));
}

/// "{CVE-2022-23824 CVE-2022-42331}"
void read_names(std::string_view line, ListEntry& entry) {
  line = trim(line.substr(1, line.find('}') - 1));
  while (!line.empty()) {
    const std::size_t space = line.find(' ');
    entry.advisory.aliases.emplace_back(line.substr(0, space));
    line = space == std::string_view::npos ? std::string_view() : trim(line.substr(space));
  }
}

}  // namespace

std::string debian_ecosystem(std::string_view codename) {
  constexpr std::pair<std::string_view, std::string_view> kReleases[] = {
      {"squeeze", "6"}, {"wheezy", "7"},    {"jessie", "8"},    {"stretch", "9"},
      {"buster", "10"}, {"bullseye", "11"}, {"bookworm", "12"}, {"trixie", "13"},
      {"forky", "14"},  {"duke", "15"},     {"sid", "sid"}};
  for (const auto& [name, number] : kReleases) {
    if (name == codename) return "Debian:" + std::string(number);
  }
  return {};
}

Result<void> read_debian_tracker(std::string_view text, const Sink& sink) {
  return each_member(text,
                     [&sink](std::string_view package, std::string_view bytes) -> Result<void> {
                       const json::value entries = TRY(inventory::parse_json(bytes));
                       if (!entries.is_object())
                         return fail(Code::kInvalid, "a package is no object");
                       for (const auto& [name, entry] : entries.get_object()) {
                         TRY(sink(entry_of(package, name, entry)));
                       }
                       return {};
                     });
}

Result<void> read_debian_list(std::string_view text, const Sink& sink) {
  inventory::TextLines lines(text);
  ListEntry entry;
  for (std::string_view line; lines.next(line);) {
    if (line.starts_with('[')) {
      if (entry.any()) TRY(sink(entry.advisory));
      entry = {};
      if (!read_head(line, entry)) {
        return fail(Code::kInvalid,
                    "line " + std::to_string(lines.number()) + " is no head of a DSA or DLA");
      }
      continue;
    }
    const std::string_view inner = trim(line);
    if (inner.starts_with('{')) read_names(inner, entry);
    else if (inner.starts_with('[')) read_release(inner, entry);
  }
  if (entry.any()) TRY(sink(entry.advisory));
  return {};
}

}  // namespace coff::exposure
