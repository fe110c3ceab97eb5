// Who may ask the agent for what: roles by user and group, and the permission of each call.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace coff::config {

/// What a call on the control socket needs. Each call of the agent names exactly one.
enum class Permission : unsigned char {
  kSee,        ///< Containers, processes, events, health.
  kAudit,      ///< Proofs, exports, redacted values, who did what in the trail.
  kRespond,    ///< Actions on containers and processes.
  kConfigure,  ///< Reloading, self-tests, retention, stopping.
};
inline constexpr std::array<std::string_view, 4> kPermissionNames = {"see", "audit", "respond",
                                                                     "configure"};

/// Members and permissions of one role.
struct Role {
  std::vector<std::string> users;   ///< Names, or numbers as text.
  std::vector<std::string> groups;  ///< Names, or numbers as text.
  std::vector<Permission> may;
  bool operator==(const Role&) const = default;
};

/// The four roles. A person in several has the permissions of all.
struct RoleSettings {
  Role viewer;
  Role auditor;
  Role responder;
  Role admin;
  bool operator==(const RoleSettings&) const = default;
};

/// The process at the other end of the control socket, as the kernel and the user database say.
struct Peer {
  std::uint32_t uid = 0;
  std::string user;                 ///< "" when the uid has no name.
  std::vector<std::uint32_t> gids;  ///< Primary and supplementary.
  std::vector<std::string> groups;  ///< Names of those that have one.
};

/// Names of the peer's roles, in the order viewer, auditor, responder, admin.
std::vector<std::string_view> roles_of(const RoleSettings& roles, const Peer& peer);
/// Whether any of the peer's roles has the permission.
bool allowed(const RoleSettings& roles, const Peer& peer, Permission permission);

}  // namespace coff::config
