// Benchmark: events asked against all rules of the files given, from decoded record to verdict.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <random>
#include <string>
#include <vector>

#include "schema/testing/sample_events.hpp"
#include "sigma/sigma.hpp"

namespace {

using namespace coff;
using schema::testing::RecordBuilder;

constexpr size_t kEvents = 256;  // As many as stay in the cache: events come from the decoder.
constexpr int kRuns = 5;

/// Processes of a busy host: names, arguments, four levels of ancestors.
class World {
 public:
  explicit World(bool containers) : containers_(containers) {
    constexpr const char* kNames[] = {
        "systemd", "containerd-shim", "bash", "nginx", "python3", "postgres", "java", "sh", "cron",
        "sshd",    "redis-server",    "git",  "cc1",   "make",    "curl"};
    for (const char* name : kNames) names_.emplace_back(name);
  }

  ProcessPtr process() {
    ProcessPtr parent;
    for (int level = 0; level < 4; ++level) parent = make(std::move(parent), level);
    return parent;
  }
  std::mt19937& random() { return random_; }
  size_t pick(size_t size) { return random_() % size; }

 private:
  ProcessPtr make(ProcessPtr parent, int level) {
    Process process = *schema::testing::sample_process();
    coff::Program program;
    process.name = names_[level == 0 ? 0 : pick(names_.size())];
    program.exe = "/usr/bin/" + process.name;
    program.argv = {process.name, "-c", "/etc/app/config.d/main.conf", "--verbose",
                    "--listen=0.0.0.0:" + std::to_string(8000 + pick(1000))};
    program.env = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "HOME=/root",
                   "LANG=C.UTF-8"};
    program.ino = 1000 + pick(1000);
    program.exe_flags = COFF_EXE_OVERLAY;
    process.program = std::make_shared<const Program>(std::move(program));
    process.pid = static_cast<std::uint32_t>(1000 + pick(30000));
    process.id = process.pid;
    process.cwd = "/srv/app";
    process.capabilities.effective = process.capabilities.permitted = 0xA80425FB;
    if (!containers_) process.container = nullptr;
    process.parent = std::move(parent);
    return std::make_shared<const Process>(std::move(process));
  }

  bool containers_;
  std::vector<std::string> names_;
  std::mt19937 random_{7};
};

Event finish(World& world, RecordBuilder& builder) {
  Event event = schema::testing::sample_event(builder);
  event.process = world.process();
  event.container = event.process->container;
  return event;
}

Event exec_event(World& world) {
  RecordBuilder builder(COFF_KIND_exec);
  builder.header().syscall = SYS_execve;
  builder.text(&coff_exec::exe, "/usr/bin/x").text(&coff_exec::filename, "/usr/bin/x");
  return finish(world, builder);
}

Event open_event(World& world) {
  constexpr const char* kPaths[] = {"/etc/passwd",
                                    "/etc/shadow",
                                    "/usr/lib/x86_64-linux-gnu/libc.so.6",
                                    "/var/log/app/current.log",
                                    "/root/.ssh/authorized_keys",
                                    "/proc/self/status",
                                    "/srv/app/node_modules/express/index.js",
                                    "/etc/cron.d/job",
                                    "/home/user/.bashrc",
                                    "/tmp/build/cache/objects/aa/bb"};
  const bool write = world.pick(3) == 0;
  RecordBuilder builder(COFF_KIND_open);
  builder.header().syscall = SYS_openat;
  builder.header().ret = builder.file().fd = 7;
  builder.file().open_flags = write ? O_WRONLY | O_CREAT : O_RDONLY;
  builder.text(&coff_file::raw, kPaths[world.pick(std::size(kPaths))]);
  return finish(world, builder);
}

