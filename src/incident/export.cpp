// Incidents as Markdown and JSON.
#include <fmt/format.h>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/json_writer.hpp"
#include "incident/incident.hpp"

namespace coff::incident {
namespace {

// Text of attackers stands in reports: it must not become markup there.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char byte : printable(text)) {
    constexpr std::string_view kMarkup = "\\`*_{}[]<>()#|!~";
    if (kMarkup.find(byte) != kMarkup.npos) out += '\\';
    out += byte;
  }
  return out;
}

void write_members(JsonWriter& json, const Incident& incident) {
  json.member("format", std::string_view("cofferdam-incident/1"))
      .member("number", incident.number)
      .member("id", incident.id)
      .member("state", state_name(incident.state))
      .member("title", incident.title)
      .member("severity", incident.severity)
      .member("owner", incident.owner)
      .member("container", incident.container)
      .member("container_name", incident.name)
      .member("opened", format_time(incident.opened_ns))
      .member("last_finding", format_time(incident.last_ns))
      .member("findings", incident.findings);
  if (incident.closed_ns != 0) json.member("closed", format_time(incident.closed_ns));
  if (!incident.lessons.empty()) json.member("lessons", incident.lessons);
}

}  // namespace

std::string to_json(const Incident& incident) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  write_members(json, incident);
  json.end_object();
  return text;
}

std::string to_json(const Incident& incident, const std::vector<Item>& timeline) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  write_members(json, incident);
  json.key("timeline").begin_array();
  for (const Item& item : timeline) {
    json.begin_object()
        .member("time", format_time(item.time_ns))
        .member("sort", item.sort)
        .member("who", item.who)
        .member("text", item.text);
    if (!item.reference.empty()) json.member("sha256", item.reference);
    json.end_object();
  }
  json.end_array().end_object();
  return text;
}

std::string to_markdown(const Incident& incident, const std::vector<Item>& timeline) {
  std::string text = fmt::format("# Incident {}: {}\n\n", incident.number, escaped(incident.title));
  const auto fact = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) text += fmt::format("- {}: {}\n", name, escaped(value));
  };
  fact("Id", incident.id);
  fact("State", std::string(state_name(incident.state)));
  fact("Severity", incident.severity);
  fact("Owner", incident.owner);
  fact("Container",
       incident.container.empty() ? "the host" : incident.name + " " + incident.container);
  fact("Opened", format_time(incident.opened_ns));
  fact("Last finding", format_time(incident.last_ns));
  fact("Findings", std::to_string(incident.findings));
  if (incident.closed_ns != 0) fact("Closed", format_time(incident.closed_ns));
  text += "\n## Timeline\n\n| Time | What | Who | |\n|---|---|---|---|\n";
  for (const Item& item : timeline) {
    text += fmt::format("| {} | {} | {} | {} |\n", format_time(item.time_ns), escaped(item.sort),
                        escaped(item.who), escaped(item.text));
  }
  if (!incident.lessons.empty()) {
    text += fmt::format("\n## What was learned\n\n{}\n", escaped(incident.lessons));
  }
  text += "\n## References\n\n";
  for (const Item& item : timeline) {
    if (item.reference.empty()) continue;
    text += fmt::format("- {} sha256:{}\n", format_time(item.time_ns), item.reference);
  }
  return text;
}

}  // namespace coff::incident
