// Network interfaces of the host and of a container, as the kernel's route netlink tells them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "response/netlink.hpp"

namespace coff::response {

/// One network interface.
struct Link {
  int index = 0;
  std::string name;
  std::string kind;  ///< "veth", "bridge", "macvlan", …; "" for hardware and loopback.
  bool loopback = false;
  bool up = false;
  int peer_index = 0;  ///< Of a veth: its other end, in that end's namespace.
  int peer_nsid = -1;  ///< Our id of the other end's namespace; -1: it is in this one.
  int master = 0;      ///< Bridge that it is a port of, 0 for none.
  std::uint64_t received_packets = 0;
  std::uint64_t sent_packets = 0;
};

/// Interfaces of one host or container at most.
inline constexpr std::size_t kLinksMax = 16'384;

/// All interfaces of the socket's namespace. Other ends of veths get their namespace ids by this.
Result<std::vector<Link>> list_links(Netlink& route);
/// Our id of the namespace; -1 when it has none, so that no interface of ours leads there.
Result<int> namespace_id(Netlink& route, const Fd& netns);
/// The host's ends of all veth pairs whose other end is in `netns`, by interface index.
Result<std::vector<Link>> host_ends(Netlink& route, const Fd& netns);
/// IPv4 addresses, as text, of the interface with this index.
Result<std::vector<std::string>> addresses_of(Netlink& route, int index);

/// A name that may stand in a packet filter's text: letters, digits, '_', '-', '.' and '@'. The
/// kernel allows more, an engine never makes such.
bool is_plain_name(const std::string& name);

}  // namespace coff::response
