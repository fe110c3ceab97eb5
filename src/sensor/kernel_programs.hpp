// The kernel half of the sensor: loaded, attached where this kernel allows it, and otherwise named
// as a blindness.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/mapping.hpp"
#include "base/result.hpp"
#include "bpf/wire.h"
#include "sensor/calls.hpp"
#include "sensor/filter_compiler.hpp"

struct cofferdam_bpf;
struct bpf_link;
struct bpf_program;

namespace coff::sensor {

/// What is fixed when the programs are loaded.
struct LoadOptions {
  /// Bytes of each lane's ring; a power of two and a multiple of the page size.
  std::array<std::uint32_t, COFF_LANES> ring_bytes{16U << 20, 8U << 20, 4U << 20};
  std::uint32_t argv_bytes_max = COFF_ARGV_MAX;
  std::uint32_t env_bytes_max = COFF_ENV_MAX;
  /// The v1 controller whose control groups identify containers, e.g. "memory"; "" = the default
  /// (v2 or hybrid) hierarchy.
  std::string cgroup_controller;
  /// Processes of the agent itself, at most 8: their use of files and BPF is not reported.
  std::vector<std::uint32_t> self_pids;
};

/// Something that is not observed here, and why.
struct Blindness {
  std::string what;        ///< "system call setxattrat", "32-bit system calls".
  std::string reason;      ///< A sentence.
  std::string remedy;      ///< What would mend it; empty when nothing would.
  bool by_design = false;  ///< The kernel simply has no such thing: nothing is missed.
};

/// Exact counts of one (accounting slot, kind) over all CPUs.
struct KindCount {
  std::uint32_t slot = 0;
  std::uint32_t kind = 0;
  coff_count count{};
};

/// Owns the loaded programs, their maps and their links; all go with it. Ending takes a second or
/// more: the kernel waits for a grace period at each of some 90 detachments, one after the other.
/// Not thread-safe.
class KernelPrograms {
 public:
  /// Loads. Programs that this kernel refuses are left out and named in blindness(); an error only
  /// when nothing at all can be loaded (no BPF, no permission).
  static Result<KernelPrograms> load(const LoadOptions& options);
  /// Attaches what was loaded. Events flow from here on, so set filter and control groups before.
  /// What cannot be attached is named in blindness(); an error when nothing can.
  Result<void> attach();
  KernelPrograms(KernelPrograms&&) noexcept;
  KernelPrograms& operator=(KernelPrograms&&) noexcept;
  ~KernelPrograms();

  [[nodiscard]] const std::vector<Blindness>& blindness() const { return blindness_; }
  /// Hooks that are attached now. Calls that no clause of the filter asks for have none, because
  /// even a hook that does nothing taxes the call.
  [[nodiscard]] size_t attached_count() const;
  [[nodiscard]] int ring_fd(coff_lane lane) const;

  /// Makes the programs use `tables` from now on, and attaches or detaches calls as it asks for.
  /// The former tables stay valid while programs that already run still read them.
  Result<void> use_filter(const coff_filter& tables);
  /// Tells the programs the slot and class of a control group. kLimit when the table is full: the
  /// group then counts as unknown, and all its events are forwarded.
  Result<void> set_cgroup(std::uint64_t id, std::uint32_t slot, coff_class cls);
  /// Forgets a control group that was removed.
  void forget_cgroup(std::uint64_t id);
  /// Adds names of sockets whose connections are followed, COFF_API_SOCKETS at most (kLimit).
  Result<void> watch_api_sockets(const std::vector<std::string>& names);
  /// Bytes of this connection are of no interest any more: it is a stream now.
  void ignore_api_connection(std::uint64_t connection);
  void set_self_pids(const std::vector<std::uint32_t>& pids);

  /// All counts that are not zero. Cheap: the counters are mapped, no system call is made.
  [[nodiscard]] std::vector<KindCount> read_counts() const;
  /// How often the kernel skipped a program because another one ran on the same CPU.
  [[nodiscard]] std::uint64_t skipped_runs() const;
  /// Bytes that the maps occupy in the kernel, as far as their declarations tell.
  [[nodiscard]] std::uint64_t map_bytes() const;
  /// Raw exec-shaped records of all processes, without texts, by the task iterator; kUnsupported
  /// where the kernel has none.
  Result<std::string> read_tasks() const;
  /// Raw flow-shaped records of the TCP connections that are older than the agent; each is given
  /// once. Listening sockets get their owner by the way. kUnsupported where the kernel has no
  /// iterator over open files.
  Result<std::string> read_connections() const;
  /// Of connections whose hash has a bit of `mask`, only the first of an edge and failures are
  /// reported; all are counted. 0: all are reported.
  void use_flow_sample(std::uint32_t mask);

 private:
  struct SkeletonDeleter {
    void operator()(cofferdam_bpf* skeleton) const;
  };
  struct LinkDeleter {
    void operator()(bpf_link* link) const;
  };
  using Skeleton = std::unique_ptr<cofferdam_bpf, SkeletonDeleter>;
  using Link = std::unique_ptr<bpf_link, LinkDeleter>;

  KernelPrograms() = default;
  Result<void> map_counts();
  void attach_programs();
  void attach_program(bpf_program* program, const char* what);
  void attach_calls();
  Link attach_call(const ObservedCall& call);
  [[nodiscard]] bool is_wanted(const ObservedCall& call) const;
  void attach_api();
  void name_known_blindness();
  void name_once(Blindness blindness);

  Skeleton skeleton_;
  Mapping counts_;
  std::vector<Link> links_;
  std::array<Link, COFF_CALL_COUNT> call_links_;  ///< Null: not attached.
  std::array<bool, COFF_KINDS> kinds_wanted_{};   ///< By the filter in use.
  bool attached_ = false;
  Link task_iterator_;
  Link socket_iterator_;
  std::string compat_refusal_;  ///< Why the 32-bit entry itself is not watched; "": it is.
  std::vector<Blindness> blindness_;
};

}  // namespace coff::sensor
