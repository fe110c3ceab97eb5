// Control groups: which container each belongs to, and its accounting slot in the kernel.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "schema/event.hpp"
#include "sensor/kernel_programs.hpp"

namespace coff::sensor {

/// Tells the container id of a control group's path; empty: a group of the host. Injected, because
/// the shapes of paths belong to the engines.
using CgroupResolver = std::function<std::string(std::string_view path)>;

/// All control groups of the hierarchy in use. Not thread-safe.
class Cgroups {
 public:
  static constexpr std::uint32_t kSlotUnassigned = 0;
  static constexpr std::uint32_t kSlotHost = 1;
  /// Removed groups are remembered this long, for records that come late.
  static constexpr std::uint64_t kKeepRemovedNs = 30'000'000'000;

  struct Group {
    std::string path;
    std::string container_id;  ///< Empty on the host.
    std::uint32_t slot = kSlotUnassigned;
    std::uint64_t removed_boot_ns = 0;
  };

  Cgroups(KernelPrograms& programs, CgroupResolver resolver)
      : programs_(programs), resolver_(std::move(resolver)) {}

  /// Learns a group. True when it is the first one of a container.
  bool add(std::uint64_t id, std::string_view path);
  void remove(std::uint64_t id, std::uint64_t boot_ns);
  /// Forgets groups removed long ago, and frees the slots of containers that have none left.
  void forget_removed(std::uint64_t boot_ns);

  [[nodiscard]] const Group* find(std::uint64_t id) const;
  /// Container id of an accounting slot, "host", or "unassigned".
  [[nodiscard]] std::string_view slot_name(std::uint32_t slot) const;
  [[nodiscard]] size_t size() const { return groups_.size(); }
  /// Groups that found no place in the kernel's table; their events count as unassigned.
  [[nodiscard]] std::uint64_t unassigned_count() const { return unassigned_; }

 private:
  struct Known {
    std::uint32_t slot = kSlotUnassigned;
    size_t groups = 0;
  };
  std::uint32_t take_slot(const std::string& container_id);

  KernelPrograms& programs_;
  CgroupResolver resolver_;
  std::unordered_map<std::uint64_t, Group> groups_;
  std::unordered_map<std::string, Known> containers_;
  std::vector<std::string> slots_ = std::vector<std::string>(COFF_SLOTS);
  std::uint64_t unassigned_ = 0;
};

}  // namespace coff::sensor
