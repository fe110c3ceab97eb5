// People of a test's own: users of the host, and an sshd that lets them in.
#include "live/access/logins.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "base/fd.hpp"

namespace coff::live {

namespace {

constexpr const char* kServer = "/usr/sbin/sshd";
constexpr const char* kServerFolder = "/run/sshd";
constexpr int kLoginMsMax = 120'000;

Result<int> free_port() {
  const Fd probe(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* any = reinterpret_cast<sockaddr*>(&address);
  if (::bind(probe.get(), any, size) != 0 || ::getsockname(probe.get(), any, &size) != 0) {
    return fail_errno("no free port");
  }
  return ntohs(address.sin_port);
}

}  // namespace

std::optional<std::string> logins_missing() {
  if (::geteuid() != 0) return "users of our own need root";
  for (const char* program : {kServer, "/usr/bin/ssh", "/usr/bin/ssh-keygen", "/usr/bin/curl",
                              "/usr/bin/docker-compose", "/usr/sbin/useradd"}) {
    if (::access(program, X_OK) != 0) return std::string("there is no ") + program;
  }
  const auto rules = read_file("/etc/pam.d/sshd", 1U << 20U);
  if (!rules || rules->find("pam_loginuid") == std::string::npos) {
    return "sshd's PAM rules have no pam_loginuid";
  }
  if (::access("/proc/self/loginuid", R_OK) != 0) return "this kernel has no audit sessions";
  return {};
}

Result<std::unique_ptr<Logins>> Logins::start() {
  std::unique_ptr<Logins> logins(new Logins(TRY(Workspace::create())));
  TRY(logins->add_users());
  TRY(logins->start_server());
  return logins;
}

Logins::~Logins() {
  server_.stop(5000);
  for (const auto& user : users_) {
    [[maybe_unused]] const auto removed = run({"userdel", user});
  }
  if (made_folder_) ::rmdir(kServerFolder);
}

Result<void> Logins::add_users() {
  for (const char* name : {"coffa", "coffb"}) {
    const std::string user = name + std::to_string(::getpid());
    const std::string home = workspace_ / user;
    TRY(run_ok({"useradd", "--no-user-group", "--gid", "nogroup", "--create-home", "--home-dir",
                home, "--shell", "/bin/bash", user}));
    users_.push_back(user);
  }
  return {};
}

Result<void> Logins::start_server() {
  for (const char* key : {"host_key", "client_key"}) {
    TRY(run_ok({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", workspace_ / key}));
  }
  TRY(run_ok({"cp", workspace_ / "client_key.pub", workspace_ / "allowed"}));
  TRY(run_ok({"chmod", "644", workspace_ / "allowed"}));
  made_folder_ = ::mkdir(kServerFolder, 0755) == 0;
  port_ = TRY(free_port());
  std::ofstream(workspace_ / "sshd_config")
      << "Port " << port_ << "\nListenAddress 127.0.0.1\nHostKey " << workspace_ / "host_key"
      << "\nAuthorizedKeysFile " << workspace_ / "allowed" << "\nPidFile none\nUsePAM yes\n"
      << "PasswordAuthentication no\nPermitRootLogin prohibit-password\nStrictModes no\n"
      << "MaxStartups 50\nPrintMotd no\n";
  server_ = TRY(Child::start({kServer, "-D", "-e", "-f", workspace_ / "sshd_config"},
                             workspace_ / "sshd.log"));
  for (int attempt = 0; attempt < 50; ++attempt) {
    if (auto in = log_in(users_[0], "true"); in && in->status == 0) return {};
    ::usleep(100'000);
  }
  return fail(Code::kTimeout, "nobody can log in: " + log());
}

Result<Outcome> Logins::log_in(const std::string& user, const std::string& script) const {
  return run({"ssh", "-F", "none", "-p", std::to_string(port_), "-i", workspace_ / "client_key",
              "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o",
              "LogLevel=ERROR", "-o", "BatchMode=yes", user + "@127.0.0.1", script},
             {.time_ms_max = kLoginMsMax});
}

std::string Logins::log() const {
  std::ostringstream text;
  text << std::ifstream(workspace_ / "sshd.log").rdbuf();
  return text.str();
}

}  // namespace coff::live
