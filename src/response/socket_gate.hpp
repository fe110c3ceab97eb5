// Closes sockets by control group, and Docker's resolver on a container's loopback, with eBPF.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace coff::response {

/// Drops every packet of the group's sockets in both directions, but from and to `allowed`; also
/// over loopback. Takes the place of an earlier gate of ours. Stays until it is opened or the group
/// goes away, whatever becomes of this process. Nothing tells the sender: a datagram is taken and
/// lost (ENOBUFS only for who asked for IP_RECVERR). Needs CAP_BPF, CAP_NET_ADMIN, CAP_SYS_ADMIN.
Result<void> close_group(const std::string& cgroup, const std::vector<std::string>& allowed);
/// No error when it isn't closed.
Result<void> open_group(const std::string& cgroup);

struct GroupState {
  bool out = false;  ///< The gate holds what its sockets send.
  bool in = false;   ///< The gate holds what they would receive.
  std::uint64_t dropped_packets = 0;
};
Result<GroupState> group_state(const std::string& cgroup);

/// Drops what loopback of the namespace receives for 127.0.0.11, where dockerd itself answers names
/// for the container, forwarding from the host. kUnsupported: the kernel is older than 6.6.
Result<void> close_resolver(const Fd& netns);
Result<void> open_resolver(const Fd& netns);
Result<bool> resolver_closed(const Fd& netns);

}  // namespace coff::response
