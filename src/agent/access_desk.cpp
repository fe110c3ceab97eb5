// Who is behind each action: ties requests to engines, sessions and processes together.
#include "agent/access_desk.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "agent/login_origin.hpp"
#include "base/clock.hpp"

namespace coff::agent {

namespace {

/// Names and execs that are remembered at a time; then all are forgotten.
constexpr size_t kRememberedMax = 8192;
constexpr std::string_view kRunMark = "not asked for";

std::string last_component(std::string_view path) {
  return std::string(path.substr(path.rfind('/') + 1));
}

/// The argument behind `option`; "" when there is none.
std::string_view argument_of(const std::vector<std::string>& arguments, std::string_view option) {
  const auto at = std::find(arguments.begin(), arguments.end(), option);
  if (at == arguments.end() || at + 1 == arguments.end()) return {};
  return *(at + 1);
}

bool has_argument(const std::vector<std::string>& arguments, std::string_view word) {
  return std::find(arguments.begin(), arguments.end(), word) != arguments.end();
}

/// Whether this process is root's containerd-shim: only what it executes counts as the engine's.
bool is_shim(const Process* process) {
  return process != nullptr && process->credentials.euid == 0 && process->program != nullptr &&
         last_component(process->program->exe).starts_with("containerd-shim");
}

/// Whether this process is root's conmon: what podman puts between itself and the runtime.
bool is_monitor(const Process* process) {
  return process != nullptr && process->credentials.euid == 0 && process->program != nullptr &&
         last_component(process->program->exe) == "conmon";
}

std::string_view via_of(std::string_view action) {
  if (action == "exec_create" || action == "exec_start") return "docker exec";
  if (action == "restart") return "docker restart";
  if (action == "start") return "docker start";
  return "docker API";
}

std::string joined(std::span<const std::string> words) {
  std::string text;
  for (const auto& word : words) {
    if (!text.empty()) text += ' ';
    text += word;
  }
  return text;
}

}  // namespace

void AccessDesk::Waiting::put(const std::string& id, PersonPtr person) {
  if (id.empty() || person == nullptr) return;
  if (people_.insert_or_assign(id, std::move(person)).second) order_.push_back(id);
  while (order_.size() > kWaitingMax) {
    people_.erase(order_.front());
    order_.pop_front();
  }
}

PersonPtr AccessDesk::Waiting::find(const std::string& id) const {
  const auto found = people_.find(id);
  return found == people_.end() ? nullptr : found->second;
}

AccessDesk::AccessDesk(Pipeline& pipeline, const runtime::Directory& directory)
    : pipeline_(pipeline),
      directory_(directory),
      connections_({.on_request = [this](access::Exchange& exchange) { begin_request(exchange); },
                    .on_done = [this](access::Exchange& exchange) { end_request(exchange); },
                    .on_raw =
                        [this](std::uint64_t connection) {
                          sensor_->programs().ignore_api_connection(connection);
                        }}),
      sessions_(
          {.find_origin = [](const Process& opener) { return find_login_origin(opener); },
           .set_person = [this](const Process& process,
                                const PersonPtr& person) { set_person(process, person); },
           .on_begin =
               [this](const access::Session& session) {
                 ++counters_.sessions;
                 pipeline_.tell_access({}, [&](const access::EntryOptions& options) {
                   return access::session_begin_entry(session, options);
                 });
               },
           .on_end =
               [this](const access::Session& session, std::uint64_t boot_ns, std::int64_t wall_ns) {
                 pipeline_.tell_access({}, [&](const access::EntryOptions& options) {
                   return access::session_end_entry(session, boot_ns, wall_ns, options);
                 });
               }}) {}

void AccessDesk::set_person(const Process& process, const PersonPtr& person) {
  sensor_->processes().set_person(process.pid, process.start_boot_ns, person);
}

void AccessDesk::take(Event& event) {
  const bool new_user = event.kind == Kind::loginuid && event.credentials.loginuid != kNoLogin &&
                        pipeline_.names().user(event.credentials.loginuid).empty();
  if (new_user) pipeline_.read_names();
  sessions_.take(event, pipeline_.names());
  if (event.kind != Kind::exec || event.failed() || event.process == nullptr) return;
  const Process* parent = event.process->parent.get();
  if (event.container == nullptr && is_shim(parent)) tie(event);
  else if (event.container == nullptr && is_monitor(parent)) tie_monitored(*event.process);
  else if (event.container != nullptr) recognise_health_check(event);
  // As it is now: with whoever was found just above.
  const ProcessPtr now = sensor_->processes().find(event.process->pid);
  if (now != nullptr && now->id == event.process->id && now->person != event.process->person) {
    event.process = now;
  }
}

void AccessDesk::take(const sensor::ApiBytes& bytes) {
  const coff_api& api = bytes.record.api();
  // An engine within a container has clients of its own world; its word ties nothing here.
  if (bytes.container != nullptr) return;
  std::string_view socket = bytes.record.text(api.socket);
  socket = socket.substr(0, socket.find('\0'));
  connections_.take({.connection = api.connection,
                     .socket = socket,
                     .answer = api.answer != 0,
                     .offset = api.offset,
                     .count = api.carried,
                     .bytes = bytes.record.text(api.bytes),
                     .boot_ns = api.hdr.time,
                     .wall_ns = bytes.wall_ns,
                     .client = {.pid = api.client_pid,
                                .start_boot_ns = api.client_start,
                                .uid = api.client_uid,
                                .loginuid = api.client_loginuid,
                                .sessionid = api.client_sessionid,
                                .sender_pid = api.sender_pid,
                                .sender_start_boot_ns = api.sender_start}});
}

// Container names and beginnings of ids as the engine takes them.
std::string AccessDesk::container_of(const access::ApiRequest& request) const {
  if (request.on_exec) {
    const auto known = exec_containers_.find(request.target);
    return known == exec_containers_.end() ? "" : known->second;
  }
  if (request.action == "create") return request.made_id;
  if (!request.on_container || request.target.empty()) return {};
  if (directory_.find(request.target) != nullptr) return request.target;
  const auto named = names_.find(request.target);
  if (named != names_.end()) return named->second;
  std::string by_id;
  for (const ContainerPtr& container : directory_.present()) {
    if (container->name == request.target) return container->id;
    if (container->id.starts_with(request.target)) by_id = container->id;
  }
  return by_id;
}

access::Target AccessDesk::target_of(const std::string& id) const {
  if (id.empty()) return {};
  const ContainerPtr container = directory_.find(id);
  if (container == nullptr) return {.id = id};
  return {.id = id, .name = container->name, .image = container->image};
}

PersonPtr AccessDesk::person_of(const access::Exchange& exchange) const {
  Person person;
  if (exchange.process != nullptr && exchange.process->person != nullptr) {
    person = *exchange.process->person;
  } else if (const PersonPtr session = sessions_.find(exchange.client.sessionid)) {
    person = *session;
  } else if (exchange.process != nullptr) {
    person.component = exchange.process->name;
  } else {
    person.component = "a process that had ended";
  }
  if (exchange.process != nullptr) {
    person.client = exchange.process->name;
    const std::string terminal = access::terminal_name(exchange.process->tty);
    if (!terminal.empty()) person.terminal = terminal;
  }
  person.key = (exchange.boot_ns * 0x9E3779B97F4A7C15ULL) ^ exchange.connection;
  person.via = via_of(exchange.request.action);
  return std::make_shared<const Person>(std::move(person));
}

void AccessDesk::begin_request(access::Exchange& exchange) {
  const access::Client& client = exchange.client;
  const sensor::ProcessTree& processes = sensor_->processes();
  // Who sent it counts, not who once connected: a socket may be handed on.
  if (client.sender_pid != 0) {
    exchange.process =
        processes.find_at(client.sender_pid, client.sender_start_boot_ns, exchange.boot_ns);
  }
  if (exchange.process == nullptr && client.pid != 0) {
    exchange.process = processes.find_at(client.pid, client.start_boot_ns, exchange.boot_ns);
  }
  exchange.person = person_of(exchange);
  const access::ApiRequest& request = exchange.request;
  exchange.container_id = container_of(request);
  if (request.action == "exec_start") started_.put(request.target, exchange.person);
  if (request.action == "start" || request.action == "restart") {
    starting_.put(exchange.container_id, exchange.person);
  }
}

void AccessDesk::end_request(access::Exchange& exchange) {
  const access::ApiRequest& request = exchange.request;
  if (request.action == "create") {
    exchange.container_id = request.made_id;
    if (names_.size() >= kRememberedMax) names_.clear();
    if (!request.name.empty() && !request.made_id.empty()) names_[request.name] = request.made_id;
  }
  if (request.action == "exec_create" && !request.made_id.empty()) {
    created_.put(request.made_id, exchange.person);
    if (exec_containers_.size() >= kRememberedMax) exec_containers_.clear();
    exec_containers_[request.made_id] = exchange.container_id;
  }
  // What the engine starts after its answer is not this request's work.
  if (request.action == "start" || request.action == "restart") {
    starting_.erase(exchange.container_id);
  }
  if (exchange.process != nullptr && own_.contains(*exchange.process)) {
    ++counters_.own_requests;
    return;
  }
  ++counters_.requests;
  const access::Target target = target_of(exchange.container_id);
  pipeline_.tell_access(target, [&](const access::EntryOptions& options) {
    return access::request_entry(exchange, target, options);
  });
}

PersonPtr AccessDesk::person_of_exec(const std::string& exec, const std::string& container) const {
  if (const PersonPtr person = started_.find(exec)) return person;
  if (const PersonPtr person = created_.find(exec)) return person;
  const ContainerPtr known = directory_.find(container);
  const bool checks = known != nullptr && !known->health_check.empty();
  return std::make_shared<const Person>(
      Person{.component = "engine", .via = std::string(checks ? kRunMark : "exec")});
}

PersonPtr AccessDesk::person_of_start(const std::string& container) const {
  if (const PersonPtr person = starting_.find(container)) return person;
  const ContainerPtr known = directory_.find(container);
  const bool restarts =
      known != nullptr && !known->restart_policy.empty() && known->restart_policy != "no";
  return std::make_shared<const Person>(
      Person{.component = restarts ? "restart policy" : "engine", .via = "start"});
}

// containerd's shim runs "runc ... exec --pid-file .../EXEC.pid ... CONTAINER" for an exec, and
// "runc ... create ... CONTAINER" for a start; all that runs in the container descends from it.
void AccessDesk::tie(Event& event) {
  const Process& process = *event.process;
  if (process.program == nullptr || process.program->argv.size() < 3) return;
  const auto& arguments = process.program->argv;
  const std::string& container = arguments.back();
  PersonPtr person;
  if (has_argument(arguments, "exec")) {
    std::string exec = last_component(argument_of(arguments, "--pid-file"));
    if (exec.ends_with(".pid")) exec.resize(exec.size() - 4);
    person = person_of_exec(exec, container);
  } else if (has_argument(arguments, "create")) {
    person = person_of_start(container);
  } else {
    return;
  }
  const bool known = person->key != 0;
  ++(known ? counters_.tied : counters_.untied);
  set_person(process, person);
}

// podman runs "conmon -c CONTAINER -u EXEC", or with the container twice for a start, and that the
// runtime. Who calls podman itself, without its service, is an ancestor and known already.
void AccessDesk::tie_monitored(const Process& process) {
  const auto& arguments = process.parent->program->argv;
  const std::string container(argument_of(arguments, "-c"));
  const std::string unit(argument_of(arguments, "-u"));
  PersonPtr person;
  if (unit == container) {
    person = starting_.find(container);
  } else {
    person = started_.find(unit);
    if (person == nullptr) person = created_.find(unit);
  }
  ++(person != nullptr ? counters_.tied : counters_.untied);
  if (person != nullptr) set_person(process, person);
}

// What the engine runs without being asked is a health check if it is that container's, and
// otherwise stays what it is: not explained.
void AccessDesk::recognise_health_check(Event& event) {
  const PersonPtr& person = event.process->person;
  if (person == nullptr || person->component != "engine" || person->via != kRunMark) return;
  const ContainerPtr known = directory_.find(event.container->id);
  if (known == nullptr || event.process->program == nullptr) return;
  const std::string command = joined(event.process->program->argv);
  const std::string& check = known->health_check;
  if (check.empty() || (command != check && !command.ends_with(" -c " + check))) return;
  set_person(*event.process, std::make_shared<const Person>(Person{.component = "health check"}));
}

void AccessDesk::learn() {
  std::vector<ProcessPtr> processes;
  sensor_->processes().for_each([&](const Process& process) {
    if (sensor_->container_of(process.cgroup) == nullptr) {
      processes.push_back(sensor_->processes().find(process.pid));
    }
  });
  sessions_.learn(std::move(processes), pipeline_.names(),
                  static_cast<std::uint64_t>(boot_now_ns()), wall_now_ns());
}

void AccessDesk::prune() {
  const auto exists = [this](std::uint32_t pid, std::uint64_t id) {
    const ProcessPtr process = sensor_->processes().find(pid);
    return process != nullptr && process->id == id;
  };
  sessions_.prune(exists, static_cast<std::uint64_t>(boot_now_ns()), wall_now_ns());
}

void AccessDesk::write_counters(JsonWriter& json) const {
  json.key("access")
      .begin_object()
      .member("requests", counters_.requests)
      .member("own_requests", counters_.own_requests)
      .member("connections", connections_.size())
      .member("tied", counters_.tied)
      .member("untied", counters_.untied)
      .member("sessions", counters_.sessions)
      .member("open_sessions", sessions_.size())
      .end_object();
}

}  // namespace coff::agent
