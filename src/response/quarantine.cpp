// Quarantine: nothing gets in or out of a container's network, and from inside it only looks dead.
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/json_writer.hpp"
#include "response/catalogue.hpp"
#include "response/engine_client.hpp"
#include "response/links.hpp"
#include "response/packet_filter.hpp"
#include "response/socket_gate.hpp"

namespace coff::response {
namespace {

constexpr unsigned kCapabilities[] = {CAP_NET_ADMIN, CAP_SYS_ADMIN,  CAP_BPF,
                                      CAP_PERFMON,   CAP_SYS_PTRACE, CAP_DAC_OVERRIDE};
/// Names of `Record::before`.
constexpr const char* kGroup = "cgroup";       ///< Closed by control group: its directory.
constexpr const char* kDevices = "devices";    ///< Closed when it was applied, with commas.
constexpr const char* kResolver = "resolver";  ///< "closed", or why not.

std::vector<std::string> names_of(const std::vector<Link>& links) {
  std::vector<std::string> names;
  for (const Link& link : links) names.push_back(link.name);
  std::ranges::sort(names);
  return names;
}

bool has_capability(const Container& container, std::string_view name) {
  const auto& added = container.capabilities_added;
  return std::ranges::find(added, name) != added.end() ||
         std::ranges::find(added, "ALL") != added.end();
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

/// The table for these interfaces. ARP may ask for the bridges' own addresses: gateways of whoever
/// is allowed.
Result<FilterTable> table_for(Netlink& route, const Record& record,
                              const std::vector<Link>& links) {
  FilterTable table{
      .container_id = record.container_id, .devices = names_of(links), .allowed = record.allowed};
  if (record.allowed.empty()) return table;
  std::set<std::string> gateways;
  for (const Link& link : links) {
    if (link.master == 0) continue;
    for (const std::string& address : TRY(addresses_of(route, link.master))) {
      gateways.insert(address);
    }
  }
  table.neighbors.assign(gateways.begin(), gateways.end());
  return table;
}

/// Interfaces in the container's namespace that no filter on the host's side reaches, as
/// "eth1 (macvlan)".
Result<std::vector<std::string>> unreachable_interfaces(const Target& target,
                                                        std::size_t host_end_count) {
  Netlink inside = TRY(Netlink::open_in(target.netns, NETLINK_ROUTE));
  std::vector<std::string> others;
  std::size_t veths = 0;
  for (const Link& link : TRY(list_links(inside))) {
    if (link.loopback || !link.up) continue;
    if (link.kind == "veth") ++veths;
    else others.push_back(link.name + " (" + (link.kind.empty() ? "hardware" : link.kind) + ")");
  }
  if (veths > host_end_count) others.emplace_back("a veth that leads to another container");
  return others;
}

void plan_group(const Target& target, const std::string& why, Record& record, Plan& plan) {
  record.before[kGroup] = target.cgroup;
  plan.steps.push_back(
      {"drop every packet of the container's sockets, over loopback too, by eBPF on control "
       "group " +
           target.cgroup + " (" + why + ")",
       "detach the two programs"});
  plan.warnings.emplace_back(
      "connections over localhost between its own processes are cut too; sockets made outside of "
      "it "
      "and handed to it stay open");
  if (has_raw_sockets(target.about)) {
    plan.open_channels.push_back(
        {"packet_socket",
         "it may make packet sockets (NET_RAW): their frames pass a control group's programs; "
         "freeze it instead where that matters"});
  }
  plan.open_channels.push_back(
      {"visible", "a sender that asked for errors (IP_RECVERR) sees ENOBUFS at once"});
}

Result<void> plan_quarantine(const Target& target, Record& record, Plan& plan) {
  for (const std::string& address : record.allowed) TRY(check_address(address));
  std::string why;
  if (target.host_network) why = "it uses the host's network";
  else if (!target.netns_peers.empty()) {
    why = "its network is shared with " + std::to_string(target.netns_peers.size()) +
          " other container(s)";
    for (const std::string& id : target.netns_peers) {
      plan.open_channels.push_back({"netns_peer", "container " + id.substr(0, 12) +
                                                      " is in the same network and stays open"});
    }
  } else {
    TRY(check_filter_support());
    Netlink route = TRY(Netlink::open(NETLINK_ROUTE));
    const std::vector<Link> links = TRY(host_ends(route, target.netns));
    record.before[kDevices] = joined(names_of(links));
    plan.steps.push_back({"drop every frame, of every protocol, in both directions on " +
                              (links.empty() ? "no interface yet" : record.before[kDevices]) +
                              " by nftables table netdev " + table_name(record.container_id),
                          "delete the table"});
    plan.steps.push_back(
        {"drop questions to the engine's own resolver (127.0.0.11), which would "
         "otherwise be forwarded from the host",
         "detach the program"});
    if (target.about.privileged || has_capability(target.about, "CAP_NET_ADMIN")) {
      plan.open_channels.push_back(
          {"resolver",
           "with NET_ADMIN, and where its seccomp filter lets it call bpf(2), it can "
           "take the program for 127.0.0.11 away; the table on the host stays"});
    }
    const auto others = TRY(unreachable_interfaces(target, links.size()));
    if (!others.empty()) {
      why = "no filter of the host's reaches " + joined(others);
      plan.open_channels.push_back({"interface", why + ": packet sockets on them stay open"});
    }
  }
  if (!why.empty()) {
    if (target.cgroup.empty()) {
      return fail(Code::kUnsupported, why +
                                          ", and it has no version 2 control group to close its "
                                          "sockets by; freeze it instead");
    }
    plan_group(target, why, record, plan);
  }
  if (!record.allowed.empty()) {
    plan.steps.push_back(
        {"let " + joined(record.allowed) + " through, in both directions", "closed with the rest"});
  }
  add_open_channels(target, plan);
  add_restart_warnings(target, true, plan);
  if (!target.engine_socket.empty()) {
    const auto survives = has_live_restore(target.engine_socket);
    if (survives && !*survives) {
      plan.warnings.emplace_back(
          "the engine runs without live-restore: its restart ends the container and its evidence");
    }
  }
  return {};
}

bool by_filter(const Target& target) { return !target.host_network && target.netns_peers.empty(); }

Result<void> perform_quarantine(const Target& target, Record& record) {
  if (by_filter(target)) {
    Netlink route = TRY(Netlink::open(NETLINK_ROUTE));
    TRY(apply_table(TRY(table_for(route, record, TRY(host_ends(route, target.netns))))));
    const auto closed = close_resolver(target.netns);
    record.before[kResolver] = closed ? "closed" : closed.error().message();
  }
  const auto group = record.before.find(kGroup);
  if (group != record.before.end()) TRY(close_group(group->second, record.allowed));
  return {};
}

void write_list(JsonWriter& writer, const char* name, const std::vector<std::string>& words) {
  writer.key(name).begin_array();
  for (const std::string& word : words) writer.string(word);
  writer.end_array();
}

std::string members_only(const std::string& object) { return object.substr(1, object.size() - 2); }

Result<Measured> verify_quarantine(const Target& target, const Record& record) {
  Measured measured{.as_planned = true};
  std::string text;
  JsonWriter writer(text);
  writer.begin_object();
  if (by_filter(target)) {
    Netlink route = TRY(Netlink::open(NETLINK_ROUTE));
    const auto wanted = names_of(TRY(host_ends(route, target.netns)));
    FilterState state = TRY(read_table(record.container_id));
    std::ranges::sort(state.closed_from);
    std::ranges::sort(state.closed_to);
    const auto resolver = resolver_closed(target.netns);
    measured.as_planned = state.exists && state.closed_from == wanted && state.closed_to == wanted;
    write_list(writer, "interfaces", wanted);
    write_list(writer, "closed_outward", state.closed_from);
    write_list(writer, "closed_inward", state.closed_to);
    writer.member("dropped_packets", state.dropped_packets)
        .member("passed_packets", state.passed_packets)
        .member("resolver_closed", resolver && *resolver);
    if (!resolver || !*resolver) {
      const auto why = record.before.find(kResolver);
      writer.member("resolver_open_because",
                    why == record.before.end() ? std::string("not known") : why->second);
    }
  }
  if (const auto group = record.before.find(kGroup); group != record.before.end()) {
    const GroupState state = TRY(group_state(group->second));
    measured.as_planned = measured.as_planned && state.out && state.in;
    writer.member("group_closed_outward", state.out)
        .member("group_closed_inward", state.in)
        .member("group_dropped_packets", state.dropped_packets);
  }
  writer.end_object();
  measured.members = members_only(text);
  return measured;
}

/// Network namespaces of the container's processes now, but the host's.
std::map<std::uint64_t, Fd> namespaces_of(const std::string& container_id) {
  std::map<std::uint64_t, Fd> found;
  const std::string group = find_cgroup(container_id);
  if (group.empty()) return found;
  const std::uint64_t own = netns_inode_of(::getpid());
  for (const pid_t pid : processes_in(group)) {
    auto file = open_file("/proc/" + std::to_string(pid) + "/ns/net", O_RDONLY);
    if (!file || inode_of(*file) == own) continue;
    found.try_emplace(inode_of(*file), std::move(*file));
  }
  return found;
}

Result<Measured> release_quarantine(const Record& record) {
  TRY(remove_table(record.container_id));
  for (const auto& [inode, netns] : namespaces_of(record.container_id)) {
    auto opened = open_resolver(netns);
    if (!opened && opened.error().code != Code::kUnsupported) {
      return std::unexpected(opened.error());
    }
  }
  bool open = true;
  if (const auto group = record.before.find(kGroup); group != record.before.end()) {
    TRY(open_group(group->second));
    const auto state = group_state(group->second);
    open = !state || (!state->out && !state->in);
  }
  const FilterState state = TRY(read_table(record.container_id));
  Measured measured{.as_planned = open && !state.exists};
  std::string text;
  JsonWriter(text)
      .begin_object()
      .member("table_gone", !state.exists)
      .member("group_open", open)
      .end_object();
  measured.members = members_only(text);
  return measured;
}

/// A container that was started anew has another control group of the same name.
Result<bool> renew_group(const Record& record) {
  const auto group = record.before.find(kGroup);
  if (group == record.before.end()) return false;
  const auto state = group_state(group->second);
  if (!state && state.error().code == Code::kNotFound) return false;
  if (!state) return std::unexpected(state.error());
  if (state->out && state->in) return false;
  TRY(close_group(group->second, record.allowed));
  return true;
}

Result<std::string> renew_quarantine(Record& record) {
  const bool group_closed = TRY(renew_group(record));
  const bool filtered = record.before.contains(kDevices);
  std::vector<Link> links;
  Netlink route = TRY(Netlink::open(NETLINK_ROUTE));
  const auto namespaces = namespaces_of(record.container_id);
  if (filtered) {
    for (const auto& [inode, netns] : namespaces) {
      for (Link& link : TRY(host_ends(route, netns))) links.push_back(std::move(link));
    }
  }
  FilterState state = TRY(read_table(record.container_id));
  std::vector<Link> fresh = links;
  std::erase_if(fresh, [&](const Link& link) {
    return std::ranges::find(state.closed_from, link.name) != state.closed_from.end();
  });
  if (filtered && (!fresh.empty() || !state.exists)) {
    TRY(apply_table(TRY(table_for(route, record, links))));
    for (const auto& [inode, netns] : namespaces) {
      [[maybe_unused]] const auto resolver = close_resolver(netns);
    }
    record.before[kDevices] = joined(names_of(links));
  }
  if (fresh.empty() && !group_closed) return std::string();
  // Counted by the interface itself: what came from the container before it was closed, at most.
  std::uint64_t frames = 0;
  for (const Link& now : TRY(list_links(route))) {
    const auto same = [&](const Link& link) { return link.index == now.index; };
    if (std::ranges::any_of(fresh, same)) frames += now.received_packets;
  }
  std::string text;
  JsonWriter writer(text);
  writer.begin_object();
  write_list(writer, "closed", names_of(fresh));
  writer.member("group_closed", group_closed)
      .member("frames_before_at_most", frames)
      .member("closed_before_first_frame", !fresh.empty() && frames == 0)
      .end_object();
  return members_only(text);
}

}  // namespace

const Action kQuarantine{
    .name = "quarantine",
    .sentence = "Cut a container off every network; its processes live on and see a dead network.",
    .approval_class = 'B',
    .rate_class = "network",
    .capabilities = kCapabilities,
    .stays = true,
    .plan = plan_quarantine,
    .perform = perform_quarantine,
    .verify = verify_quarantine,
    .inverse = release_quarantine,
    .renew = renew_quarantine};

}  // namespace coff::response
