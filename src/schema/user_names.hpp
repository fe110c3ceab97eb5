// Names of the host's users and groups, read once so that no event waits for a name service.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.hpp"

namespace coff::schema {

/// Immutable after reading; share it freely between threads.
class UserNames {
 public:
  /// Reads `folder`/passwd and `folder`/group ("/etc" on a host). Each file may have up to 4 MiB;
  /// malformed lines are skipped, the first entry of an id wins, as in getpwuid(3). Users of
  /// network directories are not known. kNotFound when neither file can be read.
  static Result<UserNames> read(const std::string& folder);

  void add_user(std::uint32_t uid, std::string_view name);
  void add_group(std::uint32_t gid, std::string_view name);

  /// Name of a user of the host, "" when not known.
  [[nodiscard]] std::string_view user(std::uint32_t uid) const;
  [[nodiscard]] std::string_view group(std::uint32_t gid) const;

 private:
  using Table = std::unordered_map<std::uint32_t, std::string>;
  static void parse(std::string_view file, Table& table);

  Table users_;
  Table groups_;
};

}  // namespace coff::schema
