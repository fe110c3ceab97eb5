// Starts and ends dockerd for live tests.
#include "live/support/dockerd.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdlib>
#include <sstream>
#include <thread>

#include "base/fd.hpp"

namespace coff::live {
namespace {

constexpr int kStartSlicesMax = 600;  // of 50 ms: 30 s
constexpr int kStopWaitMs = 20'000;
constexpr size_t kLogTailBytes = 4096;
constexpr unsigned kSubnets = 64 * 256;

std::string log_tail(const std::string& path) {
  auto log = read_file(path, 64U << 20U);
  if (!log) return "no log";
  return log->size() > kLogTailBytes ? log->substr(log->size() - kLogTailBytes) : *log;
}

}  // namespace

Dockerd::Dockerd(Workspace workspace, DockerdOptions options)
    : workspace_(std::move(workspace)),
      options_(std::move(options)),
      socket_path_(workspace_ / "docker.sock") {}

Result<std::unique_ptr<Dockerd>> Dockerd::start(DockerdOptions options) {
  std::unique_ptr<Dockerd> engine(new Dockerd(TRY(Workspace::create()), std::move(options)));
  if (engine->options_.bridge == Bridge::kPrivate) TRY(engine->make_bridge());
  TRY(engine->start_again());
  return engine;
}

Result<void> Dockerd::make_bridge() {
  // The pid makes name and network unique among engines that run at the same time; a network
  // that somebody else has already is passed over.
  static unsigned made = 0;
  const unsigned number = made++;
  const auto seed = static_cast<unsigned>(::getpid());
  bridge_name_ = "coff" + std::to_string(seed) + "x" + std::to_string(number % 100);
  TRY(run_ok({"ip", "link", "add", bridge_name_, "type", "bridge"}));
  const std::string taken = TRY(run_ok({"ip", "-o", "-4", "route", "show"}));
  for (unsigned attempt = number; attempt < number + 32; ++attempt) {
    const unsigned subnet = (seed + attempt * 101) % kSubnets;
    const std::string prefix =
        "10." + std::to_string(128 + subnet / 256) + "." + std::to_string(subnet % 256) + ".";
    if (taken.find(prefix) != std::string::npos) continue;
    gateway_ = prefix + "1";
    TRY(run_ok({"ip", "addr", "add", gateway_ + "/24", "dev", bridge_name_}));
    TRY(run_ok({"ip", "link", "set", bridge_name_, "up"}));
    return {};
  }
  return fail(Code::kBusy, "no free network for a bridge");
}

Result<void> Dockerd::start_again() {
  std::vector<std::string> argv = {"dockerd",
                                   "--data-root=" + (workspace_ / "data"),
                                   "--exec-root=" + (workspace_ / "exec"),
                                   "--pidfile=" + (workspace_ / "dockerd.pid"),
                                   "--host=unix://" + socket_path_,
                                   "--iptables=false",
                                   "--ip6tables=false",
                                   "--bridge=" + (bridge_name_.empty() ? "none" : bridge_name_)};
  argv.insert(argv.end(), options_.arguments.begin(), options_.arguments.end());
  const std::string log_path = workspace_ / "dockerd.log";
  child_ = TRY(Child::start(argv, log_path));
  for (int slice = 0; slice < kStartSlicesMax; ++slice) {
    if (engine_answers(socket_path_)) return {};
    if (!child_.running()) return fail(Code::kIo, "dockerd ended: " + log_tail(log_path));
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  child_.stop(kStopWaitMs);
  return fail(Code::kTimeout, "dockerd does not answer: " + log_tail(log_path));
}

Result<std::string> Dockerd::docker(std::vector<std::string> arguments,
                                    const RunOptions& options) const {
  arguments.insert(arguments.begin(), {"docker", "--config", workspace_ / "client", "--host",
                                       "unix://" + socket_path_});
  return run_ok(arguments, options);
}

Result<std::string> Dockerd::import_busybox_image() const {
  if (auto id = docker({"image", "inspect", "--format", "{{.Id}}", kBusyboxImage}); id) return id;
  const std::string archive = workspace_ / "busybox.tar";
  TRY(write_busybox_archive(archive));
  return docker({"import", archive, kBusyboxImage});
}

void Dockerd::stop() {
  // A container whose first process ignores SIGTERM would hold the engine up for ten seconds.
  if (const auto ids = docker({"ps", "--all", "--quiet"}); ids && !ids->empty()) {
    std::vector<std::string> arguments = {"rm", "--force"};
    std::istringstream lines(*ids);
    for (std::string id; std::getline(lines, id);) arguments.push_back(id);
    [[maybe_unused]] const auto removed = docker(std::move(arguments), {.time_ms_max = 60'000});
  }
  child_.stop(kStopWaitMs);
}

void Dockerd::kill() {
  // The kernel kills its containerd with it. A new dockerd takes one that is not yet reaped for
  // alive and waits for it in vain, so its id is seen to be free first.
  const auto recorded = read_file(workspace_ / "exec/containerd/containerd.pid", 32);
  pid_t containerd = 0;
  if (recorded) {
    std::from_chars(recorded->data(), recorded->data() + recorded->size(), containerd);
  }
  child_.signal(SIGKILL);
  while (child_.running()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  for (int slice = 0; slice < 200 && containerd > 0 && ::kill(containerd, 0) == 0; ++slice)
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
}

Dockerd::~Dockerd() {
  if (child_.running()) stop();
  if (!bridge_name_.empty()) {
    [[maybe_unused]] const auto removed = run({"ip", "link", "del", bridge_name_});
  }
}

}  // namespace coff::live
