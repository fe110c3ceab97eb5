// Matches the peer of a control connection against the configured roles.
#include "config/roles.hpp"

#include <algorithm>
#include <utility>

namespace coff::config {
namespace {

bool contains(const std::vector<std::string>& list, std::string_view value) {
  return !value.empty() && std::ranges::find(list, value) != list.end();
}

bool is_member(const Role& role, const Peer& peer) {
  if (contains(role.users, peer.user) || contains(role.users, std::to_string(peer.uid))) {
    return true;
  }
  return std::ranges::any_of(peer.groups,
                             [&](const auto& g) { return contains(role.groups, g); }) ||
         std::ranges::any_of(peer.gids, [&](std::uint32_t gid) {
           return contains(role.groups, std::to_string(gid));
         });
}

std::array<std::pair<std::string_view, const Role*>, 4> named(const RoleSettings& roles) {
  return {{{"viewer", &roles.viewer},
           {"auditor", &roles.auditor},
           {"responder", &roles.responder},
           {"admin", &roles.admin}}};
}

}  // namespace

std::vector<std::string_view> roles_of(const RoleSettings& roles, const Peer& peer) {
  std::vector<std::string_view> found;
  for (const auto& [name, role] : named(roles)) {
    if (is_member(*role, peer)) found.push_back(name);
  }
  return found;
}

bool allowed(const RoleSettings& roles, const Peer& peer, Permission permission) {
  return std::ranges::any_of(named(roles), [&](const auto& entry) {
    return is_member(*entry.second, peer) &&
           std::ranges::find(entry.second->may, permission) != entry.second->may.end();
  });
}

}  // namespace coff::config
