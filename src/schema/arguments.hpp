// Meanings of system call arguments that differ between variants of one call.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "schema/event.hpp"

namespace coff::schema {

/// The mode argument (chmod, mkdir, mknod and creating opens), permission and file type bits;
/// nothing for other calls or when the event did not come from a system call.
std::optional<std::uint32_t> mode_argument(const Event& event);
/// The AT_* or RENAME_* flags of an *at call, the flags of mount, umount2, memfd_create, …
std::optional<std::uint64_t> flags_argument(const Event& event);
/// The user or group that setuid, setgid and their kin ask for, by the argument's place.
std::optional<std::uint32_t> id_argument(const Event& event, unsigned place);
/// Whether events of this one's kind and call have the argument evt.arg.NAME, whatever its value.
bool has_named_argument(const Event& event, std::string_view name);
/// Signal of kill, tkill, tgkill and pidfd_send_signal.
std::optional<std::uint32_t> signal_argument(const Event& event);

}  // namespace coff::schema
