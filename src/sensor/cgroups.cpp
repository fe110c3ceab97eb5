// Control groups: which container each belongs to, and its accounting slot in the kernel.
#include "sensor/cgroups.hpp"

#include "base/log.hpp"

namespace coff::sensor {

std::uint32_t Cgroups::take_slot(const std::string& container_id) {
  for (std::uint32_t slot = kSlotHost + 1; slot < COFF_SLOTS; ++slot) {
    if (slots_[slot].empty()) {
      slots_[slot] = container_id;
      return slot;
    }
  }
  return kSlotUnassigned;
}

bool Cgroups::add(std::uint64_t id, std::string_view path) {
  const auto known_group = groups_.find(id);
  if (known_group != groups_.end() && known_group->second.removed_boot_ns == 0) return false;
  Group group{.path = std::string(path), .container_id = resolver_(path), .slot = kSlotHost};
  bool is_new = false;
  if (!group.container_id.empty()) {
    const auto [known, fresh] = containers_.try_emplace(group.container_id);
    if (fresh) known->second.slot = take_slot(group.container_id);
    ++known->second.groups;
    group.slot = known->second.slot;
    is_new = fresh;
  }
  const auto cls = group.container_id.empty() ? COFF_CLASS_HOST : COFF_CLASS_CONTAINER;
  if (auto set = programs_.set_cgroup(id, group.slot, cls); !set) {
    if (unassigned_++ == 0) log_warning("sensor", set.error().message());
  }
  groups_[id] = std::move(group);
  return is_new;
}

void Cgroups::remove(std::uint64_t id, std::uint64_t boot_ns) {
  const auto found = groups_.find(id);
  if (found == groups_.end() || found->second.removed_boot_ns != 0) return;
  found->second.removed_boot_ns = boot_ns;
  programs_.forget_cgroup(id);
}

void Cgroups::forget_removed(std::uint64_t boot_ns) {
  std::erase_if(groups_, [&](const auto& entry) {
    const Group& group = entry.second;
    if (group.removed_boot_ns == 0 || group.removed_boot_ns + kKeepRemovedNs > boot_ns) {
      return false;
    }
    const auto known = containers_.find(group.container_id);
    if (known != containers_.end() && --known->second.groups == 0) {
      if (known->second.slot > kSlotHost) slots_[known->second.slot].clear();
      containers_.erase(known);
    }
    return true;
  });
}

const Cgroups::Group* Cgroups::find(std::uint64_t id) const {
  const auto found = groups_.find(id);
  return found == groups_.end() ? nullptr : &found->second;
}

std::string_view Cgroups::slot_name(std::uint32_t slot) const {
  if (slot == kSlotHost) return "host";
  if (slot == kSlotUnassigned || slot >= COFF_SLOTS || slots_[slot].empty()) return "unassigned";
  return slots_[slot];
}

}  // namespace coff::sensor
