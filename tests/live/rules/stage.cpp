// Builds the stage of the rules' cases.
#include "live/rules/stage.hpp"

#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <filesystem>
#include <fstream>
#include <thread>

namespace coff::live {

namespace {

namespace fs = std::filesystem;

constexpr const char* kImage = "coff/stage:1";
// Where the folder with the scripts is in a container.
constexpr const char* kMounted = "/t";

constexpr std::string_view kTexts[][2] = {
    {"etc/passwd", "root:x:0:0::/root:/bin/sh\n"},
    {"etc/shadow", "root:!:0:0:99999:7:::\n"},
    {"etc/motd", "hello\n"},
    {"etc/ssl/private/web.key", "no key\n"},
    {"root/.ssh/id_rsa", "no key\n"},
    {"root/.ssh/id_rsa.pub", "no key\n"},
    {"root/.aws/credentials", "none\n"},
    {"root/.bash_history", "ls\n"},
    {"var/run/secrets/kubernetes.io/serviceaccount/token", "none\n"},
};

constexpr std::string_view kCapabilities[] = {"CHOWN",
                                              "DAC_OVERRIDE",
                                              "DAC_READ_SEARCH",
                                              "FOWNER",
                                              "FSETID",
                                              "KILL",
                                              "SETGID",
                                              "SETUID",
                                              "SETPCAP",
                                              "LINUX_IMMUTABLE",
                                              "NET_BIND_SERVICE",
                                              "NET_BROADCAST",
                                              "NET_ADMIN",
                                              "NET_RAW",
                                              "IPC_LOCK",
                                              "IPC_OWNER",
                                              "SYS_MODULE",
                                              "SYS_RAWIO",
                                              "SYS_CHROOT",
                                              "SYS_PTRACE",
                                              "SYS_PACCT",
                                              "SYS_ADMIN",
                                              "SYS_BOOT",
                                              "SYS_NICE",
                                              "SYS_RESOURCE",
                                              "SYS_TIME",
                                              "SYS_TTY_CONFIG",
                                              "MKNOD",
                                              "LEASE",
                                              "AUDIT_WRITE",
                                              "AUDIT_CONTROL",
                                              "SETFCAP",
                                              "MAC_OVERRIDE",
                                              "MAC_ADMIN",
                                              "SYSLOG",
                                              "WAKE_ALARM",
                                              "BLOCK_SUSPEND",
                                              "AUDIT_READ",
                                              "PERFMON",
                                              "BPF",
                                              "CHECKPOINT_RESTORE"};

// The host's folders that scripts write to, each covered by a layer of the script's own.
constexpr const char* kCoverHost =
    "mkdir -p \"$T/cover\" && mount -t tmpfs none \"$T/cover\" || exit 1\n"
    "for folder in etc var/log; do\n"
    "  mkdir -p \"$T/cover/$folder/up\" \"$T/cover/$folder/work\"\n"
    "  mount -t overlay none -o \"lowerdir=/$folder,upperdir=$T/cover/$folder/up,"
    "workdir=$T/cover/$folder/work\" \"/$folder\" || exit 1\n"
    "done\n";

Result<void> write_text(const fs::path& path, std::string_view text) {
  return guard(Code::kIo, "writing " + path.string(), [&] {
    fs::create_directories(path.parent_path());
    std::ofstream file(path);
    file << text;
    if (!file.flush()) throw std::runtime_error("disk full?");
  });
}

Result<void> copy_helper(const fs::path& to, mode_t mode) {
  return guard(Code::kIo, "copying the helper", [&] {
    fs::create_directories(to.parent_path());
    fs::copy_file(COFF_DEED, to, fs::copy_options::overwrite_existing);
    if (::chmod(to.c_str(), mode) != 0) throw std::runtime_error("chmod " + to.string());
  });
}

}  // namespace

std::vector<std::string_view> missing_capabilities() {
  std::vector<std::string_view> missing;
  for (size_t number = 0; number < std::size(kCapabilities); ++number) {
    if (::prctl(PR_CAPBSET_READ, number) == 0) missing.push_back(kCapabilities[number]);
  }
  return missing;
}

Result<std::unique_ptr<Stage>> Stage::start(const std::string& rules_lines) {
  std::unique_ptr<Stage> stage(new Stage(TRY(Workspace::create())));
  stage->engine_ = TRY(Dockerd::start());
  TRY(stage->make_image());
  TRY(stage->make_disk());
  stage->product_ = TRY(Product::start({stage->engine_->socket_path()}, "rules:\n" + rules_lines));
  TRY(copy_helper(stage->folder_ / "deed", 0755));
  return stage;
}

Stage::~Stage() {
  product_.reset();
  engine_.reset();
  if (!disk_.empty()) [[maybe_unused]]
    const auto freed = run_ok({"losetup", "-d", disk_});
}

Result<void> Stage::make_image() {
  const Workspace root = TRY(Workspace::create());
  const std::string archive = folder_ / "root.tar";
  TRY(write_busybox_archive(archive));
  TRY(run_ok({"tar", "-C", root.path(), "-xf", archive}));
  for (const auto& [path, text] : kTexts) TRY(write_text(root / path, text));
  TRY(copy_helper(root / "usr/bin/deed", 0755));
  for (const std::string_view name : helper_names()) {
    TRY(guard(Code::kIo, "naming the helper", [&] {
      fs::create_hard_link(root / "usr/bin/deed", root / ("usr/bin/" + std::string(name)));
    }));
  }
  TRY(guard(Code::kIo, "linking find",
            [&] { fs::create_symlink("/bin/busybox", root / "usr/bin/find"); }));
  TRY(copy_helper(root / "usr/bin/su", 04755));
  TRY(copy_helper(root / "usr/bin/odd", 04755));
  TRY(run_ok({"tar", "-C", root.path(), "-cf", archive, "."}));
  TRY(engine_->docker({"import", archive, kImage}));
  return {};
}

Result<void> Stage::make_disk() {
  const std::string file = folder_ / "disk";
  TRY(run_ok({"truncate", "-s", "4M", file}));
  TRY(run_ok({"mke2fs", "-q", "-t", "ext4", "-F", file}));
  disk_ = TRY(run_ok({"losetup", "--find", "--show", file}));
  struct stat status{};
  if (::stat(disk_.c_str(), &status) != 0) return fail_errno(disk_);
  disk_numbers_ =
      std::to_string(major(status.st_rdev)) + " " + std::to_string(minor(status.st_rdev));
  return {};
}

Result<void> Stage::start_containers() {
  const std::vector<std::string> common = {"run",       "-d",
                                           "--network", "none",
                                           "-v",        folder_.path() + ":" + kMounted,
                                           "-e",        std::string("T=") + kMounted};
  const auto start = [&](const char* name, std::vector<std::string> more) -> Result<void> {
    std::vector<std::string> arguments = common;
    arguments.insert(arguments.end(), {"--name", name});
    arguments.insert(arguments.end(), more.begin(), more.end());
    arguments.insert(arguments.end(), {kImage, "sleep", "10000"});
    TRY(engine_->docker(arguments));
    return {};
  };
  TRY(start("plain", {}));
  // All that --privileged gives, where the machine has it to give: that fails as a whole on a
  // machine that lacks a single capability.
  std::vector<std::string> more = {"--cap-add", "ALL"};
  for (const std::string_view name : missing_capabilities()) {
    more.insert(more.end(), {"--cap-drop", std::string(name)});
  }
  for (const char* option :
       {"seccomp=unconfined", "apparmor=unconfined", "systempaths=unconfined"}) {
    more.insert(more.end(), {"--security-opt", option});
  }
  more.insert(more.end(), {"--device-cgroup-rule", "b *:* rwm", "-e", "LOOP=" + disk_numbers_, "-v",
                           (folder_ / "host") + ":/host", "-v",
                           engine_->socket_path() + ":/var/run/docker.sock"});
  return start("privileged", std::move(more));
}

Result<void> Stage::add(Place place, const std::string& mark, std::string_view script) {
  TRY(write_text(folder_ / (mark + ".sh"), std::string(script) + "\n"));
  TRY(guard(Code::kIo, "naming the helper",
            [&] { fs::create_hard_link(folder_ / "deed", folder_ / mark); }));
  marks_[place].push_back(mark);
  return {};
}

std::vector<std::string> Stage::command(Place place, const std::string& script) const {
  if (place == Place::kHost) return {"unshare", "--mount", "sh", folder_ / script};
  if (place == Place::kEngine) return {"sh", folder_ / script};
  const std::string name = place == Place::kPlain ? "plain" : "privileged";
  return {"docker", "--host", "unix://" + engine_->socket_path(),  "exec",
          name,     "sh",     std::string(kMounted) + "/" + script};
}

std::string Stage::run() {
  std::string told;
  if (auto started = start_containers(); !started) return started.error().message();
  std::map<Place, std::string> said;
  std::vector<std::jthread> threads;
  for (const auto& [place, marks] : marks_) {
    std::string script = place == Place::kHost ? kCoverHost : "";
    for (const std::string& mark : marks) {
      script += "echo \"== " + mark + "\"; export C=case-" + mark + "; \"$T/" + mark +
                "\" under /bin/sh \"$T/" + mark + ".sh\" 2>&1\n";
    }
    const std::string name = "place" + std::to_string(static_cast<int>(place)) + ".sh";
    if (auto written = write_text(folder_ / name, script); !written) {
      return written.error().message();
    }
    threads.emplace_back([this, place = place, name, &out = said[place]] {
      const std::string client = "docker --host unix://" + engine_->socket_path();
      const auto outcome = live::run(
          command(place, name),
          {.time_ms_max = 90'000,
           .environment = {"T=" + folder_.path(), "D=" + client, std::string("IMAGE=") + kImage,
                           "SOCKET=" + engine_->socket_path()}});
      out = outcome ? outcome->out + outcome->err : outcome.error().message();
    });
  }
  threads.clear();
  for (const auto& [place, text] : said) told += text;
  return told;
}

FoundByMark Stage::found() const {
  FoundByMark found;
  const auto outcome = product_->cofferdam({"findings", "--json", "--limit", "10000"});
  if (!outcome) return found;
  size_t begin = 0;
  for (size_t end = 0; (end = outcome->out.find('\n', begin)) != std::string::npos;
       begin = end + 1) {
    boost::json::error_code problem;
    const auto entry = boost::json::parse(outcome->out.substr(begin, end - begin), problem);
    if (problem) continue;
    const std::string rule = text_at(entry, {"finding", "rule"});
    std::string container = text_at(entry, {"container", "name"});
    if (container.starts_with("case-")) found[container.substr(5)].insert(rule);
    found[text_at(entry, {"process", "name"})].insert(rule);
    boost::json::error_code absent;
    const auto* ancestors = entry.find_pointer("/process/ancestors", absent);
    if (ancestors == nullptr || !ancestors->is_array()) continue;
    for (const auto& each : ancestors->get_array()) found[text_at(each, {"name"})].insert(rule);
  }
  return found;
}

}  // namespace coff::live
