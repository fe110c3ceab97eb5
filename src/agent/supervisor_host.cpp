// What the supervisor does to the host: directories, lock, control socket, engine connections.
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include "agent/sandbox.hpp"
#include "agent/supervisor.hpp"

namespace coff::agent {
namespace {

/// Connections that wait for the control process.
constexpr int kBacklog = 64;
/// Files whose owner is changed when the keeper's user changed: a trail of years of segments.
constexpr std::size_t kOwnedMax = 1'000'000;

Result<void> make_directory(const std::string& path, mode_t mode) {
  std::error_code problem;
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  if (!parent.empty()) std::filesystem::create_directories(parent, problem);
  if (problem) return fail(Code::kIo, "cannot make " + parent.string() + ": " + problem.message());
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) return fail_errno("cannot make " + path);
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) return fail_errno("cannot look at " + path);
  if (!S_ISDIR(status.st_mode)) return fail(Code::kInvalid, path + " is not a directory");
  return {};
}

/// Gives the directory and everything in it to its process, when it belongs to somebody else: the
/// first start, or the user was made later.
Result<void> give_to(const std::string& path, const Identity& owner) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) return fail_errno("cannot look at " + path);
  if (status.st_uid == owner.uid && status.st_gid == owner.gid) return {};
  std::size_t count = 0;
  std::error_code problem;
  for (auto entry = std::filesystem::recursive_directory_iterator(path, problem);
       !problem && entry != std::filesystem::recursive_directory_iterator();
       entry.increment(problem)) {
    if (++count > kOwnedMax) return fail(Code::kLimit, "too many files in " + path);
    if (::lchown(entry->path().c_str(), owner.uid, owner.gid) != 0) {
      return fail_errno("cannot change the owner of " + entry->path().string());
    }
  }
  if (problem) return fail(Code::kIo, "cannot read " + path + ": " + problem.message());
  if (::lchown(path.c_str(), owner.uid, owner.gid) != 0) {
    return fail_errno("cannot change the owner of " + path);
  }
  return {};
}

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return fail(Code::kInvalid, path + " is too long for the name of a socket");
  }
  path.copy(address.sun_path, path.size());
  return address;
}

Result<gid_t> group_of(const std::string& name) {
  std::array<char, 16384> buffer{};
  group entry{};
  group* found = nullptr;
  ::getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (found == nullptr) {
    return fail(Code::kInvalid, "control.group: this host has no group " + name);
  }
  return found->gr_gid;
}

}  // namespace

Result<void> make_directories(const config::Config& settings, const Identity& keeper,
                              const Identity& sensor) {
  TRY(make_directory(settings.data_dir, 0755));
  TRY(make_directory(settings.run_dir, 0755));
  TRY(make_directory(settings.trail_dir(), 0750));
  TRY(make_directory(settings.baseline_dir(), 0700));
  TRY(make_directory(settings.response_dir(), 0700));
  TRY(give_to(settings.baseline_dir(), sensor));
  return give_to(settings.trail_dir(), keeper);
}

Result<Fd> lock_agent(const config::Config& settings) {
  Fd lock = TRY(open_file(settings.run_dir + "/agent.lock", O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return fail(Code::kBusy, "an agent is running already (it holds " + settings.run_dir +
                                   "/agent.lock); see: cofferdam status");
    }
    return fail_errno("cannot lock " + settings.run_dir + "/agent.lock");
  }
  return lock;
}

Result<Fd> listen_control(const config::Config& settings) {
  const std::string path = settings.control_socket();
  const sockaddr_un address = TRY(address_of(path));
  Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener.valid()) return fail_errno("cannot make the control socket");
  // The lock is ours, so whatever lies here is left over from an agent that was killed.
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return fail_errno("cannot replace " + path);
  const mode_t before = ::umask(0777);  // Nobody may connect before mode and group are right.
  const int bound =
      ::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  ::umask(before);
  if (bound != 0) return fail_errno("cannot bind " + path);
  if (!settings.control.group.empty()) {
    const gid_t gid = TRY(group_of(settings.control.group));
    if (::lchown(path.c_str(), 0, gid) != 0)
      return fail_errno("cannot change the group of " + path);
  }
  if (::chmod(path.c_str(), settings.control.mode & 0777U) != 0) {
    return fail_errno("cannot change the mode of " + path);
  }
  if (::listen(listener.get(), kBacklog) != 0) return fail_errno("cannot listen on " + path);
  return listener;
}

Result<Fd> connect_unix(const std::string& path) {
  const sockaddr_un address = TRY(address_of(path));
  Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid()) return fail_errno("cannot make a socket");
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return fail_errno("cannot connect to " + path);
  }
  return socket;
}

Result<void> confine_supervisor() {
  // Its own: users, signals, ownership. The rest it hands on to the sensor, which gives most up.
  TRY(Sandbox()
          .capabilities({CAP_SETUID, CAP_SETGID, CAP_SETPCAP, CAP_KILL, CAP_CHOWN, CAP_FOWNER,
                         CAP_DAC_OVERRIDE, CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE,
                         CAP_DAC_READ_SEARCH, CAP_SYS_ADMIN, CAP_SYS_RESOURCE, CAP_NET_ADMIN})
          .syscalls(Syscalls::kEverySafe)
          .enter());
  return {};
}

}  // namespace coff::agent
