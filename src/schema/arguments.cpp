// Meanings of system call arguments that differ between variants of one call.
#include "schema/arguments.hpp"

#include <fcntl.h>

#include <string_view>

#include "schema/constants.hpp"

namespace coff::schema {

namespace {

struct Place {
  std::string_view syscall;
  unsigned index;
};

// clang-format off
constexpr Place kModes[] = {
    {"chmod", 1}, {"fchmod", 1}, {"fchmodat", 2}, {"fchmodat2", 2}, {"mkdir", 1}, {"mkdirat", 2},
    {"mknod", 1}, {"mknodat", 2}, {"open", 2}, {"openat", 3}, {"creat", 1}};
constexpr Place kFlags[] = {
    {"unlinkat", 2}, {"renameat2", 4}, {"linkat", 4}, {"fchmodat2", 3}, {"fchownat", 4},
    {"mount", 3}, {"umount2", 1}, {"memfd_create", 1}, {"open_tree", 2}, {"move_mount", 4},
    {"finit_module", 2}, {"delete_module", 1}, {"unshare", 0}, {"setns", 1}, {"userfaultfd", 0}};
constexpr Place kSignals[] = {
    {"kill", 1}, {"tkill", 1}, {"tgkill", 2}, {"pidfd_send_signal", 1}, {"rt_sigqueueinfo", 1}};
// clang-format on

template <size_t N>
std::optional<std::uint64_t> argument(const Event& event, const Place (&places)[N]) {
  const std::string_view name = syscall_name(event.syscall);
  if (name.empty()) return std::nullopt;
  const std::array<std::uint64_t, 6>* args = nullptr;
  if (const auto* file = std::get_if<FileInfo>(&event.detail)) args = &file->args;
  if (const auto* call = std::get_if<CallInfo>(&event.detail)) args = &call->args;
  if (args == nullptr) return std::nullopt;
  for (const Place& each : places) {
    if (each.syscall == name) return (*args)[each.index];
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::uint32_t> mode_argument(const Event& event) {
  if (event.kind == Kind::open) {
    const auto* file = std::get_if<FileInfo>(&event.detail);
    constexpr std::uint32_t kCreating = O_CREAT | (O_TMPFILE & ~O_DIRECTORY);
    if (file == nullptr || (file->open_flags & kCreating) == 0) return std::nullopt;
  }
  const auto mode = argument(event, kModes);
  if (!mode) return std::nullopt;
  return static_cast<std::uint32_t>(*mode);
}

std::optional<std::uint64_t> flags_argument(const Event& event) { return argument(event, kFlags); }

std::optional<std::uint32_t> id_argument(const Event& event, unsigned place) {
  const auto* call = std::get_if<CallInfo>(&event.detail);
  if (event.kind != Kind::setid || call == nullptr || place >= call->args.size()) {
    return std::nullopt;
  }
  return static_cast<std::uint32_t>(call->args[place]);
}

std::optional<std::uint32_t> signal_argument(const Event& event) {
  const auto signal = argument(event, kSignals);
  if (!signal) return std::nullopt;
  return static_cast<std::uint32_t>(*signal);
}

}  // namespace coff::schema
