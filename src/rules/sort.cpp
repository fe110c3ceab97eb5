// What sorts events, and what is the same for all events of a sort.
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>

#include "rules/bucket.hpp"

namespace coff::rules {

namespace {

enum Detail : std::uint8_t { kOther, kFile, kSocket };
enum FileBit : std::uint8_t { kDirectory = 1, kMemfd = 2, kCreated = 4, kCreating = 8, kOpen = 16 };

constexpr std::string_view kFacts[] = {
    "event.kind",      "evt.asynctype",    "evt.category",      "evt.dir",
    "evt.io_dir",      "evt.is_async",     "evt.is_io",         "evt.is_io_read",
    "evt.is_io_write", "evt.is_open_read", "evt.is_open_write", "evt.is_wait",
    "evt.source",      "evt.type",         "evt.type.is",       "syscall.type",
};
constexpr std::string_view kFineFacts[] = {
    "evt.count",    "evt.count.error", "evt.failed",   "evt.is_open_create",
    "fd.l4proto",   "fd.sockfamily",   "fd.connected", "fd.name_changed",
    "fd.is_server", "fd.type",         "fd.typechar",  "file.created",
};

template <size_t N>
bool has(const std::string_view (&names)[N], std::string_view name) {
  return std::ranges::find(names, name) != std::end(names);
}

std::uint8_t file_bits(const FileInfo& file) {
  // As schema::mode_argument(): with others no mode is asked for.
  constexpr std::uint32_t kCreatingFlags = O_CREAT | (O_TMPFILE & ~O_DIRECTORY);
  unsigned bits = 0;
  if ((file.open_flags & O_DIRECTORY) != 0) bits |= kDirectory;
  if ((file.file_flags & COFF_FILE_MEMFD) != 0) bits |= kMemfd;
  if ((file.file_flags & COFF_FILE_CREATED) != 0) bits |= kCreated;
  if ((file.open_flags & kCreatingFlags) != 0) bits |= kCreating;
  if (file.fd >= 0) bits |= kOpen;
  return static_cast<std::uint8_t>(bits);
}

std::uint8_t socket_bits(const SocketInfo& socket) {
  unsigned bits = 0;
  switch (socket.family) {
    case AF_INET: bits = 1; break;
    case AF_INET6: bits = 2; break;
    case AF_UNIX: bits = 3; break;
    case AF_NETLINK: bits = 4; break;
    default: break;
  }
  switch (socket.type & 15U) {
    case SOCK_STREAM: bits |= 0x10; break;
    case SOCK_DGRAM: bits |= 0x20; break;
    case SOCK_RAW: bits |= 0x30; break;
    default: break;
  }
  const bool icmp = socket.protocol == IPPROTO_ICMP || socket.protocol == IPPROTO_ICMPV6;
  return static_cast<std::uint8_t>(bits | (icmp ? 0x40U : 0U));
}

}  // namespace

Sort Sort::of(const Event& event) {
  Sort sort;
  sort.kind = static_cast<std::uint16_t>(event.kind);
  sort.acting =
      event.departure == nullptr ? sort.kind : static_cast<std::uint16_t>(event.departure->trigger);
  sort.syscall = static_cast<std::int16_t>(event.syscall);
  sort.container = event.container != nullptr;
  sort.failed = event.failed();
  if (const auto* file = std::get_if<FileInfo>(&event.detail)) {
    sort.detail = kFile;
    sort.file = file_bits(*file);
    if (event.kind == Kind::open) {
      sort.access = static_cast<std::uint8_t>(file->open_flags & O_ACCMODE);
    }
  } else if (event.kind == Kind::open) {
    sort.access = 4;
  }
  if (const auto* socket = std::get_if<SocketInfo>(&event.detail)) {
    sort.detail = kSocket;
    sort.socket = socket_bits(*socket);
  }
  return sort;
}

Sort Sort::coarse() const {
  Sort sort = *this;
  sort.fine = sort.failed = false;
  sort.detail = sort.file = sort.socket = 0;
  return sort;
}

std::uint64_t Sort::key() const {
  const auto number = [](auto value, unsigned shift) {
    return static_cast<std::uint64_t>(value) << shift;
  };
  // A socket and a file are never in one event.
  static_assert(static_cast<unsigned>(kLastKind) < 256);
  return number(kind, 0) | number(acting, 8) | number(static_cast<std::uint16_t>(syscall), 16) |
         number(access, 32) | number(container, 35) | number(fine, 36) | number(failed, 37) |
         number(detail, 38) | number(file | socket, 40);
}

bool Sort::decides(std::string_view field) const {
  if (has(kFacts, field)) return true;
  if (std::ranges::find(schema::unobserved_fields(), field, &schema::Field::name) !=
      schema::unobserved_fields().end()) {
    return true;
  }
  if (!fine) return false;
  // Which error it was, and which mode was asked for, differs.
  if (field == "evt.res") return !failed;
  if (field == "evt.is_open_exec") return detail != kFile || (file & kCreating) == 0;
  return has(kFineFacts, field);
}

}  // namespace coff::rules
