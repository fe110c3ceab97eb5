// Names of the host's users and groups.
#include "schema/user_names.hpp"

#include <algorithm>
#include <charconv>

#include "base/fd.hpp"

namespace coff::schema {

namespace {

constexpr size_t kFileMax = 4U << 20;

std::string_view take(std::string_view& text, char separator) {
  const size_t end = std::min(text.find(separator), text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

std::string_view find(const std::unordered_map<std::uint32_t, std::string>& table,
                      std::uint32_t id) {
  const auto found = table.find(id);
  return found == table.end() ? std::string_view{} : found->second;
}

}  // namespace

void UserNames::parse(std::string_view file, Table& table) {
  while (!file.empty()) {
    std::string_view line = take(file, '\n');
    const std::string_view name = take(line, ':');
    take(line, ':');  // Password.
    const std::string_view number = take(line, ':');
    std::uint32_t id = 0;
    const auto end = std::from_chars(number.data(), number.data() + number.size(), id);
    const bool valid = end.ec == std::errc{} && end.ptr == number.data() + number.size();
    if (valid && !name.empty()) table.try_emplace(id, name);
  }
}

Result<UserNames> UserNames::read(const std::string& folder) {
  UserNames names;
  const auto users = read_file(folder + "/passwd", kFileMax);
  const auto groups = read_file(folder + "/group", kFileMax);
  if (!users && !groups) return fail(Code::kNotFound, "cannot read users from " + folder);
  if (users) parse(*users, names.users_);
  if (groups) parse(*groups, names.groups_);
  return names;
}

void UserNames::add_user(std::uint32_t uid, std::string_view name) {
  users_.try_emplace(uid, name);
}
void UserNames::add_group(std::uint32_t gid, std::string_view name) {
  groups_.try_emplace(gid, name);
}
std::string_view UserNames::user(std::uint32_t uid) const { return find(users_, uid); }
std::string_view UserNames::group(std::uint32_t gid) const { return find(groups_, gid); }

}  // namespace coff::schema
