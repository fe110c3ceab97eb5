// Users and groups that the roles name, resolved by the supervisor for the confined control
// process.
#include "agent/control_names.hpp"

#include <grp.h>
#include <pwd.h>

#include <algorithm>
#include <array>

#include "agent/payload.hpp"

namespace coff::agent {
namespace {

/// One user or group with all its members fits.
constexpr std::size_t kEntryBufferBytes = 65536;

void add_user(Names& names, const std::string& name) {
  std::array<char, kEntryBufferBytes> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  ::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (found != nullptr) names.users.emplace_back(name, found->pw_uid);
}

void add_group(Names& names, const std::string& name) {
  std::array<char, kEntryBufferBytes> buffer{};
  group entry{};
  group* found = nullptr;
  ::getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (found != nullptr) names.groups.emplace_back(name, found->gr_gid);
}

using Pairs = std::vector<std::pair<std::string, std::uint32_t>>;

void write_pairs(PayloadWriter& writer, const Pairs& pairs) {
  writer.number(static_cast<std::uint32_t>(pairs.size()));
  for (const auto& [name, number] : pairs) writer.text(name).number(number);
}

Pairs read_pairs(PayloadReader& reader) {
  Pairs pairs;
  const std::uint32_t count = reader.count(2 * sizeof(std::uint32_t));
  for (std::uint32_t i = 0; i < count; ++i) {
    std::string name(reader.text());
    pairs.emplace_back(std::move(name), reader.number<std::uint32_t>());
  }
  return pairs;
}

}  // namespace

Names resolve_names(const config::RoleSettings& roles) {
  Names names;
  for (const config::Role* role : {&roles.viewer, &roles.auditor, &roles.responder, &roles.admin}) {
    for (const std::string& user : role->users) add_user(names, user);
    for (const std::string& group : role->groups) add_group(names, group);
  }
  return names;
}

std::string encode_names(const Names& names) {
  std::string payload;
  PayloadWriter writer(payload);
  write_pairs(writer, names.users);
  write_pairs(writer, names.groups);
  return payload;
}

Result<Names> decode_names(std::string_view payload) {
  PayloadReader reader(payload);
  Names names;
  names.users = read_pairs(reader);
  names.groups = read_pairs(reader);
  TRY(reader.done());
  return names;
}

config::Peer peer_of(const Names& names, std::uint32_t uid, std::vector<std::uint32_t> gids) {
  config::Peer peer{.uid = uid, .gids = std::move(gids)};
  for (const auto& [name, number] : names.users) {
    if (number == uid) peer.user = name;
  }
  for (const auto& [name, number] : names.groups) {
    if (std::ranges::find(peer.gids, number) != peer.gids.end()) peer.groups.push_back(name);
  }
  return peer;
}

}  // namespace coff::agent
