// Starts and ends a podman service for live tests.
#include "live/support/podman.hpp"

#include <chrono>
#include <thread>

#include "base/fd.hpp"

namespace coff::live {
namespace {

constexpr int kStartSlicesMax = 400;  // of 50 ms: 20 s

}  // namespace

PodmanService::PodmanService(Workspace workspace)
    : workspace_(std::move(workspace)), socket_path_(workspace_ / "podman.sock") {}

Result<std::unique_ptr<PodmanService>> PodmanService::start() {
  std::unique_ptr<PodmanService> service(new PodmanService(TRY(Workspace::create())));
  const Workspace& workspace = service->workspace_;
  // Lower limits and runc: raising limits needs CAP_SYS_RESOURCE, and crun refuses hosts that
  // mix control group versions. Neither is given on every test machine.
  TRY(replace_file(workspace / "containers.conf",
                   "[containers]\n"
                   "default_ulimits = [\"nofile=1024:1024\", \"nproc=1024:1024\"]\n"
                   "netns = \"none\"\n"
                   "[engine]\n"
                   "runtime = \"runc\"\n"
                   "cgroup_manager = \"cgroupfs\"\n"
                   "events_logger = \"file\"\n"
                   "tmp_dir = \"" +
                       (workspace / "tmp") +
                       "\"\n"
                       "static_dir = \"" +
                       (workspace / "root/libpod") +
                       "\"\n"
                       "volume_path = \"" +
                       (workspace / "root/volumes") + "\"\n"));
  const std::string log_path = workspace / "podman.log";
  service->child_ = TRY(Child::start(
      service->with_stores({"system", "service", "--time=0", "unix://" + service->socket_path_}),
      log_path, {"CONTAINERS_CONF=" + (workspace / "containers.conf")}));
  for (int slice = 0; slice < kStartSlicesMax; ++slice) {
    if (engine_answers(service->socket_path_)) return service;
    if (!service->child_.running()) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return fail(Code::kIo, "podman does not answer: " + read_file(log_path, 1U << 20U).value_or(""));
}

std::vector<std::string> PodmanService::with_stores(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(),
                   {"podman", "--root", workspace_ / "root", "--runroot", workspace_ / "run"});
  return arguments;
}

Result<std::string> PodmanService::podman(std::vector<std::string> arguments,
                                          const RunOptions& options) const {
  RunOptions with_configuration = options;
  with_configuration.environment.push_back("CONTAINERS_CONF=" + (workspace_ / "containers.conf"));
  return run_ok(with_stores(std::move(arguments)), with_configuration);
}

Result<std::string> PodmanService::import_busybox_image() const {
  const std::string archive = workspace_ / "busybox.tar";
  TRY(write_busybox_archive(archive));
  return podman({"import", archive, kBusyboxImage});
}

PodmanService::~PodmanService() {
  [[maybe_unused]] const auto removed = podman({"rm", "--all", "--force", "--time", "0"});
  child_.stop(5000);
}

}  // namespace coff::live
