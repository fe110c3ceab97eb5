// Closes sockets by control group, and Docker's resolver on a container's loopback, with eBPF.
#include "response/socket_gate.hpp"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <memory>
#include <optional>

#include "response.skel.h"
#include "response/netlink.hpp"
#include "response/packet_filter.hpp"

namespace coff::response {
namespace {

/// BPF_TCX_INGRESS of kernels since 6.6; the headers are older.
constexpr std::uint32_t kTcxIngress = 46;
/// Loopback has this index in every network namespace.
constexpr std::uint32_t kLoopbackIndex = 1;
/// Programs of others at one place are looked through up to here.
constexpr std::size_t kProgramsMax = 64;
constexpr char kOut[] = "coff_close_out";
constexpr char kIn[] = "coff_close_in";
constexpr char kDns[] = "coff_close_dns";

struct SkeletonDeleter {
  void operator()(response_bpf* programs) const { response_bpf::destroy(programs); }
};
using Skeleton = std::unique_ptr<response_bpf, SkeletonDeleter>;

/// Loads the programs that are named; the others stay out of the kernel.
Result<Skeleton> load(bool group) {
  libbpf_set_print([](libbpf_print_level, const char*, va_list) { return 0; });
  Skeleton programs(response_bpf::open());
  if (!programs) return fail(Code::kUnsupported, "the response programs cannot be opened");
  bpf_program__set_autoload(programs->progs.coff_close_out, group);
  bpf_program__set_autoload(programs->progs.coff_close_in, group);
  bpf_program__set_autoload(programs->progs.coff_close_dns, !group);
  if (response_bpf::load(programs.get()) != 0) {
    return fail_errno("this kernel does not take the response programs");
  }
  return programs;
}

Result<void> allow(const Skeleton& programs, const std::string& address) {
  TRY(check_address(address));
  struct {
    std::uint32_t prefix_bits = 128;
    std::array<unsigned char, 16> bytes{};
  } key;
  const std::size_t slash = address.find('/');
  const std::string text = address.substr(0, slash);
  const bool six = text.find(':') != std::string::npos;
  if (!six) key.bytes[10] = key.bytes[11] = 0xff;
  ::inet_pton(six ? AF_INET6 : AF_INET, text.c_str(), key.bytes.data() + (six ? 0 : 12));
  if (slash != std::string::npos) {
    std::from_chars(address.data() + slash + 1, address.data() + address.size(), key.prefix_bits);
    if (!six) key.prefix_bits += 96;
  }
  const std::uint32_t yes = 1;
  if (bpf_map_update_elem(bpf_map__fd(programs->maps.coff_allowed), &key, &yes, BPF_ANY) == 0) {
    return {};
  }
  return fail_errno("cannot allow " + address);
}

/// One program of ours at some place.
struct Attached {
  Fd program;
  std::string name;
  std::vector<std::uint32_t> maps;
};

Result<std::optional<Attached>> recognise(std::uint32_t id) {
  Attached found;
  found.program.reset(bpf_prog_get_fd_by_id(id));
  if (!found.program.valid()) {
    if (errno == ENOENT) return std::nullopt;
    return fail_errno("cannot look at an attached program");
  }
  bpf_prog_info info{};
  std::array<std::uint32_t, 8> maps{};
  info.nr_map_ids = maps.size();
  info.map_ids = reinterpret_cast<std::uintptr_t>(maps.data());
  std::uint32_t size = sizeof info;
  if (bpf_obj_get_info_by_fd(found.program.get(), &info, &size) != 0) {
    return fail_errno("cannot look at an attached program");
  }
  found.name = info.name;
  found.maps.assign(maps.begin(), maps.begin() + std::min<std::size_t>(info.nr_map_ids, 8));
  if (found.name != kOut && found.name != kIn && found.name != kDns) return std::nullopt;
  return found;
}

/// Programs of ours at `place`: a group's descriptor, or an interface's index.
Result<std::vector<Attached>> list_attached(std::uint32_t place, std::uint32_t type) {
  std::array<std::uint32_t, kProgramsMax> ids{};
  union bpf_attr request{};
  request.query.target_fd = place;
  request.query.attach_type = type;
  request.query.prog_ids = reinterpret_cast<std::uintptr_t>(ids.data());
  request.query.prog_cnt = ids.size();
  if (::syscall(SYS_bpf, BPF_PROG_QUERY, &request, sizeof request) != 0) {
    if (errno == ENOENT) return std::vector<Attached>();
    if (errno == EINVAL) return fail(Code::kUnsupported, "this kernel has no such place");
    return fail_errno("cannot list attached programs");
  }
  std::vector<Attached> ours;
  for (std::size_t at = 0; at < std::min<std::size_t>(request.query.prog_cnt, ids.size()); ++at) {
    if (auto known = TRY(recognise(ids[at]))) ours.push_back(std::move(*known));
  }
  return ours;
}

Result<void> attach(std::uint32_t place, std::uint32_t type, int program, std::uint32_t flags) {
  union bpf_attr request{};
  request.target_fd = place;
  request.attach_bpf_fd = static_cast<std::uint32_t>(program);
  request.attach_type = type;
  request.attach_flags = flags;
  if (::syscall(SYS_bpf, BPF_PROG_ATTACH, &request, sizeof request) == 0) return {};
  if (errno == EINVAL && type == kTcxIngress) {
    return fail(Code::kUnsupported, "this kernel (before 6.6) cannot close the engine's resolver");
  }
  return fail_errno("cannot attach a response program");
}

Result<void> detach(std::uint32_t place, std::uint32_t type, const Attached& attached) {
  union bpf_attr request{};
  request.target_fd = place;
  request.attach_bpf_fd = static_cast<std::uint32_t>(attached.program.get());
  request.attach_type = type;
  if (::syscall(SYS_bpf, BPF_PROG_DETACH, &request, sizeof request) == 0) return {};
  return fail_errno("cannot detach a response program");
}

struct Way {
  std::uint32_t type;
  const char* name;
};
constexpr Way kWays[] = {{BPF_CGROUP_INET_EGRESS, kOut}, {BPF_CGROUP_INET_INGRESS, kIn}};

std::uint64_t dropped_by(const Attached& attached) {
  for (const std::uint32_t id : attached.maps) {
    const Fd map(bpf_map_get_fd_by_id(id));
    bpf_map_info info{};
    std::uint32_t size = sizeof info;
    if (!map.valid() || bpf_obj_get_info_by_fd(map.get(), &info, &size) != 0) continue;
    if (std::string_view(info.name) != "coff_dropped") continue;
    const std::uint32_t way = attached.name == kOut ? 0 : 1;
    std::uint64_t packets = 0;
    return bpf_map_lookup_elem(map.get(), &way, &packets) == 0 ? packets : 0;
  }
  return 0;
}

}  // namespace

Result<void> close_group(const std::string& cgroup, const std::vector<std::string>& allowed) {
  const Fd group = TRY(open_file(cgroup, O_RDONLY | O_DIRECTORY));
  const auto place = static_cast<std::uint32_t>(group.get());
  const Skeleton programs = TRY(load(true));
  for (const std::string& address : allowed) TRY(allow(programs, address));
  const int fresh[] = {bpf_program__fd(programs->progs.coff_close_out),
                       bpf_program__fd(programs->progs.coff_close_in)};
  for (std::size_t at = 0; at < std::size(kWays); ++at) {
    const auto before = TRY(list_attached(place, kWays[at].type));
    TRY(attach(place, kWays[at].type, fresh[at], BPF_F_ALLOW_MULTI));
    // Both hold for a moment, so it is never open in between.
    for (const Attached& old : before) TRY(detach(place, kWays[at].type, old));
  }
  return {};
}

Result<void> open_group(const std::string& cgroup) {
  auto group = open_file(cgroup, O_RDONLY | O_DIRECTORY);
  if (!group && group.error().code == Code::kNotFound) return {};
  if (!group) return std::unexpected(group.error());
  const auto place = static_cast<std::uint32_t>(group->get());
  for (const Way& way : kWays) {
    for (const Attached& old : TRY(list_attached(place, way.type))) {
      TRY(detach(place, way.type, old));
    }
  }
  return {};
}

Result<GroupState> group_state(const std::string& cgroup) {
  const Fd group = TRY(open_file(cgroup, O_RDONLY | O_DIRECTORY));
  GroupState state;
  for (const Way& way : kWays) {
    for (const Attached& each :
         TRY(list_attached(static_cast<std::uint32_t>(group.get()), way.type))) {
      (each.name == kOut ? state.out : state.in) = true;
      state.dropped_packets += dropped_by(each);
    }
  }
  return state;
}

Result<void> close_resolver(const Fd& netns) {
  const Skeleton programs = TRY(load(false));
  return visit_namespace(netns, [&]() -> Result<void> {
    if (!TRY(list_attached(kLoopbackIndex, kTcxIngress)).empty()) return {};
    return attach(kLoopbackIndex, kTcxIngress, bpf_program__fd(programs->progs.coff_close_dns), 0);
  });
}

Result<void> open_resolver(const Fd& netns) {
  return visit_namespace(netns, []() -> Result<void> {
    for (const Attached& old : TRY(list_attached(kLoopbackIndex, kTcxIngress))) {
      TRY(detach(kLoopbackIndex, kTcxIngress, old));
    }
    return {};
  });
}

Result<bool> resolver_closed(const Fd& netns) {
  bool closed = false;
  TRY(visit_namespace(netns, [&]() -> Result<void> {
    closed = !TRY(list_attached(kLoopbackIndex, kTcxIngress)).empty();
    return {};
  }));
  return closed;
}

}  // namespace coff::response
