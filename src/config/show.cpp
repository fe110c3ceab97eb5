// Writes configurations: YAML, JSON, differences, the shipped file and the reference.
#include <sstream>

#include "config/clause_reader.hpp"
#include "config/config.hpp"
#include "config/settings.hpp"

namespace coff::config {
namespace {

constexpr size_t kCommentColumns = 96;

std::string value_of(const Setting& setting, const Config& config) {
  std::string out;
  JsonWriter json(out);
  setting.write(json, config);
  return out;
}

/// Appends `text` as comment lines behind `indent`.
void append_comment(std::string& out, std::string_view indent, std::string_view text) {
  std::istringstream words{std::string(text)};
  std::string line;
  for (std::string word; words >> word;) {
    if (!line.empty() && indent.size() + 2 + line.size() + 1 + word.size() > kCommentColumns) {
      out.append(indent).append("# ").append(line) += '\n';
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
  }
  out.append(indent).append("# ").append(line) += '\n';
}

std::string without_backticks(std::string_view text) {
  std::string out(text);
  std::erase(out, '`');
  return out;
}

}  // namespace

std::vector<Change> diff(const Config& before, const Config& after) {
  std::vector<Change> changes;
  for (const Setting& setting : settings()) {
    std::string old_value = value_of(setting, before);
    std::string new_value = value_of(setting, after);
    if (old_value == new_value) continue;
    changes.push_back({std::string(setting.name), std::move(old_value), std::move(new_value)});
  }
  return changes;
}

std::string to_yaml(const Config& config) {
  std::string out;
  std::string_view section;
  for (const Setting& setting : settings()) {
    if (setting.section() != section && !setting.section().empty()) {
      out.append(setting.section()) += ":\n";
    }
    section = setting.section();
    if (!section.empty()) out += "  ";
    out.append(setting.key()).append(": ").append(value_of(setting, config)) += '\n';
  }
  return out;
}

std::string to_json(const Config& config) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  std::string_view section;
  for (const Setting& setting : settings()) {
    if (setting.section() != section) {
      if (!section.empty()) json.end_object();
      section = setting.section();
      if (!section.empty()) json.key(section).begin_object();
    }
    json.key(setting.key());
    setting.write(json, config);
  }
  if (!section.empty()) json.end_object();
  json.end_object();
  return out;
}

std::string default_yaml() {
  const Config defaults;
  std::string out =
      "# Configuration of Cofferdam. Every line that is commented out shows a default.\n"
      "# Check a change with: cofferdam config check\n"
      "# Apply it with: systemctl reload cofferdam\n";
  std::string_view section;
  for (const Setting& setting : settings()) {
    const std::string_view indent = setting.section().empty() ? "" : "  ";
    out += '\n';
    if (setting.section() != section && !setting.section().empty()) {
      out.append(setting.section()) += ":\n";
    }
    section = setting.section();
    append_comment(out, indent, setting.doc);
    append_comment(out, indent, "Allowed: " + without_backticks(setting.limits) + ".");
    out.append(indent) += '#';
    out.append(setting.key()).append(": ").append(value_of(setting, defaults)) += '\n';
  }
  return out;
}

std::string reference_markdown() {
  const Config defaults;
  std::string out = "| key | default | allowed | meaning |\n|---|---|---|---|\n";
  for (const Setting& setting : settings()) {
    out.append("| `").append(setting.name).append("` | `");
    out.append(value_of(setting, defaults)).append("` | ");
    out.append(setting.limits).append(" | ").append(setting.doc) += " |\n";
  }
  return out + "\nGroups of events that a clause may name:\n\n" + event_groups_markdown();
}

}  // namespace coff::config
