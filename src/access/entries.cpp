// Entries of the trail about who does what: requests to engines, and sessions.
#include "access/entries.hpp"

#include <algorithm>
#include <utility>

#include "access/text.hpp"
#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/json_writer.hpp"

namespace coff::access {

namespace {

constexpr size_t kTextBytesMax = 512;
constexpr size_t kListMax = 48;
constexpr size_t kListBytesMax = 8192;
constexpr size_t kAncestorsMax = 8;

class EntryWriter {
 public:
  EntryWriter(std::string& out, const EntryOptions& options) : json(out), options_(options) {}

  JsonWriter json;

  [[nodiscard]] std::string shown(std::string_view text) const {
    return options_.redactor.redact_text(text, options_.commit).substr(0, kTextBytesMax);
  }
  void text(std::string_view key, std::string_view value) {
    if (!value.empty()) json.member(key, shown(value));
  }
  void word(std::string_view key, std::string_view value) {
    if (!value.empty()) json.member(key, value);
  }
  void flag(std::string_view key, bool value) {
    if (value) json.member(key, true);
  }
  void list(std::string_view key, const std::vector<std::string>& values) {
    if (values.empty()) return;
    size_t bytes = 0;
    json.key(key).begin_array();
    for (size_t at = 0; at < std::min(values.size(), kListMax) && bytes < kListBytesMax; ++at) {
      const std::string value = values[at].substr(0, kTextBytesMax);
      bytes += value.size();
      json.string(value);
    }
    json.end_array();
  }
  void hex(std::string_view key, std::uint64_t value) {
    std::string digits;
    for (int shift = 60; shift >= 0; shift -= 4) digits += "0123456789abcdef"[value >> shift & 15];
    json.member(key, digits);
  }
  [[nodiscard]] const EntryOptions& options() const { return options_; }

