// The supervisor's life: load the configuration, run, reload on SIGHUP, stop on SIGTERM.
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "agent/child.hpp"
#include "agent/payload.hpp"
#include "agent/supervisor.hpp"
#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/json_writer.hpp"
#include "base/log.hpp"

namespace coff::agent {
namespace {

/// Producers get this long to hand over what they have; the keeper to make it durable and sign.
constexpr int kStopMs = 8000;
/// Changed settings named in one entry.
constexpr std::size_t kChangesMax = 12;
/// Bytes of one changed value, or of a problem's text, in an entry.
constexpr std::size_t kValueBytesMax = 2000;

std::string shortened(const std::string& text) {
  if (text.size() <= kValueBytesMax) return text;
  return text.substr(0, kValueBytesMax) + "… (" + std::to_string(text.size()) + " bytes)";
}

Result<Fd> take_signals() {
  sigset_t taken;
  ::sigemptyset(&taken);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&taken, signal);
  if (::sigprocmask(SIG_BLOCK, &taken, nullptr) != 0) return fail_errno("cannot block signals");
  ::signal(SIGPIPE, SIG_IGN);
  Fd signals(::signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals.valid()) return fail_errno("cannot take signals");
  return signals;
}

}  // namespace

Result<LoadedConfig> load(const std::string& path) {
  LoadedConfig loaded;
  loaded.file = path.empty() ? std::string(config::kDefaultPath) : path;
  auto text = read_file(loaded.file, config::kFileBytesMax);
  // Without a file at the default place every default holds.
  if (!text && !(path.empty() && text.error().code == Code::kNotFound)) {
    return std::unexpected(text.error());
  }
  if (text) loaded.text = std::move(*text);
  config::Parsed parsed = config::parse_config(loaded.text, loaded.file);
  if (!parsed.problems.empty()) {
    std::string all;
    for (const config::Problem& problem : parsed.problems) all += config::to_text(problem);
    return fail(Code::kInvalid, all);
  }
  loaded.settings = std::move(parsed.config);
  return loaded;
}

Result<void> Supervisor::reload() {
  std::string members;
  JsonWriter json(members);
  json.begin_object().member("file", loaded_.file);
  Result<LoadedConfig> fresh = load(config_path_);
  if (!fresh) {
    ++failed_reloads_;
    log_error("supervisor", "configuration kept, the new one is wrong: " + fresh.error().message());
    json.member("ok", false).member("problems", shortened(fresh.error().message())).end_object();
    record("config", members.substr(1, members.size() - 2));
    return publish_processes();
  }
  ++reloads_;
  json.member("ok", true).member("sha256", to_hex(sha256(fresh->text)));
  json.key("changes").begin_array();
  const std::vector<config::Change> changes = config::diff(loaded_.settings, fresh->settings);
  for (std::size_t i = 0; i < std::min(changes.size(), kChangesMax); ++i) {
    json.begin_object()
        .member("name", changes[i].name)
        .member("before", shortened(changes[i].before))
        .member("after", shortened(changes[i].after))
        .end_object();
  }
  json.end_array().member("changes_total", static_cast<std::uint64_t>(changes.size())).end_object();
  record("config", members.substr(1, members.size() - 2));
  const std::string old_socket = loaded_.settings.control_socket();
  loaded_ = std::move(*fresh);
  if (loaded_.settings.control_socket() != old_socket) {
    ::unlink(old_socket.c_str());
    listener_ = TRY(listen_control(loaded_.settings));
  }
  std::string payload;
  PayloadWriter(payload).text(loaded_.text).text(loaded_.file);
  for (Child& one : children_) {
    // Who is away reads the new settings at its start.
    if (one.peer) {
      [[maybe_unused]] const auto ignored =
          one.peer->send(static_cast<std::uint16_t>(Message::kConfig), payload);
    }
  }
  actions_.renew_guard();
  TRY(give_listener());
  TRY(give_engines(true));
  log_info("supervisor", "configuration read again");
  return publish_processes();
}

Result<void> Supervisor::handle_signal(int signal) {
  if (signal == SIGHUP) return reload();
  log_info("supervisor", "stopping");
  loop_.stop();
  return {};
}

Result<void> Supervisor::stop_child(Child& one, int timeout_ms) {
  if (!one.process) return {};
  [[maybe_unused]] const auto ignored =
      one.peer->send(static_cast<std::uint16_t>(Message::kStop), "");
  const std::int64_t deadline_ns = boot_now_ns() + timeout_ms * std::int64_t{1'000'000};
  while (one.process && boot_now_ns() < deadline_ns) TRY(loop_.dispatch(100));
  if (!one.process) return {};
  log_error("supervisor", std::string(role_name(one.role)) + " doesn't stop and is killed");
  ::kill(one.process->pid, SIGKILL);
  while (one.process) TRY(loop_.dispatch(100));
  return {};
}

Result<void> Supervisor::stop() {
  stopping_ = true;
  manager_.tell_stopping();
  loop_.resume();
  TRY(actions_.stop(kStopMs));
  for (const Role role : {Role::kEngine, Role::kSensor, Role::kControl, Role::kWitness}) {
    TRY(stop_child(child(role), kStopMs));
  }
  record("agent", "\"action\":\"stop\"");
  TRY(trail_.flush());
  const std::int64_t deadline_ns = boot_now_ns() + kStopMs * std::int64_t{1'000'000};
  while (!trail_.all_durable() && child(Role::kKeeper).process && boot_now_ns() < deadline_ns) {
    TRY(loop_.dispatch(50));
  }
  TRY(stop_child(child(Role::kKeeper), kStopMs));
  ::unlink(loaded_.settings.control_socket().c_str());
  if (!trail_.all_durable()) return fail(Code::kTimeout, "the stop is not in the trail");
  return {};
}

Result<void> run_agent(const std::string& config_path) {
  if (::geteuid() != 0) return fail(Code::kDenied, "the agent must be started by root");
  LoadedConfig loaded = TRY(load(config_path));
  set_log_level(loaded.settings.log_level);
  const Fd signals = TRY(take_signals());
  Loop loop = TRY(Loop::open());
  auto manager = ServiceManager::open();
  if (!manager) log_warning("supervisor", manager.error().message());
  Supervisor supervisor(loop, config_path, std::move(loaded),
                        manager ? std::move(*manager) : ServiceManager());
  TRY(loop.watch(signals.get(), EPOLLIN, [&](std::uint32_t) -> Result<void> {
    signalfd_siginfo info{};
    while (::read(signals.get(), &info, sizeof info) == sizeof info) {
      const auto handled = supervisor.handle_signal(static_cast<int>(info.ssi_signo));
      if (!handled) return handled;
    }
    return {};
  }));
  TRY(supervisor.start());
  const Result<void> ran = loop.run();
  const Result<void> stopped = supervisor.stop();
  if (!ran) return ran;
  return stopped;
}

}  // namespace coff::agent
