// Netlink: one bounded request and its answer, in our own or in a container's network namespace.
#include "response/netlink.hpp"

#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <vector>

namespace coff::response {
namespace {

constexpr std::size_t kReceiveBytes = 256U << 10U;

constexpr std::size_t padded(std::size_t size) { return (size + 3U) & ~std::size_t{3}; }

Result<void> kernel_error(std::string_view body) {
  nlmsgerr answer{};
  if (body.size() < sizeof answer.error) return fail(Code::kInvalid, "a short netlink answer");
  std::memcpy(&answer.error, body.data(), sizeof answer.error);
  if (answer.error == 0) return {};
  errno = -answer.error;
  return fail_errno("the kernel refused a netlink request");
}

}  // namespace

NetlinkBody& NetlinkBody::attribute(std::uint16_t type, std::string_view value) {
  bytes_.resize(padded(bytes_.size()));
  const nlattr header{static_cast<std::uint16_t>(sizeof(nlattr) + value.size()), type};
  bytes_.append(reinterpret_cast<const char*>(&header), sizeof header);
  bytes_.append(value);
  bytes_.resize(padded(bytes_.size()));
  return *this;
}

void each_attribute(std::string_view attributes,
                    const std::function<void(std::uint16_t, std::string_view)>& visit) {
  while (attributes.size() >= sizeof(nlattr)) {
    nlattr header{};
    std::memcpy(&header, attributes.data(), sizeof header);
    if (header.nla_len < sizeof header || header.nla_len > attributes.size()) return;
    visit(header.nla_type & NLA_TYPE_MASK,
          attributes.substr(sizeof header, header.nla_len - sizeof header));
    attributes.remove_prefix(std::min(padded(header.nla_len), attributes.size()));
  }
}

Result<Netlink> Netlink::open(int protocol, std::uint32_t groups) {
  Fd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
  if (!socket.valid()) return fail_errno("cannot open a netlink socket");
  const timeval limit{kNetlinkTimeoutMs / 1000, 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = groups;
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return fail_errno("cannot bind a netlink socket");
  }
  return Netlink(std::move(socket));
}

Result<Netlink> Netlink::open_in(const Fd& netns, int protocol) {
  Result<Netlink> opened = fail(Code::kInternal, "no netlink socket");
  TRY(visit_namespace(netns, [&]() -> Result<void> {
    opened = open(protocol);
    return {};
  }));
  return opened;
}

Result<void> Netlink::request(std::uint16_t type, std::uint16_t flags, std::string_view body,
                              const std::function<void(const NetlinkMessage&)>& visit) {
  nlmsghdr header{};
  header.nlmsg_len = static_cast<std::uint32_t>(sizeof header + body.size());
  header.nlmsg_type = type;
  // Without NLM_F_ACK a request that isn't a dump could end without a word.
  const bool dump = (flags & NLM_F_DUMP) == NLM_F_DUMP;
  header.nlmsg_flags = static_cast<std::uint16_t>(flags | NLM_F_REQUEST | (dump ? 0 : NLM_F_ACK));
  header.nlmsg_seq = ++sequence_;
  std::string bytes(reinterpret_cast<const char*>(&header), sizeof header);
  bytes.append(body);
  if (::send(socket_.get(), bytes.data(), bytes.size(), 0) < 0) {
    return fail_errno("cannot send a netlink request");
  }
  std::vector<char> buffer(kReceiveBytes);
  std::size_t total_bytes = 0;
  for (;;) {
    const ssize_t size = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_TRUNC);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return fail_errno("cannot read a netlink answer");
    if (static_cast<std::size_t>(size) > buffer.size()) {
      return fail(Code::kLimit, "a netlink answer is longer than its limit");
    }
    total_bytes += static_cast<std::size_t>(size);
    if (total_bytes > kNetlinkAnswerBytesMax) {
      return fail(Code::kLimit, "a netlink answer is longer than its limit");
    }
    std::string_view rest(buffer.data(), static_cast<std::size_t>(size));
    while (rest.size() >= sizeof header) {
      std::memcpy(&header, rest.data(), sizeof header);
      if (header.nlmsg_len < sizeof header || header.nlmsg_len > rest.size()) {
        return fail(Code::kInvalid, "a malformed netlink answer");
      }
      const std::string_view content = rest.substr(sizeof header, header.nlmsg_len - sizeof header);
      rest.remove_prefix(std::min(padded(header.nlmsg_len), rest.size()));
      if (header.nlmsg_seq != sequence_) continue;
      if (header.nlmsg_type == NLMSG_DONE) return {};
      if (header.nlmsg_type == NLMSG_ERROR) return kernel_error(content);
      visit({header.nlmsg_type, content});
    }
  }
}

Result<void> visit_namespace(const Fd& netns, const std::function<Result<void>()>& call) {
  const Fd own = TRY(open_file("/proc/thread-self/ns/net", O_RDONLY));
  if (::setns(netns.get(), CLONE_NEWNET) != 0) {
    return fail_errno("cannot enter the container's network namespace");
  }
  const Result<void> outcome = call();
  COFF_ASSERT(::setns(own.get(), CLONE_NEWNET) == 0);
  return outcome;
}

}  // namespace coff::response
