// Sessions of people on the host: logins, and what su and sudo open within them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "schema/event.hpp"
#include "schema/user_names.hpp"

namespace coff::access {

/// Where a login came from, as whoever can look says.
struct Origin {
  std::string address;  ///< "" = not from a network, or not known.
  std::uint16_t port = 0;
};

struct Session {
  std::uint64_t key = 0;
  std::uint64_t parent_key = 0;  ///< su, sudo: the session that it was called in; 0 for logins.
  PersonPtr person;
  std::uint16_t port = 0;               ///< Of the other end.
  std::string program;                  ///< That opened it, its path.
  std::uint32_t pid = 0;                ///< That opened it.
  std::string target;                   ///< su, sudo: its arguments.
  std::uint32_t target_uid = kNoLogin;  ///< su, sudo: whom it became; kNoLogin: not known yet.
  std::string terminal;                 ///< Of the first program in it that had one.
  bool claimed = false;  ///< Whoever said so was not root: an assertion, not a login.
  bool older = false;    ///< Began before the agent watched.
  std::uint64_t begin_boot_ns = 0;
  std::int64_t begin_wall_ns = 0;
  std::uint64_t programs = 0;         ///< Executed in it, those of inner sessions included.
  std::vector<std::string> commands;  ///< The first of them; the owner redacts.
};

/// "pts/3", "tty1", "136:3" for a device number of stat(2); "" for 0.
std::string terminal_name(std::uint32_t device);
/// Last component of the program's path; the thread's name where there is none.
std::string program_name(const Process& process);

/// Not thread-safe. Sessions beyond kSessionsMax are not told; their people are known all the same.
class Sessions {
 public:
  static constexpr size_t kSessionsMax = 1024;
  static constexpr size_t kCommandsMax = 40;
  static constexpr size_t kCommandBytesMax = 256;

  struct Handlers {
    std::function<Origin(const Process& opener)> find_origin;
    /// Says who is behind a process and what it forks.
    std::function<void(const Process&, PersonPtr)> set_person;
    std::function<void(const Session&)> on_begin;
    std::function<void(const Session&, std::uint64_t boot_ns, std::int64_t wall_ns)> on_end;
  };

  explicit Sessions(Handlers handlers) : handlers_(std::move(handlers)) {}
  Sessions(const Sessions&) = delete;
  Sessions& operator=(const Sessions&) = delete;

  /// Takes every event of the kernel, in order. `names`: of the host's users.
  void take(const Event& event, const schema::UserNames& names);
  /// Sessions of processes that are older than the agent.
  void learn(std::vector<ProcessPtr> processes, const schema::UserNames& names,
             std::uint64_t boot_ns, std::int64_t wall_ns);
  /// Ends sessions none of whose processes exists, in case an end was lost.
  void prune(const std::function<bool(std::uint32_t pid, std::uint64_t id)>& exists,
             std::uint64_t boot_ns, std::int64_t wall_ns);

  /// The person of an audit session; null when none is known.
  [[nodiscard]] PersonPtr find(std::uint32_t audit_session) const;
  [[nodiscard]] size_t size() const { return sessions_.size(); }

 private:
  struct Open {
    Session session;
    std::unordered_map<std::uint64_t, std::uint32_t> members;  ///< Process id to pid.
  };

  Open* open_login(const Process& opener, const Credentials& credentials,
                   const schema::UserNames& names, std::uint64_t boot_ns, std::int64_t wall_ns,
                   bool older);
  void take_login(const Event& event, const schema::UserNames& names);
  void take_fork(const Event& event);
  void take_exec(const Event& event);
  void take_exit(const Event& event);
  void open_switch(const Event& event);
  void join(std::uint64_t key, const Process& process);
  void leave(std::uint64_t key, std::uint64_t process, std::uint64_t boot_ns, std::int64_t wall_ns);
  Open* find_open(std::uint64_t key);

  Handlers handlers_;
  std::unordered_map<std::uint64_t, Open> sessions_;
};

}  // namespace coff::access
