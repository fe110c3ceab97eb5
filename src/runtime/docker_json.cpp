// Reads version, list, image and event answers of the Docker Engine API.
#include "runtime/docker_json.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "runtime/json_members.hpp"
#include "runtime/labels.hpp"

namespace coff::runtime {
namespace {

constexpr size_t kIdLengthMax = 128;

// Attributes that engines add to a container's labels in an event.
constexpr std::array<std::string_view, 10> kEventAttributes = {
    "name",         "image", "exitCode",          "execID", "signal", "oldName",
    "execDuration", "podId", "containerExitCode", "comment"};

Result<JsonDocument> parse_object(std::string_view text, size_t bytes_max) {
  if (text.size() > bytes_max) return fail(Code::kLimit, "the engine's answer is too long");
  JsonDocument document = TRY(JsonDocument::parse(text, kParseMemoryBytesMax));
  if (!document.root().is_object()) return fail(Code::kInvalid, "the engine's answer is no object");
  return document;
}

Result<void> check(const JsonFindings& findings) {
  if (findings.problem.empty()) return {};
  return fail(Code::kInvalid, "the engine's answer is malformed: " + findings.problem);
}

}  // namespace

bool is_engine_id(std::string_view id) {
  const auto alphanumeric = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  return !id.empty() && id.size() <= kIdLengthMax && alphanumeric(id[0]) &&
         std::ranges::all_of(
             id, [&](char c) { return alphanumeric(c) || c == '.' || c == '_' || c == '-'; });
}

Result<EngineVersion> parse_version(std::string_view text) {
  const JsonDocument document = TRY(parse_object(text, kInspectBytesMax));
  JsonFindings findings;
  const JsonMembers members(document.root(), "version", findings);
  EngineVersion version{.engine = "docker",
                        .version = members.text("Version"),
                        .api_version = members.text("ApiVersion")};
  members.each("Components", 64, [&](const JsonMembers& component) {
    if (component.text("Name") == "Podman Engine") version.engine = "podman";
  });
  TRY(check(findings));
  if (version.version.empty()) return fail(Code::kInvalid, "the engine tells no version");
  return version;
}

Result<std::string> parse_engine_id(std::string_view text) {
  const JsonDocument document = TRY(parse_object(text, kInspectBytesMax));
  JsonFindings findings;
  std::string id = JsonMembers(document.root(), "info", findings).text("ID");
  TRY(check(findings));
  return id;
}

Result<ListedContainers> parse_list(std::string_view text) {
  if (text.size() > kListBytesMax) return fail(Code::kLimit, "the list of containers is too long");
  const JsonDocument document = TRY(JsonDocument::parse(text, kParseMemoryBytesMax));
  const auto* entries = document.root().if_array();
  if (entries == nullptr) return fail(Code::kInvalid, "the list of containers is no array");
  ListedContainers listed;
  listed.cut = entries->size() > kListedMax;
  JsonFindings findings;
  for (size_t at = 0; at < std::min(entries->size(), kListedMax); ++at) {
    std::string id = JsonMembers((*entries)[at], "container", findings).text("Id");
    if (!is_engine_id(id)) return fail(Code::kInvalid, "a listed container has no valid id");
    listed.ids.push_back(std::move(id));
  }
  TRY(check(findings));
  return listed;
}

Result<std::string> parse_image_digest(std::string_view text) {
  const JsonDocument document = TRY(parse_object(text, kInspectBytesMax));
  JsonFindings findings;
  const auto digests = JsonMembers(document.root(), "image", findings).texts("RepoDigests", 64);
  TRY(check(findings));
  for (const std::string& digest : digests)
    if (const size_t at = digest.rfind('@'); at != std::string::npos) return digest.substr(at + 1);
  return std::string();
}

std::string_view EngineEvent::verb() const {
  return std::string_view(action).substr(0, action.find(':'));
}

Result<EngineEvent> parse_event(std::string_view line) {
  const JsonDocument document = TRY(parse_object(line, kEventBytesMax));
  JsonFindings findings;
  const JsonMembers members(document.root(), "event", findings);
  EngineEvent event;
  event.type = members.text("Type");
  event.action = members.text("Action");
  event.wall_ns = members.number("timeNano", 0, std::numeric_limits<std::int64_t>::max());
  const JsonMembers actor = members.object("Actor");
  event.id = actor.text("ID");
  std::string container;
  actor.object("Attributes").members(kLabelsMax, [&](std::string_view name, const auto& value) {
    if (name.size() > kTextBytesMax) return findings.cut("Attributes");
    std::string text = actor.text_in(value, "Attributes");
    const bool own = std::ranges::find(kEventAttributes, name) != kEventAttributes.end();
    if (name == "name") event.name = std::move(text);
    else if (name == "image") event.image = std::move(text);
    else if (name == "container" && event.type == "network") container = std::move(text);
    else if (own && !text.empty()) event.attributes.emplace_back(name, std::move(text));
    else if (!own) event.labels.emplace_back(name, std::move(text));
  });
  TRY(check(findings));
  if (event.type == "network") event.id = std::move(container);
  const bool concerns_container = event.type == "container" || event.type == "network";
  if (concerns_container && !event.id.empty() && !is_engine_id(event.id))
    return fail(Code::kInvalid, "an event's id is malformed");
  if (event.type == "container" && (event.id.empty() || event.action.empty()))
    return fail(Code::kInvalid, "a container's event has no id or no action");
  event.cuts = std::move(findings.cuts);
  return event;
}

Kind kind_of_action(std::string_view verb) {
  if (verb == "create") return Kind::container_create;
  if (verb == "start") return Kind::container_start;
  // Docker: "die" for every end, "stop" only after a request to stop. podman: both words.
  if (verb == "die" || verb == "died") return Kind::container_stop;
  if (verb == "destroy" || verb == "remove") return Kind::container_remove;
  return Kind::container_other;
}

Container container_from(const EngineEvent& event) {
  Container container;
  container.id = event.id;
  container.metadata = Metadata::kPartial;
  container.name = event.name;
  container.image = event.image;
  container.labels = event.labels;
  container.metadata_reason =
      "the engine has not yet been asked about it: only name, image and labels are known";
  derive_from_labels(container);
  return container;
}

}  // namespace coff::runtime
