// Cut: the container's open connections end now, with an error on its side (SOCK_DESTROY).
#include <linux/capability.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cstring>
#include <filesystem>
#include <set>

#include "base/json_writer.hpp"
#include "response/catalogue.hpp"
#include "response/netlink.hpp"
#include "runtime/cgroup_tree.hpp"

namespace coff::response {
namespace {

constexpr unsigned kCapabilities[] = {CAP_NET_ADMIN, CAP_SYS_ADMIN, CAP_SYS_PTRACE,
                                      CAP_DAC_OVERRIDE};
/// Sessions ended by one action at most.
constexpr std::size_t kSessionsMax = 65'536;
/// SOCK_DESTROY; not in every libc's headers.
constexpr std::uint16_t kDestroy = 21;
/// Everything that has another end: not listening, closed, or waiting out its time.
constexpr std::uint32_t kTcpStates =
    ~((1U << TCP_LISTEN) | (1U << TCP_CLOSE) | (1U << TCP_TIME_WAIT));

struct Family {
  std::uint8_t family;
  std::uint8_t protocol;
  std::uint32_t states;
};
constexpr Family kFamilies[] = {{AF_INET, IPPROTO_TCP, kTcpStates},
                                {AF_INET6, IPPROTO_TCP, kTcpStates},
                                {AF_INET, IPPROTO_UDP, 1U << TCP_ESTABLISHED},
                                {AF_INET6, IPPROTO_UDP, 1U << TCP_ESTABLISHED}};

struct Session {
  inet_diag_req_v2 name{};
};

/// Ids of the container's control group and of those in it: whose sockets they are, where the
/// network is shared. Empty: all sockets of the namespace are its own.
Result<std::set<std::uint64_t>> owners(const Target& target) {
  std::set<std::uint64_t> ids;
  if (!target.host_network && target.netns_peers.empty()) return ids;
  if (target.cgroup.empty()) {
    return fail(
        Code::kUnsupported,
        "its network is shared, and it has no version 2 control group to tell its sockets by");
  }
  ids.insert(target.cgroup_id);
  std::error_code problem;
  for (auto entry = std::filesystem::recursive_directory_iterator(target.cgroup, problem);
       !problem && entry != std::filesystem::recursive_directory_iterator();
       entry.increment(problem)) {
    if (!entry->is_directory(problem)) continue;
    if (const auto id = runtime::cgroup_id(entry->path().string())) ids.insert(*id);
  }
  return ids;
}

Result<std::vector<Session>> sessions_of(Netlink& diag, const std::set<std::uint64_t>& ids) {
  std::vector<Session> found;
  for (const Family& family : kFamilies) {
    inet_diag_req_v2 request{};
    request.sdiag_family = family.family;
    request.sdiag_protocol = family.protocol;
    request.idiag_states = family.states;
    TRY(diag.request(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, NetlinkBody(request).bytes(),
                     [&](const NetlinkMessage& message) {
                       inet_diag_msg socket{};
                       if (message.body.size() < sizeof socket || found.size() >= kSessionsMax)
                         return;
                       std::memcpy(&socket, message.body.data(), sizeof socket);
                       std::uint64_t group = 0;
                       each_attribute(
                           message.body.substr(sizeof socket),
                           [&](std::uint16_t type, std::string_view value) {
                             if (type == INET_DIAG_CGROUP_ID && value.size() == sizeof group) {
                               std::memcpy(&group, value.data(), sizeof group);
                             }
                           });
                       if (!ids.empty() && !ids.contains(group)) return;
                       Session& session = found.emplace_back();
                       session.name = request;
                       session.name.idiag_states = ~0U;
                       session.name.id = socket.id;
                     }));
  }
  return found;
}

Result<void> plan_cut(const Target& target, Record& record, Plan& plan) {
  const auto ids = TRY(owners(target));
  Netlink diag = TRY(Netlink::open_in(target.netns, NETLINK_SOCK_DIAG));
  const auto sessions = TRY(sessions_of(diag, ids));
  record.before["sessions"] = std::to_string(sessions.size());
  plan.steps.push_back({"end " + std::to_string(sessions.size()) +
                            " connection(s) with an error (ECONNABORTED) on the container's side",
                        ""});
  plan.warnings.emplace_back(
      "the container notices, and may connect again: quarantine it first; nothing is sent to the "
      "other ends of connections that are closed by a quarantine");
  return {};
}

Result<void> perform_cut(const Target& target, Record& record) {
  const auto ids = TRY(owners(target));
  Netlink diag = TRY(Netlink::open_in(target.netns, NETLINK_SOCK_DIAG));
  std::size_t ended = 0;
  for (const Session& session : TRY(sessions_of(diag, ids))) {
    const auto outcome =
        diag.request(kDestroy, 0, NetlinkBody(session.name).bytes(), [](const NetlinkMessage&) {});
    if (outcome) ++ended;
    else if (outcome.error().os_errno == EOPNOTSUPP) {
      return fail(Code::kUnsupported,
                  "this kernel cannot end connections (it needs CONFIG_INET_DIAG_DESTROY)");
    } else if (outcome.error().os_errno != ENOENT) {
      return std::unexpected(outcome.error());
    }
  }
  record.before["ended"] = std::to_string(ended);
  return {};
}

Result<Measured> verify_cut(const Target& target, const Record& record) {
  const auto ids = TRY(owners(target));
  Netlink diag = TRY(Netlink::open_in(target.netns, NETLINK_SOCK_DIAG));
  const std::size_t left = TRY(sessions_of(diag, ids)).size();
  // What the container has opened meanwhile is no failure, but is told.
  std::string text;
  JsonWriter(text)
      .begin_object()
      .member("ended", record.before.contains("ended") ? record.before.at("ended") : "0")
      .member("open_now", static_cast<std::uint64_t>(left))
      .end_object();
  return Measured{.as_planned = true, .members = text.substr(1, text.size() - 2)};
}

}  // namespace

const Action kCut{.name = "cut",
                  .sentence = "End a container's open connections.",
                  .approval_class = 'B',
                  .rate_class = "network",
                  .capabilities = kCapabilities,
                  .stays = false,
                  .plan = plan_cut,
                  .perform = perform_cut,
                  .verify = verify_cut,
                  .inverse = nullptr,
                  .renew = nullptr};

}  // namespace coff::response
