// Network interfaces of the host and of a container, as the kernel's route netlink tells them.
#include "response/links.hpp"

#include <arpa/inet.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace coff::response {
namespace {

template <typename T>
T value_of(std::string_view bytes) {
  T value{};
  if (bytes.size() >= sizeof value) std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

std::string text_of_attribute(std::string_view bytes) {
  return std::string(bytes.substr(0, bytes.find('\0')));
}

Link read_link(std::string_view body) {
  const auto header = value_of<ifinfomsg>(body);
  Link link{.index = header.ifi_index,
            .loopback = (header.ifi_flags & IFF_LOOPBACK) != 0,
            .up = (header.ifi_flags & IFF_UP) != 0};
  each_attribute(body.substr(std::min(sizeof header, body.size())),
                 [&](std::uint16_t type, std::string_view value) {
                   switch (type) {
                     case IFLA_IFNAME: link.name = text_of_attribute(value); break;
                     case IFLA_LINK: link.peer_index = value_of<int>(value); break;
                     case IFLA_LINK_NETNSID: link.peer_nsid = value_of<int>(value); break;
                     case IFLA_MASTER: link.master = value_of<int>(value); break;
                     case IFLA_STATS64: {
                       const auto counters = value_of<rtnl_link_stats64>(value);
                       link.received_packets = counters.rx_packets;
                       link.sent_packets = counters.tx_packets;
                       break;
                     }
                     case IFLA_LINKINFO:
                       each_attribute(value, [&](std::uint16_t inner, std::string_view kind) {
                         if (inner == IFLA_INFO_KIND) link.kind = text_of_attribute(kind);
                       });
                       break;
                     default: break;
                   }
                 });
  return link;
}

}  // namespace

Result<std::vector<Link>> list_links(Netlink& route) {
  std::vector<Link> links;
  bool cut = false;
  TRY(route.request(RTM_GETLINK, NLM_F_DUMP, NetlinkBody(ifinfomsg{}).bytes(),
                    [&](const NetlinkMessage& message) {
                      if (message.type != RTM_NEWLINK) return;
                      if (links.size() < kLinksMax) links.push_back(read_link(message.body));
                      else cut = true;
                    }));
  if (cut) return fail(Code::kLimit, "more network interfaces than " + std::to_string(kLinksMax));
  return links;
}

Result<int> namespace_id(Netlink& route, const Fd& netns) {
  int id = -1;
  NetlinkBody body(rtgenmsg{.rtgen_family = AF_UNSPEC});
  const std::int32_t descriptor = netns.get();
  body.attribute(NETNSA_FD, {reinterpret_cast<const char*>(&descriptor), sizeof descriptor});
  TRY(route.request(RTM_GETNSID, 0, body.bytes(), [&](const NetlinkMessage& message) {
    // The header is padded to the attributes' alignment.
    const std::size_t header = NLMSG_ALIGN(sizeof(rtgenmsg));
    each_attribute(message.body.substr(std::min(header, message.body.size())),
                   [&](std::uint16_t type, std::string_view value) {
                     if (type == NETNSA_NSID) id = value_of<int>(value);
                   });
  }));
  return id;
}

Result<std::vector<Link>> host_ends(Netlink& route, const Fd& netns) {
  std::vector<Link> ends = TRY(list_links(route));
  const int id = TRY(namespace_id(route, netns));
  std::erase_if(ends, [id](const Link& link) {
    return link.kind != "veth" || link.peer_nsid < 0 || link.peer_nsid != id;
  });
  std::ranges::sort(ends, {}, &Link::index);
  return ends;
}

Result<std::vector<std::string>> addresses_of(Netlink& route, int index) {
  std::vector<std::string> found;
  TRY(route.request(
      RTM_GETADDR, NLM_F_DUMP, NetlinkBody(ifaddrmsg{.ifa_family = AF_INET}).bytes(),
      [&](const NetlinkMessage& message) {
        const auto header = value_of<ifaddrmsg>(message.body);
        if (message.type != RTM_NEWADDR || static_cast<int>(header.ifa_index) != index) return;
        each_attribute(
            message.body.substr(std::min(sizeof header, message.body.size())),
            [&](std::uint16_t type, std::string_view value) {
              std::array<char, INET_ADDRSTRLEN> text{};
              if (type != IFA_LOCAL || value.size() != sizeof(in_addr)) return;
              if (::inet_ntop(AF_INET, value.data(), text.data(), text.size()) != nullptr)
                found.emplace_back(text.data());
            });
      }));
  return found;
}

bool is_plain_name(const std::string& name) {
  constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.@";
  return !name.empty() && name.size() < IFNAMSIZ &&
         name.find_first_not_of(kAllowed) == std::string::npos;
}

}  // namespace coff::response
