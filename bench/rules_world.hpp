// A busy host made up for benchmarks: services in containers and outside, shells that run commands,
// files that they open, and events of all of them, each one different.
#pragma once

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cmath>
#include <memory>
#include <random>
#include <string>
#include <unordered_set>
#include <vector>

#include "schema/testing/sample_events.hpp"

namespace coff::bench {

/// How many different things its events spoke of.
struct WorldCounts {
  std::unordered_set<std::uint32_t> processes;  ///< By pid; none is used twice.
  std::unordered_set<std::string> programs;
  std::unordered_set<std::string> command_lines;
  std::unordered_set<std::string> paths;
  std::uint64_t events = 0;
  std::uint64_t process_known = 0;  ///< Events whose process, as it was, had an event before.
  std::uint64_t parent_known = 0;   ///< The same for its parent.
};

class World {
 public:
  World() {
    const ProcessPtr init = start(nullptr, nullptr, "/usr/lib/systemd/systemd", {"--system"});
    constexpr const char* kHost[] = {"/usr/sbin/sshd",       "/usr/sbin/cron",
                                     "/usr/bin/dockerd",     "/usr/bin/containerd",
                                     "/usr/sbin/rsyslogd",   "/usr/lib/systemd/systemd-journald",
                                     "/usr/bin/dbus-daemon", "/usr/sbin/NetworkManager"};
    for (const char* path : kHost) services_.push_back(start(init, nullptr, path, {"-D"}));
    for (int at = 0; at < 40; ++at) {
      const ProcessPtr session = start(services_[0], nullptr, "/usr/sbin/sshd", {"-R"});
      shells_.push_back(start(session, nullptr, at % 3 == 0 ? "/bin/sh" : "/bin/bash", {"-l"}));
    }
    for (int at = 0; at < 60; ++at) add_container(init, at);
    std::ranges::shuffle(services_, random_);
    std::ranges::shuffle(shells_, random_);
  }

  std::mt19937& random() { return random_; }
  [[nodiscard]] const WorldCounts& counts() const { return counts_; }

  /// A shell runs a command; the process is a new one.
  Event exec() {
    const ProcessPtr& shell = skewed(shells_);
    const std::string path = pick(kCommands);
    ProcessPtr process = start(shell, shell->container, path, arguments());
    schema::testing::RecordBuilder builder(COFF_KIND_exec);
    builder.header().syscall = SYS_execve;
    builder.text(&coff_exec::exe, path).text(&coff_exec::filename, path);
    if (young_.size() < kYoungMax) young_.push_back(process);
    else young_[random_() % kYoungMax] = process;
    if (random_() % 200 == 0) shells_[random_() % shells_.size()] = process;
    return finish(builder, std::move(process));
  }

  Event open() {
    const bool write = random_() % 4 == 0;
    schema::testing::RecordBuilder builder(COFF_KIND_open);
    builder.header().syscall = SYS_openat;
    builder.header().ret = builder.file().fd = 7;
    builder.file().open_flags = write ? O_WRONLY | O_CREAT : O_RDONLY | O_CLOEXEC;
    builder.file().mode = S_IFREG | 0644;
    builder.text(&coff_file::raw, path());
    return finish(builder, active());
  }

  Event network() {
    const bool connects = random_() % 2 == 0;
    schema::testing::RecordBuilder builder(connects ? COFF_KIND_connect : COFF_KIND_accept);
    builder.header().syscall = connects ? SYS_connect : SYS_accept4;
    builder.sock().family = AF_INET;
    builder.sock().type = SOCK_STREAM;
    builder.sock().remote_port = static_cast<std::uint16_t>(random_() % 60000);
    builder.sock().remote[0] = 10;
    builder.sock().remote[2] = static_cast<std::uint8_t>(random_() % 250);
    builder.sock().remote[3] = static_cast<std::uint8_t>(random_() % 250);
    builder.sock().fd = 5;
    return finish(builder, active());
  }

  /// A name removed, given or changed.
  Event change() {
    constexpr coff_kind kKinds[] = {COFF_KIND_unlink, COFF_KIND_rename, COFF_KIND_chmod,
                                    COFF_KIND_mkdir};
    constexpr int kCalls[] = {SYS_unlinkat, SYS_renameat2, SYS_fchmodat, SYS_mkdirat};
    const size_t at = random_() % std::size(kKinds);
    schema::testing::RecordBuilder builder(kKinds[at]);
    builder.header().syscall = kCalls[at];
    builder.text(&coff_file::raw, path()).text(&coff_file::raw2, path());
    return finish(builder, active());
  }