 private:
  const EntryOptions& options_;
};

void begin_entry(EntryWriter& writer, std::string_view kind, std::uint64_t boot_ns,
                 std::int64_t wall_ns) {
  writer.json.begin_object()
      .member("type", std::string_view("access"))
      .member("kind", kind)
      .member("time", format_time(wall_ns))
      .member("boot", boot_ns);
}

void write_person(EntryWriter& writer, const Person& person) {
  writer.json.key("by").begin_object();
  writer.word("user", person.user);
  if (person.loginuid != kNoLogin) writer.json.member("uid", person.loginuid);
  if (person.sessionid != kNoLogin) writer.json.member("session", person.sessionid);
  writer.word("component", person.component);
  writer.word("address", person.address);
  writer.word("terminal", person.terminal);
  writer.word("via", person.via);
  writer.word("client", person.client);
  writer.json.end_object();
}

void write_process(EntryWriter& writer, std::string_view key, const Process& process) {
  const auto& options = writer.options();
  writer.json.key(key).begin_object();
  writer.hex("id", process.id);
  writer.json.member("pid", process.pid).member("name", process.name);
  if (process.program != nullptr) {
    writer.text("exe", process.program->exe);
    writer.list("args", options.redactor.redact_arguments(process.program->argv, options.commit));
  }
  writer.json.member("uid", process.credentials.uid);
  writer.word("user", options.names.user(process.credentials.uid));
  if (process.credentials.loginuid != kNoLogin) {
    writer.json.member("login_uid", process.credentials.loginuid)
        .member("session", process.credentials.sessionid);
  }
  writer.word("terminal", terminal_name(process.tty));
  writer.json.key("ancestors").begin_array();
  size_t level = 0;
  for (const Process* above = process.parent.get(); above != nullptr && level < kAncestorsMax;
       above = above->parent.get(), ++level) {
    writer.json.begin_object();
    writer.json.member("pid", above->pid).member("name", above->name);
    if (above->program != nullptr) writer.text("exe", above->program->exe);
    writer.json.end_object();
  }
  writer.json.end_array().end_object();
}

void write_client(EntryWriter& writer, const Exchange& exchange) {
  const Client& client = exchange.client;
  if (exchange.process != nullptr) {
    write_process(writer, "client", *exchange.process);
  } else {
    writer.json.key("client").begin_object().member("pid", client.pid);
    if (client.uid != kNoLogin) writer.json.member("uid", client.uid);
    if (client.loginuid != kNoLogin) writer.json.member("login_uid", client.loginuid);
    writer.json.end_object();
  }
  // The connection went through other hands: a fork, or a descriptor that was passed on.
  if (client.sender_pid != 0 && client.sender_pid != client.pid) {
    writer.json.member("sender_pid", client.sender_pid);
  }
}

// Values of variables are kept only as commitments, and only where the name says "secret".
std::vector<std::string> shown_environment(const ApiRequest& request, const EntryOptions& options) {
  std::vector<std::string> shown =
      options.redactor.redact_environment(request.environment, options.commit);
  for (size_t at = 0; at < shown.size(); ++at) {
    if (shown[at] == request.environment[at]) shown[at] = shown[at].substr(0, shown[at].find('='));
  }
  return shown;
}

// The query's pairs, decoded. Arguments of a build are whatever its author likes: all secret.
std::vector<std::string> shown_query(const ApiRequest& request, const EntryOptions& options) {
  std::vector<std::string> shown;
  const size_t mark = request.path.find('?');
  if (mark == std::string::npos) return shown;
  std::string_view query = std::string_view(request.path).substr(mark + 1);
  while (!query.empty() && shown.size() < kListMax) {
    const size_t end = query.find('&');
    const std::string pair = percent_decoded(query.substr(0, end), true);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    constexpr std::string_view kBuildArguments = "buildargs=";
    if (pair.starts_with(kBuildArguments)) {
      shown.push_back(std::string(kBuildArguments) +
                      options.commit(std::string_view(pair).substr(kBuildArguments.size())));
    } else if (!pair.empty()) {
      shown.push_back(options.redactor.redact_text(pair, options.commit));
    }
  }
  return shown;
}

void write_request(EntryWriter& writer, const Exchange& exchange) {
  const ApiRequest& request = exchange.request;
  const EntryOptions& options = writer.options();
  writer.json.key("api").begin_object();
  writer.word("action", request.action);
  writer.word("method", request.method);
  writer.text("path", std::string_view(request.path).substr(0, request.path.find('?')));
  writer.list("query", shown_query(request, options));
  if (request.status != 0) writer.json.member("status", request.status);
  writer.text("target", request.target);
  if (request.action == "exec_create") writer.word("exec", request.made_id);
  else if (request.on_exec) writer.text("exec", request.target);
  else writer.word("made", request.made_id);
  writer.text("name", request.name);
  writer.text("image", request.image);
  writer.list("command", options.redactor.redact_arguments(request.command, options.commit));
  writer.text("user", request.user);
  writer.flag("privileged", request.privileged);
  writer.flag("host_pid", request.host_pid);
  writer.flag("host_network", request.host_network);
  writer.list("environment", shown_environment(request, options));
  writer.list("mounts", request.mounts);
  writer.text("file_path", request.file_path);
  writer.text("signal", request.signal);
  if (!request.registry_auth.empty()) {
    writer.json.member("registry_auth", options.commit(request.registry_auth));
  }
  writer.text("user_agent", request.user_agent);
  if (request.body_bytes != 0) writer.json.member("body_bytes", request.body_bytes);
  writer.flag("body_unread", request.body_unread);
  writer.flag("cut", request.cut);
  writer.flag("guessed", request.guessed);
  writer.flag("hijacked", request.hijacked);
  if (exchange.answered_boot_ns > exchange.boot_ns) {
    writer.json.member("duration_ns", exchange.answered_boot_ns - exchange.boot_ns);
  }
  writer.text("socket", exchange.socket);
  writer.text("engine", exchange.engine_name);
  writer.hex("connection", exchange.connection);
  writer.json.end_object();
}

void write_session(EntryWriter& writer, const Session& session) {
  writer.json.key("session").begin_object();
  writer.hex("key", session.key);
  if (session.parent_key != 0) writer.hex("within", session.parent_key);
  writer.text("program", session.program);
  writer.json.member("pid", session.pid);
  writer.word("terminal", session.terminal);
  if (session.port != 0) writer.json.member("port", static_cast<unsigned>(session.port));
  writer.text("command", session.target);
  if (session.target_uid != kNoLogin) {
    writer.json.member("as_uid", session.target_uid);
    writer.word("as_user", writer.options().names.user(session.target_uid));
  }
  writer.flag("claimed", session.claimed);
  writer.flag("older", session.older);
  writer.json.member("began", format_time(session.begin_wall_ns));
}

}  // namespace

std::string request_entry(const Exchange& exchange, const Target& target,
                          const EntryOptions& options) {
  std::string entry;
  EntryWriter writer(entry, options);
  begin_entry(writer, "request", exchange.boot_ns, exchange.wall_ns);
  write_request(writer, exchange);
  if (exchange.person != nullptr) write_person(writer, *exchange.person);
  if (!target.id.empty()) {
    writer.json.key("container").begin_object().member("id", target.id);
    writer.text("name", target.name);
    writer.text("image", target.image);
    writer.json.end_object();
  }
  write_client(writer, exchange);
  writer.json.end_object();
  return entry;
}

std::string session_begin_entry(const Session& session, const EntryOptions& options) {
  std::string entry;
  EntryWriter writer(entry, options);
  begin_entry(writer, "session_begin", session.begin_boot_ns, session.begin_wall_ns);
  write_person(writer, *session.person);
  write_session(writer, session);
  writer.json.end_object().end_object();
  return entry;
}

std::string session_end_entry(const Session& session, std::uint64_t boot_ns, std::int64_t wall_ns,
                              const EntryOptions& options) {
  std::string entry;
  EntryWriter writer(entry, options);
  begin_entry(writer, "session_end", boot_ns, wall_ns);
  write_person(writer, *session.person);
  write_session(writer, session);
  if (boot_ns > session.begin_boot_ns) {
    writer.json.member("duration_ns", boot_ns - session.begin_boot_ns);
  }
  writer.json.member("programs", session.programs);
  std::vector<std::string> commands;
  commands.reserve(session.commands.size());
  for (const auto& command : session.commands) commands.push_back(writer.shown(command));
  writer.list("commands", commands);
  writer.json.end_object().end_object();
  return entry;
}

}  // namespace coff::access
