// Entries about who does what, for people: one line each, and which of them somebody asked for.
#include "cli/access_line.hpp"

#include <cstdio>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "cli/json_read.hpp"

namespace coff::cli {

namespace json = boost::json;

namespace {

constexpr size_t kTextBytesMax = 160;

void append_text(std::string& line, std::string_view before, std::string_view text) {
  if (text.empty()) return;
  line += before;
  append_printable(line, text.substr(0, kTextBytesMax));
  if (text.size() > kTextBytesMax) line += "…";
}

void append_list(std::string& line, std::string_view before, const json::object& object,
                 std::string_view name, std::string_view between) {
  const json::value* list = object.if_contains(name);
  if (list == nullptr || !list->is_array()) return;
  std::string text;
  for (const json::value& element : list->get_array()) {
    if (!element.is_string()) continue;
    if (!text.empty()) text += between;
    text += std::string_view(element.get_string());
  }
  append_text(line, before, text);
}

void append_who(std::string& line, const json::object& entry) {
  const json::object* by = object_in(entry, "by");
  if (by == nullptr) {
    line += "somebody";
    return;
  }
  const std::string_view component = text_in(*by, "component");
  append_text(line, "", component.empty() ? text_in(*by, "user") : component);
  append_text(line, " from ", text_in(*by, "address"));
  append_text(line, " on ", text_in(*by, "terminal"));
  append_text(line, " via ", text_in(*by, "via"));
  const std::string_view client = text_in(*by, "client");
  if (client != component) append_text(line, " with ", client);
}

void append_request(std::string& line, const json::object& entry, const json::object& api) {
  const std::string_view action = text_in(api, "action");
  append_text(line, ": ", action);
  if (action == "read" || action == "other") {
    append_text(line, " ", text_in(api, "method"));
    append_text(line, " ", text_in(api, "path"));
  }
  const json::object* container = object_in(entry, "container");
  constexpr size_t kShortId = 12;
  if (container != nullptr) {
    const std::string_view name = text_in(*container, "name");
    append_text(line, " in ", name.empty() ? text_in(*container, "id").substr(0, kShortId) : name);
  } else if (action != "read" && action != "other") {
    append_text(line, " ", text_in(api, "target"));
  }
  append_text(line, " ", text_in(api, "image"));
  append_text(line, " ", text_in(api, "file_path"));
  append_list(line, ": ", api, "command", " ");
  append_text(line, " as ", text_in(api, "user"));
  if (api.if_contains("privileged") != nullptr) line += " privileged";
  const std::uint64_t status = number_in<std::uint64_t>(api, "status");
  line += " -> ";
  line += status == 0 ? "no answer" : std::to_string(status);
  if (api.if_contains("guessed") != nullptr) line += " (parts were not seen)";
}

void append_session(std::string& line, const json::object& session, std::string_view kind) {
  line += kind == "session_begin" ? ": session begins" : ": session ends";
  if (session.if_contains("claimed") != nullptr) line += ", claimed by an ordinary program";
  append_text(line, ": ", text_in(session, "command"));
  append_text(line, " as ", text_in(session, "as_user"));
  if (kind == "session_begin") return;
  char seconds[48];
  std::snprintf(seconds, sizeof seconds, " after %.1f s, %llu programs",
                static_cast<double>(number_in<std::uint64_t>(session, "duration_ns")) / 1e9,
                static_cast<unsigned long long>(number_in<std::uint64_t>(session, "programs")));
  line += seconds;
  append_list(line, ": ", session, "commands", "; ");
}

}  // namespace

void append_access(std::string& line, const json::object& entry, std::string_view kind) {
  append_who(line, entry);
  if (const json::object* api = object_in(entry, "api")) append_request(line, entry, *api);
  if (const json::object* session = object_in(entry, "session")) {
    append_session(line, *session, kind);
  }
}

namespace {

// As the trail's own search has it.
bool is_of_user(const json::object& entry, std::string_view user) {
  if (const json::object* by = object_in(entry, "by")) {
    if (text_in(*by, "user") == user || text_in(*by, "component") == user) return true;
  }
  const json::object* who = object_in(entry, "user");
  if (who == nullptr) return false;
  const json::object* login = object_in(*who, "login");
  return text_in(*who, "name") == user || (login != nullptr && text_in(*login, "name") == user);
}

}  // namespace

bool entry_matches(std::string_view entry, std::string_view user, bool changes) {
  return guard(Code::kInvalid, "entry",
               [&] {
                 json::error_code problem;
                 const json::value value = json::parse(entry, problem);
                 if (problem || !value.is_object()) return false;
                 const bool theirs = user.empty() || is_of_user(value.get_object(), user);
                 const json::object* api = object_in(value.get_object(), "api");
                 const bool reads = api != nullptr && text_in(*api, "action") == "read";
                 return theirs && !(changes && reads);
               })
      .value_or(false);
}

}  // namespace coff::cli