  /// To be called for the events that are measured.
  void count(const Event& event) {
    ++counts_.events;
    const Process& process = *event.process;
    counts_.processes.insert(process.pid);
    counts_.programs.insert(process.program->exe);
    counts_.command_lines.insert(process.name + joined(process.program->argv));
    if (const auto* file = std::get_if<FileInfo>(&event.detail)) {
      counts_.paths.insert(file->path.name);
    }
    counts_.process_known += seen_.insert(process.pid).second ? 0U : 1U;
    counts_.parent_known += seen_parents_.insert(process.ppid).second ? 0U : 1U;
  }

 private:
  static constexpr size_t kYoungMax = 300;
  static constexpr const char* kCommands[] = {
      "/usr/bin/ls",        "/usr/bin/cat",     "/usr/bin/grep",
      "/usr/bin/sed",       "/usr/bin/awk",     "/usr/bin/git",
      "/usr/bin/make",      "/usr/bin/gcc",     "/usr/bin/ld",
      "/usr/bin/as",        "/usr/bin/python3", "/usr/bin/node",
      "/usr/bin/perl",      "/usr/bin/tar",     "/usr/bin/gzip",
      "/usr/bin/date",      "/usr/bin/sleep",   "/usr/bin/ps",
      "/usr/bin/id",        "/usr/bin/uname",   "/usr/bin/env",
      "/usr/bin/basename",  "/usr/bin/dirname", "/usr/bin/readlink",
      "/usr/bin/mkdir",     "/usr/bin/rm",      "/usr/bin/cp",
      "/usr/bin/mv",        "/usr/bin/touch",   "/usr/bin/chmod",
      "/usr/bin/head",      "/usr/bin/tail",    "/usr/bin/sort",
      "/usr/bin/uniq",      "/usr/bin/wc",      "/usr/bin/cut",
      "/usr/bin/tr",        "/usr/bin/xargs",   "/usr/bin/find",
      "/usr/bin/docker",    "/usr/sbin/ip",     "/usr/sbin/iptables",
      "/usr/bin/systemctl", "/usr/bin/psql",    "/usr/bin/curl",
      "/usr/bin/redis-cli", "/bin/sh",          "/bin/bash",
      "/usr/sbin/runc",     "/usr/bin/test",    "/usr/bin/expr",
      "/usr/bin/stat",      "/usr/bin/du",      "/usr/bin/df",
      "/usr/bin/free",      "/usr/bin/pgrep",   "/usr/bin/pg_dump",
      "/usr/bin/npm",       "/usr/bin/java",    "/usr/lib/gcc/12/cc1"};
  static constexpr const char* kFolders[] = {"/usr/lib/x86_64-linux-gnu/",
                                             "/usr/share/zoneinfo/Europe/",
                                             "/usr/lib/python3/dist-packages/",
                                             "/srv/app/node_modules/",
                                             "/srv/app/src/",
                                             "/var/log/app/",
                                             "/var/lib/postgresql/data/",
                                             "/tmp/build/",
                                             "/home/deploy/work/",
                                             "/proc/",
                                             "/sys/fs/cgroup/system.slice/",
                                             "/etc/app/conf.d/",
                                             "/run/app/",
                                             "/var/cache/app/",
                                             "/etc/",
                                             "/usr/bin/",
                                             "/root/",
                                             "/dev/shm/"};

  void add_container(const ProcessPtr& init, int number) {
    Container container = *schema::testing::sample_container();
    container.id[0] = static_cast<char>('a' + number % 6);
    container.name = "service" + std::to_string(number);
    container.image = "registry.example/team/service" + std::to_string(number % 20) + ":1.4";
    auto shared = std::make_shared<const Container>(std::move(container));
    constexpr const char* kServices[] = {"/usr/sbin/nginx", "/usr/bin/python3",
                                         "/usr/bin/java",   "/usr/lib/postgresql/15/bin/postgres",
                                         "/usr/bin/node",   "/usr/bin/redis-server"};
    const ProcessPtr shim = start(init, nullptr, "/usr/bin/containerd-shim-runc-v2", {"-id", "x"});
    const std::string path = kServices[static_cast<size_t>(number) % std::size(kServices)];
    const ProcessPtr first = start(shim, shared, path, arguments());
    for (int at = 0; at < 8; ++at) services_.push_back(start(first, shared, path, arguments()));
    shells_.push_back(start(first, shared, "/bin/sh", {"-c", "/srv/app/bin/health --local"}));
  }

