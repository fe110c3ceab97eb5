// Every process of the host as it was at any recent moment, kept from the kernel's records.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "schema/decode.hpp"
#include "schema/event.hpp"

namespace coff::sensor {

/// Stable id of a process: the first 8 bytes of SHA-256 over boot id, pid and start time.
std::uint64_t process_id(std::string_view boot_id, std::uint32_t pid, std::uint64_t start_boot_ns);

/// What the tree answers for one record.
struct TreeAnswer {
  ProcessPtr process;  ///< Subject as it is after the record; null when its process is not known.
  ProcessPtr other;    ///< fork: the child. Otherwise the target, if known.
  Credentials before;  ///< Of the subject, before the record.
  bool has_before = false;
  bool login_changed = false;  ///< The login user differs from what was known: it was just set.
};

/// Keeps processes keyed by pid and start time, each with its recent past, because lanes overtake
/// one another: a record is always answered for its own time. Ended processes stay for
/// kKeepEndedNs. Not thread-safe.
class ProcessTree {
 public:
  /// Ancestors that a process keeps alive; deeper chains are cut at half of it.
  static constexpr std::uint32_t kDepthMax = 32;
  static constexpr std::uint64_t kKeepEndedNs = 5'000'000'000;
  /// Former states of one process that are kept for late records.
  static constexpr size_t kPastMax = 8;

  /// `environment`: names of the variables that are kept of each program.
  explicit ProcessTree(std::string boot_id, std::vector<std::string> environment = {})
      : boot_id_(std::move(boot_id)), environment_(std::move(environment)) {}

  /// Takes one record in the order of time and answers for it.
  TreeAnswer apply(const schema::Record& record);
  /// Adds a process that is older than the agent, or that a loss hid; an existing one stays.
  /// Returns the process in force.
  ProcessPtr add(Process process);
  /// Says who is behind a process and whatever it forks from now on; gives the process as it is
  /// then, null when it is not known.
  ProcessPtr set_person(std::uint32_t pid, std::uint64_t start_boot_ns, PersonPtr person);
  /// A process as it is now; null when not known.
  [[nodiscard]] ProcessPtr find(std::uint32_t pid) const;
  /// As it was at `boot_ns`. `start_boot_ns` 0 accepts whatever has the pid.
  [[nodiscard]] ProcessPtr find_at(std::uint32_t pid, std::uint64_t start_boot_ns,
                                   std::uint64_t boot_ns) const;
  /// Forgets what ended more than kKeepEndedNs before `boot_ns`. Call it every second or so.
  void forget_ended(std::uint64_t boot_ns);
  /// Removes processes for which `exists` is false: heals after lost exit records.
  void retain(const std::function<bool(const Process&)>& exists);
  void for_each(const std::function<void(const Process&)>& visit) const;
  [[nodiscard]] size_t size() const { return nodes_.size(); }
  /// Records whose process was not known.
  [[nodiscard]] std::uint64_t unknown_count() const { return unknown_; }

 private:
  struct Node {
    ProcessPtr current;
    std::vector<ProcessPtr> past;  ///< Oldest first.
    std::uint64_t ended_boot_ns = 0;
  };

  Node* node_of(std::uint32_t pid, std::uint64_t start_boot_ns);
  void replace(Node& node, Process&& next);
  ProcessPtr link_to_parent(Process&& child, ProcessPtr parent);
  ProcessPtr apply_fork(const schema::Record& record);
  TreeAnswer apply_flow(const schema::Record& record);
  void apply_exec(const schema::Record& record);
  void refresh(Node& node, const schema::Record& record);

  void keep_environment(Process& process) const;

  std::string boot_id_;
  std::vector<std::string> environment_;
  std::unordered_map<std::uint32_t, Node> nodes_;
  std::vector<std::pair<std::uint64_t, std::uint32_t>> ended_;  ///< (time, pid), oldest first.
  std::uint64_t unknown_ = 0;
};

}  // namespace coff::sensor
