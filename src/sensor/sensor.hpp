// The sensor: kernel records in, events with their process and container out.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "schema/event.hpp"
#include "schema/kernel_filter.hpp"
#include "sensor/cgroups.hpp"
#include "sensor/kernel_programs.hpp"
#include "sensor/process_tree.hpp"
#include "sensor/rings.hpp"

namespace coff::sensor {

/// An existing control group, found by whoever knows the host's hierarchy.
struct ExistingCgroup {
  std::uint64_t id = 0;
  std::string path;
};

/// Bytes that an engine's socket carried. Borrows everything.
struct ApiBytes {
  const schema::Record& record;  ///< Of shape api.
  std::int64_t wall_ns = 0;
  const ProcessPtr& engine;       ///< The process that answers there; null when not known.
  const ContainerPtr& container;  ///< The engine's own, null on the host.
};

struct SensorOptions {
  LoadOptions load;
  KernelFilter filter;
  /// Names of the environment variables that are kept of each program; all others are dropped.
  std::vector<std::string> environment;
  /// Identifier of the hierarchy in /proc/cgroups; 0 = default hierarchy.
  std::uint32_t hierarchy = 0;
  /// Lists the control groups that exist. Called at start, and again, at most once a second, when
  /// an event comes from one that nobody has announced.
  std::function<std::vector<ExistingCgroup>()> list_cgroups;
  CgroupResolver resolver;
  /// The newest metadata of a container; called for every event in one. Null: not known.
  std::function<ContainerPtr(std::string_view id)> find_container;
  /// Called with the path of a container's first control group, before any process of it has run.
  std::function<void(std::string_view path)> on_new_container;
  /// Sockets that container engines listen on, by the names that the engines gave them.
  std::vector<std::string> api_sockets;
  /// Called for bytes that such a socket carried, in the order of time among the events.
  std::function<void(const ApiBytes&)> on_api;
  /// Called with the path of every control group that is removed.
  std::function<void(std::string_view path)> on_removed_cgroup;
};

/// Losses since the last time they were taken: what a `gap` entry reports.
struct Loss {
  std::string group;  ///< Container id, "host", or "unassigned".
  std::uint32_t kind = 0;
  std::uint64_t ring = 0;     ///< The lane's ring was full.
  std::uint64_t scratch = 0;  ///< No scratch record was free.
};
struct Losses {
  std::vector<Loss> rows;
  std::uint64_t skipped_runs = 0;  ///< Programs that the kernel did not run; kind not known.
  std::uint64_t malformed = 0;     ///< Records that did not parse.
  [[nodiscard]] bool empty() const { return rows.empty() && skipped_runs == 0 && malformed == 0; }
};

/// Totals by kind: produced = sent + filtered + lost, and delivered == sent once drained.
struct KindTotals {
  std::uint64_t sent = 0;
  std::uint64_t delivered = 0;
  std::uint64_t filtered = 0;
  std::uint64_t lost = 0;
};

/// Not thread-safe: one thread calls everything.
class Sensor {
 public:
  using Sink = std::function<void(Event&&)>;

  /// Loads the programs, then learns the processes and control groups that exist already.
  static Result<std::unique_ptr<Sensor>> open(SensorOptions options);
  Sensor(const Sensor&) = delete;
  Sensor& operator=(const Sensor&) = delete;

  /// Reads what waits, at most about `bytes_max` of the file and network lanes, and hands each
  /// event to `sink` in the order of time. Returns the number of records read. Call it at least
  /// every 20 ms, and when poll_fd() is readable.
  Result<size_t> poll(const Sink& sink, size_t bytes_max = 1U << 20);
  [[nodiscard]] int poll_fd() const { return rings_.poll_fd(); }
  /// Housekeeping; call it about once a second.
  void tick();

  Result<std::vector<std::string>> use_filter(const KernelFilter& filter);
  /// Follows these sockets from now on, beside those that were followed before.
  void watch_api_sockets(const std::vector<std::string>& names);
  /// Processes of every container and of the host, as they are now: reports each to `sink` as
  /// Kind::process_seen.
  void report_processes(const Sink& sink) const;
  /// TCP connections that are older than the sensor: each to `sink` as Kind::flow, state "seen".
  Result<void> report_connections(const Sink& sink);
  /// Reads all processes again: adds those that a loss hid, removes those that ended unseen.
  Result<void> heal();

  /// Connections of which a record is made: one in so many. Failures and the first of each edge
  /// always have one.
  [[nodiscard]] std::uint32_t flow_sampling() const { return flow_sample_mask_ + 1; }

  Losses take_losses();
  [[nodiscard]] std::vector<KindTotals> totals() const;  ///< Index: enum coff_kind.
  [[nodiscard]] const ProcessTree& processes() const { return tree_; }
  ProcessTree& processes() { return tree_; }
  [[nodiscard]] const Cgroups& cgroups() const { return cgroups_; }
  [[nodiscard]] const KernelPrograms& programs() const { return programs_; }
  KernelPrograms& programs() { return programs_; }
  [[nodiscard]] ContainerPtr container_of(std::uint64_t cgroup) const;
  [[nodiscard]] std::uint64_t healed_count() const { return healed_; }

 private:
  Sensor(KernelPrograms programs, Rings rings, SensorOptions options);
  void take_record(std::span<const std::byte> bytes, const Sink& sink);
  void take_cgroup(const schema::Record& record);
  void learn_cgroup(std::uint64_t id, std::string_view path);
  void learn_cgroups();
  ProcessPtr heal_one(const schema::Record& record);
  Result<void> read_processes(std::vector<std::uint32_t>* seen);
  void adapt_flow_sample();

  KernelPrograms programs_;
  Rings rings_;
  SensorOptions options_;
  Cgroups cgroups_;
  ProcessTree tree_;
  std::int64_t boot_to_wall_ns_ = 0;
  std::array<std::uint64_t, COFF_KINDS> delivered_{};
  std::vector<coff_count> taken_;  ///< By slot and kind: what take_losses() reported already.
  std::uint64_t taken_skipped_ = 0;
  std::uint64_t malformed_ = 0;
  std::uint64_t healed_ = 0;
  std::uint32_t flow_sample_mask_ = 0;
  std::uint64_t flows_before_ = 0;  ///< Delivered until the last tick.
  std::uint32_t heals_this_second_ = 0;
  bool listed_this_second_ = false;
};

}  // namespace coff::sensor