  ProcessPtr start(const ProcessPtr& parent, ContainerPtr container, std::string path,
                   std::vector<std::string> arguments) {
    Process process;
    coff::Program program;
    process.name = path.substr(path.rfind('/') + 1).substr(0, 15);
    arguments.insert(arguments.begin(), process.name);
    program.exe = program.filename = std::move(path);
    program.argv = std::move(arguments);
    program.env = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                   "HOME=/home/deploy", "USER=deploy"};
    program.ino = 1000 + random_() % 100000;
    program.exe_flags = container == nullptr ? 0 : COFF_EXE_OVERLAY;
    process.program = std::make_shared<const Program>(std::move(program));
    process.pid = next_pid_++;
    process.id = process.pid;
    process.vpid = container == nullptr ? process.pid : process.pid % 1000 + 2;
    process.ppid = parent == nullptr ? 0 : parent->pid;
    process.start_boot_ns = process.since_boot_ns = process.pid * std::uint64_t{1'000'000};
    process.cwd = "/srv/app";
    process.capabilities.effective = process.capabilities.permitted = 0xA80425FB;
    process.container = std::move(container);
    process.depth = parent == nullptr ? 0 : parent->depth + 1;
    process.parent = parent;
    // A shell that runs another one for long is cut off, as the process tree does.
    if (process.depth > 12) process.parent = services_.front();
    return std::make_shared<const Process>(std::move(process));
  }

  Event finish(schema::testing::RecordBuilder& builder, ProcessPtr process) {
    ContainerPtr container = process->container;
    return schema::make_event(*schema::Record::parse(builder.build()),
                              schema::testing::kSampleOffset,
                              {std::move(process), nullptr, std::move(container), nullptr});
  }

  // Of many processes few make most of the events.
  const ProcessPtr& skewed(const std::vector<ProcessPtr>& list) {
    const double share = std::pow(std::uniform_real_distribution<double>(0, 1)(random_), 3);
    return list[static_cast<size_t>(share * static_cast<double>(list.size()))];
  }
  ProcessPtr active() {
    if (!young_.empty() && random_() % 3 != 0) return young_[random_() % young_.size()];
    return skewed(services_);
  }

  std::vector<std::string> arguments() {
    constexpr const char* kOptions[] = {
        "-c",  "--verbose", "-rf",        "-n",     "--listen=0.0.0.0:8080",
        "-O2", "-Wall",     "--no-pager", "status", "-e"};
    std::vector<std::string> list;
    const size_t count = random_() % 5;
    for (size_t at = 0; at < count; ++at) {
      list.emplace_back(random_() % 2 == 0 ? pick(kOptions) : path());
    }
    return list;
  }

  std::string path() {
    const std::string folder = pick(kFolders);
    if (folder == "/proc/") return folder + std::to_string(random_() % 30000) + "/status";
    if (folder == "/etc/" && random_() % 4 == 0) return "/etc/passwd";
    return folder + "part" + std::to_string(random_() % 40) + "/file" +
           std::to_string(random_() % 500) + (random_() % 2 == 0 ? ".conf" : ".so.6");
  }

  template <typename List>
  std::string pick(const List& list) {
    return list[random_() % std::size(list)];
  }
  static std::string joined(const std::vector<std::string>& list) {
    std::string text;
    for (const std::string& each : list) text.append(" ").append(each);
    return text;
  }

  std::mt19937 random_{7};
  std::uint32_t next_pid_ = 1;
  std::vector<ProcessPtr> services_;
  std::vector<ProcessPtr> shells_;
  std::vector<ProcessPtr> young_;  ///< Started by exec(), still at work.
  WorldCounts counts_;
  std::unordered_set<std::uint32_t> seen_;
  std::unordered_set<std::uint32_t> seen_parents_;
};

}  // namespace coff::bench
