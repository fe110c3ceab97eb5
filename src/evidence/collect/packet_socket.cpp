// A packet socket in another network namespace, and its ring.
#include "evidence/collect/packet_socket.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <string>

namespace coff::evidence {
namespace {

/// 64 blocks of 1 MiB: what a busy container sends in about a tenth of a second.
constexpr unsigned kBlockBytes = 1U << 20U;
constexpr unsigned kBlocks = 64;
constexpr unsigned kRetireMs = 50;
constexpr int kOpenMs = 3000;

/// The child: enters, opens, hands the socket over, and ends.
[[noreturn]] void open_inside(int netns, int to) {
  if (::setns(netns, CLONE_NEWNET) != 0) ::_exit(1);
  const int socket = ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
  if (socket < 0) ::_exit(2);
  char byte = 0;
  iovec vector{&byte, 1};
  alignas(cmsghdr) char space[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = space;
  message.msg_controllen = sizeof space;
  cmsghdr* head = CMSG_FIRSTHDR(&message);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(head), &socket, sizeof socket);
  ::_exit(::sendmsg(to, &message, MSG_NOSIGNAL) == 1 ? 0 : 3);
}

Result<Fd> receive_socket(const Fd& from) {
  pollfd entry{from.get(), POLLIN, 0};
  if (::poll(&entry, 1, kOpenMs) <= 0) return fail(Code::kTimeout, "no packet socket came");
  char byte = 0;
  iovec vector{&byte, 1};
  alignas(cmsghdr) char space[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = space;
  message.msg_controllen = sizeof space;
  const ssize_t got = ::recvmsg(from.get(), &message, MSG_CMSG_CLOEXEC);
  const cmsghdr* head = CMSG_FIRSTHDR(&message);
  if (got != 1 || head == nullptr || head->cmsg_type != SCM_RIGHTS) {
    return fail(Code::kDenied, "a packet socket can't be opened in the container's network");
  }
  int socket = -1;
  std::memcpy(&socket, CMSG_DATA(head), sizeof socket);
  return Fd(socket);
}

Result<Fd> socket_in(pid_t pid) {
  const Fd netns = TRY(open_file("/proc/" + std::to_string(pid) + "/ns/net", O_RDONLY));
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return fail_errno("cannot make a socket pair");
  }
  const Fd ours(ends[0]);
  Fd theirs(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) return fail_errno("cannot start a process for the packet socket");
  if (child == 0) open_inside(netns.get(), theirs.get());
  theirs.reset();
  auto socket = receive_socket(ours);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  return socket;
}

/// The kernel cuts each packet at `snap_bytes` before it takes room in the ring.
Result<void> cut_packets(const Fd& socket, std::uint32_t snap_bytes) {
  sock_filter keep{.code = BPF_RET | BPF_K, .k = snap_bytes};
  const sock_fprog program{.len = 1, .filter = &keep};
  if (::setsockopt(socket.get(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0) {
    return fail_errno("cannot set the length of packets");
  }
  return {};
}

}  // namespace

Result<PacketSocket> PacketSocket::open(pid_t pid, std::uint32_t snap_bytes) {
  PacketSocket packets(TRY(socket_in(pid)));
  const int socket = packets.socket_.get();
  TRY(cut_packets(packets.socket_, snap_bytes));
  const int version = TPACKET_V3;
  tpacket_req3 ring{};
  ring.tp_block_size = kBlockBytes;
  ring.tp_block_nr = kBlocks;
  ring.tp_frame_size = 2048;
  ring.tp_frame_nr = kBlockBytes / ring.tp_frame_size * kBlocks;
  ring.tp_retire_blk_tov = kRetireMs;
  if (::setsockopt(socket, SOL_PACKET, PACKET_VERSION, &version, sizeof version) != 0 ||
      ::setsockopt(socket, SOL_PACKET, PACKET_RX_RING, &ring, sizeof ring) != 0) {
    return fail_errno("cannot make a ring for packets");
  }
  void* place = ::mmap(nullptr, std::size_t{kBlockBytes} * kBlocks, PROT_READ | PROT_WRITE,
                       MAP_SHARED, socket, 0);
  if (place == MAP_FAILED) return fail_errno("cannot map the ring of packets");
  packets.ring_ = place;
  // Only from now on do packets come: nothing is lost before the ring is there.
  sockaddr_ll every{};
  every.sll_family = AF_PACKET;
  every.sll_protocol = htons(ETH_P_ALL);
  if (::bind(socket, reinterpret_cast<const sockaddr*>(&every), sizeof every) != 0) {
    return fail_errno("cannot listen for packets");
  }
  return packets;
}

PacketSocket::~PacketSocket() {
  if (ring_ != nullptr) ::munmap(ring_, std::size_t{kBlockBytes} * kBlocks);
}

Result<void> PacketSocket::read(int wait_ms, const std::function<bool(const Packet&)>& on_packet) {
  pollfd entry{socket_.get(), POLLIN, 0};
  if (::poll(&entry, 1, wait_ms) < 0 && errno != EINTR)
    return fail_errno("cannot wait for packets");
  for (unsigned count = 0; count < kBlocks; ++count) {
    auto* block = reinterpret_cast<tpacket_block_desc*>(static_cast<char*>(ring_) +
                                                        std::size_t{next_} * kBlockBytes);
    std::atomic_ref<__u32> status(block->hdr.bh1.block_status);
    if ((status.load(std::memory_order_acquire) & TP_STATUS_USER) == 0) return {};
    const char* at = reinterpret_cast<const char*>(block) + block->hdr.bh1.offset_to_first_pkt;
    bool more = true;
    for (__u32 left = block->hdr.bh1.num_pkts; left > 0 && more; --left) {
      const auto* head = reinterpret_cast<const tpacket3_hdr*>(at);
      const auto* from =
          reinterpret_cast<const sockaddr_ll*>(at + TPACKET_ALIGN(sizeof(tpacket3_hdr)));
      more = on_packet({head->tp_sec,
                        head->tp_nsec,
                        head->tp_len,
                        from->sll_hatype,
                        {at + head->tp_mac, head->tp_snaplen}});
      at += head->tp_next_offset;
    }
    status.store(TP_STATUS_KERNEL, std::memory_order_release);
    next_ = (next_ + 1) % kBlocks;
    if (!more) return {};
  }
  return {};
}

Result<PacketCounts> PacketSocket::counts() const {
  tpacket_stats_v3 stats{};
  socklen_t size = sizeof stats;
  if (::getsockopt(socket_.get(), SOL_PACKET, PACKET_STATISTICS, &stats, &size) != 0) {
    return fail_errno("cannot read the counts of packets");
  }
  return PacketCounts{stats.tp_packets, stats.tp_drops, stats.tp_freeze_q_cnt};
}

}  // namespace coff::evidence
