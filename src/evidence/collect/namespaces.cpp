// What all processes of a namespace see alike: sockets, routes, neighbours; mounts.
#include <charconv>
#include <map>

#include "evidence/collect/step.hpp"

namespace coff::evidence {
namespace {

constexpr std::string_view kNetwork[] = {
    "tcp",      "tcp6",   "udp",     "udp6",         "udplite",  "raw",        "raw6", "icmp",
    "unix",     "packet", "netlink", "nf_conntrack", "route",    "ipv6_route", "arp",  "if_inet6",
    "fib_trie", "dev",    "snmp",    "netstat",      "sockstat", "igmp"};
constexpr std::string_view kMounts[] = {"mountinfo", "mountstats"};

/// One living process of each namespace: "net:[4026531840]" to the process.
std::map<std::string, const Pinned*> representatives(Collection& collection,
                                                     std::string_view link) {
  std::map<std::string, const Pinned*> found;
  for (const Pinned& process : collection.processes) {
    const auto target = collection.reader.read_link(process.proc(link));
    if (!target) collection.bundle.gap(process.proc(link), target.error().message());
    else if (process.alive()) found.try_emplace(*target, &process);
  }
  return found;
}

/// The number in "net:[4026531840]".
std::string number_of(const std::string& link) {
  const std::size_t begin = link.find('[');
  const std::size_t end = link.find(']');
  std::uint64_t number = 0;
  if (begin != link.npos && end != link.npos) {
    std::from_chars(link.data() + begin + 1, link.data() + end, number);
  }
  return std::to_string(number);
}

}  // namespace

Result<void> collect_network(Collection& collection) {
  const auto own = collection.reader.read_link("/proc/self/ns/net");
  for (const auto& [link, process] : representatives(collection, "ns/net")) {
    if (own && link == *own) {
      collection.bundle.gap(link, "it is the host's own network: its sockets are all processes'");
    }
    for (const std::string_view name : kNetwork) {
      TRY(collection.copy_text(process->proc("net/" + std::string(name)),
                               "network/" + number_of(link) + "/" + std::string(name)));
    }
  }
  return {};
}

Result<void> collect_mounts(Collection& collection) {
  for (const auto& [link, process] : representatives(collection, "ns/mnt")) {
    for (const std::string_view name : kMounts) {
      TRY(collection.copy_text(process->proc(name),
                               "mounts/" + number_of(link) + "/" + std::string(name)));
    }
  }
  return {};
}

}  // namespace coff::evidence
