// Users and groups that the roles name, resolved by the supervisor for the confined control
// process.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "config/roles.hpp"

namespace coff::agent {

/// Names and numbers on this host. Names that the host doesn't know are left out: they match
/// nobody.
struct Names {
  std::vector<std::pair<std::string, std::uint32_t>> users;
  std::vector<std::pair<std::string, std::uint32_t>> groups;
};

/// Looks up every name that the roles mention in the user and group database.
Names resolve_names(const config::RoleSettings& roles);

std::string encode_names(const Names& names);
Result<Names> decode_names(std::string_view payload);

/// The peer as the roles want to see it: numbers with the names that the roles could mention.
config::Peer peer_of(const Names& names, std::uint32_t uid, std::vector<std::uint32_t> gids);

}  // namespace coff::agent
