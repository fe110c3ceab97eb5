// How the store keeps what an advisory says of a package: one short JSON object.
#include "exposure/affected_json.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "base/json_writer.hpp"
#include "inventory/json_text.hpp"

namespace coff::exposure {
namespace {

namespace json = boost::json;
using inventory::items_of;
using inventory::text_of;

// In the order of Event::Kind.
constexpr std::array<std::string_view, 4> kKindNames = {"introduced", "fixed", "last_affected",
                                                        "limit"};

Result<Event> event_of(const json::value& value) {
  if (value.is_object() && value.get_object().size() == 1) {
    const auto& [name, version] = *value.get_object().begin();
    const auto* kind = std::ranges::find(kKindNames, std::string_view(name));
    if (kind != kKindNames.end() && version.is_string()) {
      return Event{static_cast<Event::Kind>(kind - kKindNames.begin()),
                   std::string(std::string_view(version.get_string()))};
    }
  }
  return fail(Code::kCorrupt, "the store has a malformed event");
}

}  // namespace

std::string to_json(const Affected& affected) {
  std::string text;
  JsonWriter json(text);
  json.begin_object()
      .member("scheme", scheme_name(affected.scheme))
      .member("status", status_name(affected.status));
  if (!affected.note.empty()) json.member("note", affected.note);
  if (!affected.available.empty()) json.member("available", affected.available);
  json.key("ranges").begin_array();
  for (const Range& range : affected.ranges) {
    json.begin_array();
    for (const Event& event : range) {
      json.begin_object()
          .member(kKindNames[static_cast<std::size_t>(event.kind)], event.version)
          .end_object();
    }
    json.end_array();
  }
  json.end_array();
  if (!affected.versions.empty()) {
    json.key("versions").begin_array();
    for (const std::string& version : affected.versions) json.string(version);
    json.end_array();
  }
  json.end_object();
  return text;
}

Result<Affected> affected_of(std::string_view text) {
  const json::value root = TRY(inventory::parse_json(text));
  Affected affected;
  const auto scheme = scheme_of(text_of(root, "scheme"));
  const auto status = status_of(text_of(root, "status"));
  if (!scheme || !status) return fail(Code::kCorrupt, "the store has a malformed entry");
  affected.scheme = *scheme;
  affected.status = *status;
  affected.note = text_of(root, "note");
  affected.available = text_of(root, "available");
  for (const json::value& events : items_of(root, "ranges")) {
    if (!events.is_array()) return fail(Code::kCorrupt, "the store has a malformed range");
    Range range;
    for (const json::value& event : events.get_array()) range.push_back(TRY(event_of(event)));
    affected.ranges.push_back(std::move(range));
  }
  for (const json::value& version : items_of(root, "versions")) {
    if (version.is_string()) affected.versions.emplace_back(std::string_view(version.get_string()));
  }
  return affected;
}

}  // namespace coff::exposure
