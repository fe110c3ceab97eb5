// An entry of the trail, or a live event, as one line for people.
#include "cli/entry_line.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "cli/access_line.hpp"
#include "cli/json_read.hpp"

namespace coff::cli {
namespace {

namespace json = boost::json;

/// Bytes of one value, and of the whole line, before the rest is cut with "…".
constexpr std::size_t kValueBytesMax = 200;
constexpr std::size_t kLineBytesMax = 600;
/// Shown elsewhere in the line, or of no interest to a reader.
constexpr std::array<std::string_view, 8> kHidden = {"v",       "seq",  "time", "boot",
                                                     "boot_id", "type", "kind", "sentence"};

void append_cut(std::string& line, std::string_view text) {
  if (text.size() <= kValueBytesMax) return append_printable(line, text);
  append_printable(line, text.substr(0, kValueBytesMax));
  line += "…";
}

void append_members(std::string& line, const json::object& object, const std::string& prefix) {
  for (const auto& [key, value] : object) {
    if (line.size() > kLineBytesMax) {
      line += " …";
      return;
    }
    const std::string_view name(key);
    if (prefix.empty() && std::ranges::find(kHidden, name) != kHidden.end()) continue;
    if (value.is_object()) {
      append_members(line, value.get_object(), prefix + std::string(name) + ".");
      continue;
    }
    line += ' ';
    append_printable(line, prefix);
    append_printable(line, name);
    line += '=';
    if (value.is_string()) append_cut(line, std::string_view(value.get_string()));
    else append_cut(line, json::serialize(value));
  }
}

void append_lag(std::string& line, std::int64_t wall_ns) {
  const std::int64_t lag_ms = (wall_now_ns() - wall_ns) / 1'000'000;
  line.append(" +").append(std::to_string(std::max<std::int64_t>(lag_ms, 0))).append("ms");
}

void append_subject(std::string& line, const json::object& event) {
  if (const auto* container = object_in(event, "container")) {
    const std::string_view name = text_in(*container, "name");
    append_printable(line, name.empty() ? text_in(*container, "id").substr(0, 12) : name);
    const std::string_view image = text_in(*container, "image");
    if (!image.empty()) {
      line += '(';
      append_printable(line, image);
      line += ')';
    }
  } else {
    line += "host";
  }
  if (const auto* process = object_in(event, "process")) {
    line += ' ';
    append_printable(line, text_in(*process, "name"));
    line += '[';
    if (const json::value* pid = process->if_contains("pid")) line += json::serialize(*pid);
    line += ']';
  }
}

void append_arguments(std::string& line, const json::object& process) {
  const json::value* arguments = process.if_contains("args");
  if (arguments == nullptr || !arguments->is_array()) return;
  std::string command;
  for (const json::value& argument : arguments->get_array()) {
    if (!argument.is_string()) continue;
    command.append(command.empty() ? "" : " ").append(argument.get_string());
    if (command.size() > kValueBytesMax) break;
  }
  line += ' ';
  append_cut(line, command);
}

/// An event of the trail in a few words: who did what to which file, program or address.
void append_event(std::string& line, const json::object& event, std::string_view kind) {
  append_subject(line, event);
  line += ' ';
  append_printable(line, kind);
  const auto* process = object_in(event, "process");
  if (kind == "exec" && process != nullptr) append_arguments(line, *process);
  for (const char* group : {"file", "file2", "socket", "engine", "exec"}) {
    const auto* members = object_in(event, group);
    if (members == nullptr) continue;
    for (const char* name : {"path", "remote", "local", "address", "action", "filename"}) {
      if (const std::string_view text = text_in(*members, name); !text.empty()) {
        line += ' ';
        append_cut(line, text);
      }
    }
  }
  if (const std::string_view error = text_in(event, "error"); !error.empty()) {
    line += " failed (";
    append_printable(line, error);
    line += ')';
  }
  if (const auto* user = object_in(event, "user")) {
    const std::string_view name = text_in(*user, "name");
    line += "  as ";
    if (!name.empty()) append_printable(line, name);
    else if (const json::value* uid = user->if_contains("uid")) line += json::serialize(*uid);
  }
}

/// Colour of a priority: what needs a person soon is red.
std::string_view priority_colour(std::string_view priority) {
  if (priority == "Emergency" || priority == "Alert" || priority == "Critical") return "1;31";
  if (priority == "Error") return "31";
  return priority == "Warning" ? "33" : "1";
}

/// "Warning Rule's name: what it says  (12 more until TIME)".
void append_finding(std::string& line, const json::object& entry, const json::object& finding) {
  append_printable(line, text_in(finding, "rule"));
  line += ": ";
  const std::string_view output = text_in(finding, "output");
  append_printable(line, output.substr(0, kLineBytesMax));
  if (output.size() > kLineBytesMax) line += "…";
  if (const json::value* repeats = entry.if_contains("repeats")) {
    line += "  (" + json::serialize(*repeats) + " more until ";
    append_printable(line, text_in(entry, "last"));
    line += ')';
  }
  if (const json::value* limited = entry.if_contains("limited")) {
    line += "  (" + json::serialize(*limited) + " more of this rule until ";
    append_printable(line, text_in(entry, "last"));
    line += ')';
  }
}

std::string line_of(const json::object& entry, const EntryLineOptions& options) {
  std::string line;
  const auto paint = [&](std::string_view code) {
    if (options.colour) line.append("\x1b[").append(code).append("m");
  };
  const auto wall_ns = parse_time(text_in(entry, "time"));
  const std::string_view type = text_in(entry, "type");
  const std::string_view kind = text_in(entry, "kind");
  // A sentence begins with its time, and says whose it is.
  const std::string_view sentence = text_in(entry, "sentence");
  if (!sentence.empty()) {
    append_printable(line, sentence);
  } else {
    paint("2");
    line += wall_ns ? format_time(*wall_ns).substr(0, 23) + "Z" : "-";
    paint("0");
    line += ' ';
    const json::object* finding = object_in(entry, "finding");
    if (type == "event") {
      append_event(line, entry, kind);
    } else if (type == "access") {
      append_access(line, entry, kind);
    } else if (finding != nullptr) {
      const std::string_view priority = text_in(*finding, "priority");
      paint(priority_colour(priority));
      append_printable(line, priority);
      paint("0");
      line += ' ';
      append_subject(line, entry);
      line += ' ';
      append_finding(line, entry, *finding);
    } else {
      paint(type == "gap" ? "1;31" : "1");
      append_printable(line, type);
      paint("0");
      append_members(line, entry, "");
    }
  }
  if (wall_ns && options.show_lag) {
    paint("2");
    append_lag(line, *wall_ns);
    paint("0");
  }
  return line;
}

}  // namespace

std::string entry_line(std::string_view text, const EntryLineOptions& options) {
  const auto line = guard(Code::kInvalid, "entry", [&]() -> std::string {
    json::error_code problem;
    const json::value value = json::parse(text, problem);
    if (problem || !value.is_object()) return printable(text);
    return line_of(value.get_object(), options);
  });
  return line ? *line : printable(text);
}

}  // namespace coff::cli
