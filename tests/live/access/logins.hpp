// People of a test's own: users of the host, and an sshd that lets them in.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "live/support/process.hpp"
#include "live/support/workspace.hpp"

namespace coff::live {

/// Why nobody can log in here; nothing when somebody can.
std::optional<std::string> logins_missing();

/// Two new users and an sshd on a port of the loopback, with PAM and keys of its own. The
/// destructor stops it and removes the users. Not thread-safe, except log_in().
class Logins {
 public:
  static Result<std::unique_ptr<Logins>> start();
  ~Logins();
  Logins(const Logins&) = delete;
  Logins& operator=(const Logins&) = delete;

  [[nodiscard]] const std::vector<std::string>& users() const { return users_; }
  /// Logs in as `user` (also root) and runs `script` in a shell there. 120 s at most.
  [[nodiscard]] Result<Outcome> log_in(const std::string& user, const std::string& script) const;
  /// For messages of failed tests.
  [[nodiscard]] std::string log() const;

 private:
  explicit Logins(Workspace workspace) : workspace_(std::move(workspace)) {}
  Result<void> add_users();
  Result<void> start_server();

  Workspace workspace_;
  std::vector<std::string> users_;
  bool made_folder_ = false;  ///< sshd's /run/sshd was not there.
  int port_ = 0;
  Child server_;
};

}  // namespace coff::live