Event connect_event(World& world) {
  RecordBuilder builder(world.pick(2) == 0 ? COFF_KIND_connect : COFF_KIND_accept);
  builder.header().syscall = builder.header().kind == COFF_KIND_connect ? SYS_connect : SYS_accept4;
  builder.sock().family = AF_INET;
  builder.sock().type = SOCK_STREAM;
  builder.sock().remote_port = static_cast<std::uint16_t>(world.pick(9000));
  builder.sock().remote[0] = 10;
  builder.sock().remote[3] = static_cast<std::uint8_t>(world.pick(250));
  builder.sock().fd = 5;
  return finish(world, builder);
}

Event change_event(World& world) {
  constexpr coff_kind kKinds[] = {COFF_KIND_unlink, COFF_KIND_rename, COFF_KIND_chmod,
                                  COFF_KIND_mkdir};
  constexpr int kCalls[] = {SYS_unlinkat, SYS_renameat2, SYS_fchmodat, SYS_mkdirat};
  const size_t at = world.pick(std::size(kKinds));
  RecordBuilder builder(kKinds[at]);
  builder.header().syscall = kCalls[at];
  builder.text(&coff_file::raw, "/srv/app/tmp/x").text(&coff_file::raw2, "/srv/app/tmp/y");
  return finish(world, builder);
}

// Of this thread, so that a busy machine counts less.
double cpu_ns() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

void measure(const char* name, const std::vector<Event>& events,
             const std::shared_ptr<const rules::RuleSet>& set) {
  rules::Evaluator evaluator(set);
  std::uint64_t number = 0;
  std::uint64_t found = 0;
  const auto round = [&] {
    for (const Event& event : events) {
      found += evaluator.matches({.event = event, .number = ++number, .host = "host"}).size();
    }
  };
  round();
  double best[kRuns];
  constexpr int kRounds = 400;
  for (double& each : best) {
    const double start = cpu_ns();
    for (int i = 0; i < kRounds; ++i) round();
    each = (cpu_ns() - start) / kRounds / static_cast<double>(events.size());
  }
  std::sort(std::begin(best), std::end(best));
  std::printf(R"({"bench":"rules","case":"%s","ns_per_event":%.1f,"events_per_s":%.0f,)"
              R"("matches_per_event":%.3f})"
              "\n",
              name, best[kRuns / 2], 1e9 / best[kRuns / 2],
              static_cast<double>(found) / static_cast<double>(number));
}

std::vector<Event> make(World& world, const std::vector<Event (*)(World&)>& kinds) {
  std::vector<Event> events;
  for (size_t at = 0; at < kEvents; ++at) events.push_back(kinds[at % kinds.size()](world));
  std::ranges::shuffle(events, world.random());
  return events;
}

}  // namespace

// Arguments: rule files or folders; behind "--sigma" Sigma files or folders.
int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const auto sigma = std::ranges::find(arguments, "--sigma");
  const std::vector<std::string> files(arguments.begin(), sigma);
  std::vector<std::string> sigma_files;
  if (sigma != arguments.end()) sigma_files.assign(sigma + 1, arguments.end());
  const auto start = std::chrono::steady_clock::now();
  rules::LoadOptions options;
  options.selections = {{.rule = "*", .tag = "", .enable = true}};
  const rules::Loaded loaded = sigma::load_files(files, sigma_files, std::move(options)).rules;
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
  for (const rules::Problem& problem : loaded.problems) {
    if (problem.severity == rules::Problem::Severity::kWarning) continue;
    std::fprintf(stderr, "%s\n", rules::to_text(problem).c_str());
    return 1;
  }
  std::printf(R"({"bench":"rules","case":"load","rules":%zu,"ms":%.1f})"
              "\n",
              loaded.rules->rules().size(), took.count());
  for (const bool containers : {true, false}) {
    World world(containers);
    const std::string place = containers ? "container" : "host";
    measure(
        (place + " mix").c_str(),
        make(world, {exec_event, open_event, connect_event, open_event, change_event, open_event}),
        loaded.rules);
    measure((place + " exec").c_str(), make(world, {exec_event}), loaded.rules);
    measure((place + " open").c_str(), make(world, {open_event}), loaded.rules);
    measure((place + " network").c_str(), make(world, {connect_event}), loaded.rules);
  }
  return 0;
}
