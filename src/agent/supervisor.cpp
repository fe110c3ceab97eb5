// The supervisor: starts the agent's processes, connects them, starts them anew, and ends them.
#include "agent/supervisor.hpp"

#include <signal.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>

#include "agent/child.hpp"
#include "agent/control_names.hpp"
#include "agent/payload.hpp"
#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/json_writer.hpp"
#include "base/log.hpp"

namespace coff::agent {
namespace {

/// How often is looked whether an engine's socket has come or gone.
constexpr std::int64_t kEngineScanMs = 2000;

/// Which processes talk to each other, and what each calls the other.
struct LinkPlan {
  Role one;
  Link at_one;
  Role two;
  Link at_two;
};
constexpr LinkPlan kLinks[] = {
    {Role::kSensor, Link::kToKeeper, Role::kKeeper, Link::kToSensor},
    {Role::kControl, Link::kToKeeper, Role::kKeeper, Link::kToControl},
    {Role::kControl, Link::kToSensor, Role::kSensor, Link::kToControl},
    {Role::kWitness, Link::kToKeeper, Role::kKeeper, Link::kToWitness},
    {Role::kEngine, Link::kToSensor, Role::kSensor, Link::kToEngine},
};

constexpr std::uint16_t number(Message message) { return static_cast<std::uint16_t>(message); }

}  // namespace

Supervisor::Supervisor(Loop& loop, std::string config_path, LoadedConfig loaded,
                       ServiceManager manager)
    : loop_(loop),
      config_path_(std::move(config_path)),
      loaded_(std::move(loaded)),
      manager_(std::move(manager)),
      actions_(
          loop, [this](std::string_view type, std::string_view members) { record(type, members); },
          [this] { return encode_setup(Identity{}, loaded_.text, loaded_.file); }) {
  for (std::size_t i = 0; i < children_.size(); ++i) children_[i].role = static_cast<Role>(i);
}

Result<void> Supervisor::start() {
  for (Child& one : children_) one.identity = identity_of(one.role);
  TRY(make_directories(loaded_.settings, child(Role::kKeeper).identity,
                       child(Role::kSensor).identity));
  lock_ = TRY(lock_agent(loaded_.settings));
  listener_ = TRY(listen_control(loaded_.settings));
  TRY(confine_supervisor());
  record_start();
  TRY(actions_.start(loaded_.settings.response_dir()));
  for (Child& one : children_) TRY(start_child(one));
  TRY(loop_.every(kEngineScanMs, [this] { return give_engines(false); }));
  TRY(start_telling());
  loop_.before_wait([this]() -> Result<int> {
    const int trail_ms = TRY(trail_.flush_due());
    const int start_ms = TRY(start_due());
    if (trail_ms < 0 || start_ms < 0) return std::max(trail_ms, start_ms);
    return std::min(trail_ms, start_ms);
  });
  return {};
}

Result<void> Supervisor::start_telling() {
  TRY(loop_.every(kReadyMsMax, [this]() -> Result<void> {
    manager_.tell_ready("The kernel is not watched yet: cofferdam doctor");
    return {};
  }));
  if (manager_.alive_every_ms() == 0) return {};
  return loop_.every(manager_.alive_every_ms(), [this]() -> Result<void> {
    manager_.tell_alive();
    return {};
  });
}

void Supervisor::record(std::string_view type, std::string_view members) {
  // A refusal is counted by the writer and reported with the process table.
  if (auto added = trail_.append(make_agent_entry(type, members)); !added) {
    log_error("supervisor", added.error().message());
  }
}

void Supervisor::record_start() {
  std::string members;
  JsonWriter json(members);
  json.begin_object()
      .member("action", "start")
      .member("version", std::string_view(COFF_VERSION))
      .member("pid", static_cast<std::int64_t>(::getpid()))
      .member("config", loaded_.file)
      .member("config_sha256", to_hex(sha256(loaded_.text)));
  json.key("users").begin_array();
  for (const Child& one : children_) {
    json.begin_object()
        .member("process", role_name(one.role))
        .member("uid", one.identity.uid)
        .member("reserved_number", !one.identity.from_name)
        .end_object();
  }
  json.end_array().end_object();
  record("agent", members.substr(1, members.size() - 2));
}

Result<void> Supervisor::start_child(Child& one) {
  auto [ours, theirs] = TRY(Channel::pair());
  const std::string arguments[] = {std::string(kChildArgument), std::string(role_name(one.role))};
  const int given[] = {theirs.fd()};
  one.process = TRY(spawn_self(arguments, given));
  one.started_boot_ns = boot_now_ns();
  one.restart_boot_ns = 0;
  one.ready = false;
  one.peer = std::make_unique<Peer>(
      loop_, [this, &one](Frame&& frame) { return handle_frame(one, std::move(frame)); },
      // The end of the process follows and is what counts.
      [this, &one](const Error&) -> Result<void> {
        if (one.role == Role::kKeeper) trail_.disconnect();
        return {};
      });
  TRY(one.peer->attach(std::move(ours)));
  TRY(loop_.watch(one.process->handle.get(), EPOLLIN,
                  [this, &one](std::uint32_t) { return handle_death(one); }));
  TRY(one.peer->send(number(Message::kSetup),
                     encode_setup(one.identity, loaded_.text, loaded_.file)));
  return publish_processes();
}

/// The child is locked in. Not before: its sandbox closes every descriptor that it doesn't know.
Result<void> Supervisor::welcome(Child& one) {
  one.ready = true;
  if (one.role == Role::kKeeper) TRY(trail_.connect(*one.peer));
  if (one.role == Role::kControl) {
    TRY(give_listener());
    TRY(link_actions(one));
  }
  if (one.role == Role::kEngine) TRY(give_engines(true));
  TRY(link_child(one));
  return publish_processes();
}

Result<void> Supervisor::link_child(Child& one) {
  for (const LinkPlan& plan : kLinks) {
    if (plan.one != one.role && plan.two != one.role) continue;
    Child& first = child(plan.one);
    Child& second = child(plan.two);
    if (!first.ready || !second.ready) continue;
    TRY(link(first, plan.at_one, second, plan.at_two));
  }
  return {};
}

Result<void> Supervisor::link(Child& one, Link at_one, Child& two, Link at_two) {
  auto [first, second] = TRY(Channel::pair());
  const auto send = [](Child& to, Link name, const Channel& end) {
    const char payload = static_cast<char>(name);
    const int given[] = {end.fd()};
    // A child that dies right now gets a new channel at its next start.
    [[maybe_unused]] const auto ignored =
        to.peer->send(number(Message::kLink), std::string_view(&payload, 1), given);
  };
  send(one, at_one, first);
  send(two, at_two, second);
  return {};
}

Result<void> Supervisor::link_actions(Child& control) {
  auto [ours, theirs] = TRY(Channel::pair());
  const char payload = static_cast<char>(Link::kToActions);
  const int given[] = {theirs.fd()};
  // A control process that dies right now gets a new channel at its next start.
  [[maybe_unused]] const auto ignored =
      control.peer->send(number(Message::kLink), std::string_view(&payload, 1), given);
  return actions_.connect_control(std::move(ours));
}

Result<void> Supervisor::handle_frame(Child& one, Frame&& frame) {
  switch (static_cast<Message>(frame.type)) {
    case Message::kReady: {
      PayloadReader reader(frame.payload);
      one.landlock_abi = reader.number<std::uint8_t>();
      one.landlocked = reader.number<bool>();
      one.filtered = reader.number<bool>();
      TRY(reader.done());
      return welcome(one);
    }
    case Message::kAck:
      if (one.role == Role::kKeeper) return trail_.handle_ack(frame.payload);
      break;
    case Message::kConnect:
      if (one.role == Role::kEngine) return connect_engine(one, frame.payload);
      break;
    case Message::kWatching:
      if (one.role != Role::kSensor) break;
      manager_.tell_ready("Watching");
      return {};
    case Message::kFatal: return {};  // It has logged why; its exit follows.
    default: break;
  }
  // A child that says what it has no right to say is not ours any more.
  log_error("supervisor", std::string(role_name(one.role)) + " sent a message it may not send");
  if (one.process) ::kill(one.process->pid, SIGKILL);
  return {};
}

Result<void> Supervisor::connect_engine(Child& one, std::string_view payload) {
  PayloadReader reader(payload);
  const auto request = reader.number<std::uint64_t>();
  const std::string path(reader.text());
  TRY(reader.done());
  const std::vector<std::string> allowed = loaded_.settings.engine_sockets();
  Result<Fd> connected = fail(Code::kDenied, "no engine is configured at " + path);
  if (std::ranges::find(allowed, path) != allowed.end()) connected = connect_unix(path);
  std::string answer;
  PayloadWriter(answer).number(request).text(connected ? "" : connected.error().message());
  if (!connected) return one.peer->send(number(Message::kConnected), answer);
  const int given[] = {connected->get()};
  return one.peer->send(number(Message::kConnected), answer, given);
}

Result<void> Supervisor::handle_death(Child& one) {
  if (!one.process) return {};
  const std::optional<Ending> ending = TRY(reap(*one.process));
  if (!ending) return {};
  loop_.forget(one.process->handle.get());
  const pid_t pid = one.process->pid;
  one.process.reset();
  one.peer.reset();
  one.ready = false;
  one.last_ending = ending->text();
  if (one.role == Role::kKeeper) trail_.disconnect();
  if (stopping_ && ending->signal != 0) {
    log_error("supervisor", std::string(role_name(one.role)) + " ended badly: " + one.last_ending);
  }
  if (stopping_) return {};
  ++one.deaths;
  const std::int64_t lived_ms = (boot_now_ns() - one.started_boot_ns) / 1'000'000;
  if (lived_ms >= kHealthyMs) one.next_wait_ms = kRestartMsMin;
  one.restart_boot_ns = boot_now_ns() + one.next_wait_ms * 1'000'000;
  std::string members;
  JsonWriter json(members);
  json.begin_object()
      .member("action", "process_died")
      .member("process", role_name(one.role))
      .member("pid", static_cast<std::int64_t>(pid))
      .member("ending", one.last_ending)
      .member("signal", ending->signal)
      .member("lived_ms", lived_ms)
      .member("deaths", one.deaths)
      .member("restart_in_ms", one.next_wait_ms)
      .end_object();
  record("agent", members.substr(1, members.size() - 2));
  log_error("supervisor", std::string(role_name(one.role)) + " died: " + one.last_ending);
  one.next_wait_ms = std::min(one.next_wait_ms * 2, kRestartMsMax);
  return publish_processes();
}

Result<int> Supervisor::start_due() {
  int wait_ms = -1;
  for (Child& one : children_) {
    if (one.restart_boot_ns == 0 || stopping_) continue;
    const std::int64_t left_ns = one.restart_boot_ns - boot_now_ns();
    if (left_ns > 0) {
      const int left_ms = static_cast<int>(left_ns / 1'000'000) + 1;
      wait_ms = wait_ms < 0 ? left_ms : std::min(wait_ms, left_ms);
      continue;
    }
    TRY(start_child(one));
    std::string members;
    JsonWriter json(members);
    json.begin_object()
        .member("action", "process_restarted")
        .member("process", role_name(one.role))
        .member("pid", static_cast<std::int64_t>(one.process->pid))
        .end_object();
    record("agent", members.substr(1, members.size() - 2));
  }
  return wait_ms;
}

Result<void> Supervisor::give_listener() {
  Child& control = child(Role::kControl);
  if (!control.ready) return {};
  const int given[] = {listener_.get()};
  TRY(control.peer->send(number(Message::kListener),
                         encode_names(resolve_names(loaded_.settings.roles)), given));
  return {};
}

/// The engine worker can't look for sockets itself, and engines may be started after the agent.
Result<void> Supervisor::give_engines(bool always) {
  std::vector<std::string> found = loaded_.settings.engine_sockets();
  Child& engine = child(Role::kEngine);
  if (!engine.ready || (!always && found == engines_)) return {};
  engines_ = std::move(found);
  std::string payload;
  PayloadWriter writer(payload);
  writer.number(static_cast<std::uint32_t>(engines_.size()));
  for (const std::string& path : engines_) writer.text(path);
  // An engine worker that is dying gets them when it was started again.
  [[maybe_unused]] const auto ignored = engine.peer->send(number(Message::kEngines), payload);
  return {};
}

Result<void> Supervisor::publish_processes() {
  Child& control = child(Role::kControl);
  if (!control.peer || !control.peer->attached()) return {};
  std::string table;
  JsonWriter json(table);
  json.begin_object()
      .member("part", "agent")
      .member("version", std::string_view(COFF_VERSION))
      .member("pid", static_cast<std::int64_t>(::getpid()))
      .member("config", loaded_.file)
      .member("config_sha256", to_hex(sha256(loaded_.text)))
      .member("reloads", reloads_)
      .member("failed_reloads", failed_reloads_);
  json.key("processes").begin_array();
  for (const Child& one : children_) {
    json.begin_object()
        .member("process", role_name(one.role))
        .member("pid", one.process ? static_cast<std::int64_t>(one.process->pid) : 0)
        .member("uid", one.identity.uid)
        .member("reserved_uid", !one.identity.from_name)
        .member("ready", one.ready)
        .member("landlock_abi", one.landlock_abi)
        .member("landlocked", one.landlocked)
        .member("seccomp", one.filtered)
        .member("deaths", one.deaths)
        .member("last_ending", one.last_ending)
        .end_object();
  }
  json.end_array().end_object();
  std::string payload;
  PayloadWriter(payload).text(table);
  // A control process that is dying gets the table when it was started again.
  [[maybe_unused]] const auto ignored = control.peer->send(number(Message::kProcesses), payload);
  return {};
}

}  // namespace coff::agent
