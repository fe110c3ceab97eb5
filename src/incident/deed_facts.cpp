// What a timeline tells of actions, approvals and evidence, read from their entries in the trail.
#include <fmt/format.h>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "incident/incident.hpp"
#include "playbook/document.hpp"

namespace coff::incident {
namespace {

namespace json = boost::json;

const json::object& object_of(const json::object& object, std::string_view name) {
  static const json::object kNone;
  const json::value* value = playbook::member_of(object, name);
  return value != nullptr && value->is_object() ? value->get_object() : kNone;
}

std::string person_of(const json::object& entry) {
  const json::object& who = object_of(entry, "who");
  const std::string name = playbook::text_of(who, "user");
  if (!name.empty()) return name;
  const json::value* uid = playbook::member_of(who, "uid");
  return uid == nullptr ? "" : "uid " + json::serialize(*uid);
}

std::string people_of(const json::object& approved) {
  std::string people;
  const json::value* list = playbook::member_of(approved, "people");
  if (list == nullptr || !list->is_array()) return people;
  for (const json::value& each : list->get_array()) {
    if (!each.is_object()) continue;
    people += (people.empty() ? "" : ", ") + playbook::text_of(each.get_object(), "person");
  }
  return people;
}

// Of the stages, those that say that something changed, or did not.
Result<Deed> action_deed(const json::object& entry) {
  const std::string stage = playbook::text_of(entry, "stage");
  const std::string action = playbook::text_of(entry, "action");
  Deed deed{.container = playbook::text_of(object_of(entry, "container"), "id")};
  deed.item.sort = "action";
  deed.item.who = person_of(entry);
  if (stage == "planned") {
    const json::object& approved = object_of(entry, "approved_by");
    if (approved.empty()) return fail(Code::kInvalid, "a plan alone is no deed");
    deed.item.sort = "approval";
    deed.item.who = people_of(approved);
    deed.item.text =
        fmt::format("{} approved as {}", action, playbook::text_of(approved, "request"));
    return deed;
  }
  deed.item.text = action + " " + stage;
  for (const char* more : {"break_glass", "error", "outcome", "cause"}) {
    const std::string text = playbook::text_of(entry, more);
    if (!text.empty()) deed.item.text += fmt::format(", {}: {}", more, text);
  }
  return deed;
}

Result<Deed> evidence_deed(const json::object& entry) {
  Deed deed{.container = playbook::text_of(entry, "container")};
  deed.item.sort = "evidence";
  deed.item.who = person_of(entry);
  const std::string action = playbook::text_of(entry, "action");
  deed.item.text =
      fmt::format("{} {}, manifest {}", playbook::text_of(entry, "id"),
                  action.empty() ? "sealed" : action, playbook::text_of(entry, "manifest_sha256"));
  return deed;
}

}  // namespace

Result<Deed> deed_of(std::string_view entry) {
  const json::value value = TRY(playbook::parse_document(entry));
  if (!value.is_object()) return fail(Code::kInvalid, "not an entry");
  const json::object& root = value.get_object();
  const std::string type = playbook::text_of(root, "type");
  if (type != "action" && type != "evidence") return fail(Code::kInvalid, "not a deed");
  Deed deed = TRY(type == "action" ? action_deed(root) : evidence_deed(root));
  if (deed.container.empty()) return fail(Code::kInvalid, "it concerns no container");
  deed.item.time_ns = TRY(parse_time(playbook::text_of(root, "time")));
  deed.item.text = deed.item.text.substr(0, kTextBytesMax);
  deed.item.reference = to_hex(sha256(entry));
  return deed;
}

}  // namespace coff::incident
