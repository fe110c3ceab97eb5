// The kernel programs that follow the sockets of container engines.
#include "sensor/api_programs.hpp"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "sensor/function_probe.hpp"
#include "sensor/kernel_programs.hpp"

// Generated; takes its types from the shared headers above.
#include "cofferdam.skel.h"

namespace coff::sensor {

namespace {

// The tracepoints came with 6.3.
bool has_socket_lengths() {
  btf* const types = btf__load_vmlinux_btf();
  const bool has =
      types != nullptr &&
      btf__find_by_name_kind(types, "btf_trace_sock_recv_length", BTF_KIND_TYPEDEF) > 0 &&
      btf__find_by_name_kind(types, "btf_trace_sock_send_length", BTF_KIND_TYPEDEF) > 0;
  btf__free(types);
  return has;
}

// Programs of this kind may ask for socket cookies since 5.12; this map is a release older, and
// nothing nearer can be asked for. On 5.11 the verifier refuses, which is named as well.
bool can_name_sockets() {
  return libbpf_probe_bpf_map_type(BPF_MAP_TYPE_TASK_STORAGE, nullptr) == 1;
}

}  // namespace

// The functions of Unix sockets where the kernel permits it: the tracepoints fire for every socket.
void leave_out_api_programs(cofferdam_bpf& opened) {
  const bool by_function = can_name_sockets() && function_refusal("unix_stream_recvmsg").empty() &&
                           function_refusal("unix_stream_sendmsg").empty();
  const bool by_tracepoint = !by_function && has_socket_lengths();
  bpf_program__set_autoload(opened.progs.on_unix_receive, by_function);
  bpf_program__set_autoload(opened.progs.on_unix_send, by_function);
  bpf_program__set_autoload(opened.progs.on_api_receive, by_tracepoint);
  bpf_program__set_autoload(opened.progs.on_api_send, by_tracepoint);
}

void KernelPrograms::attach_api() {
  const auto& progs = skeleton_->progs;
  const bool by_function = bpf_program__autoload(progs.on_unix_receive);
  if (!by_function && !bpf_program__autoload(progs.on_api_receive)) {
    blindness_.push_back({.what = "requests to container engines: who asked for what",
                          .reason = "this kernel lets no program watch what sockets carry",
                          .remedy = "a kernel of 6.3 or newer"});
    return;
  }
  const std::array programs = by_function ? std::array{progs.on_unix_receive, progs.on_unix_send}
                                          : std::array{progs.on_api_receive, progs.on_api_send};
  for (bpf_program* program : programs) {
    Link link(bpf_program__attach(program));
    if (link == nullptr) {
      blindness_.push_back({.what = "requests to container engines",
                            .reason = std::string("cannot attach: ") + std::strerror(errno)});
      continue;
    }
    links_.push_back(std::move(link));
  }
}

Result<void> KernelPrograms::watch_api_sockets(const std::vector<std::string>& names) {
  const int map = bpf_map__fd(skeleton_->maps.api_sockets);
  for (const auto& name : names) {
    coff_api_name key{};
    if (name.empty() || name.size() >= COFF_API_NAME_MAX) continue;  // no socket has such a name
    // As the kernel has it: with the NUL, and behind the two bytes of the family.
    key.length = static_cast<std::uint32_t>(name.size() + 1);
    std::memcpy(key.text, name.data(), name.size());
    const std::uint8_t watched = 1;
    if (bpf_map_update_elem(map, &key, &watched, BPF_ANY) != 0) {
      return fail_errno("cannot follow " + name);
    }
    const std::uint32_t length = key.length + 2;
    auto& word = skeleton_->bss->api_lengths[(length >> 6) & 1];
    std::atomic_ref(word).fetch_or(1ULL << (length & 63));
  }
  return {};
}

void KernelPrograms::ignore_api_connection(std::uint64_t connection) {
  const std::uint8_t raw = 1;
  // A table that is full makes room by itself; at worst the bytes keep coming.
  bpf_map_update_elem(bpf_map__fd(skeleton_->maps.api_raw), &connection, &raw, BPF_ANY);
}

}  // namespace coff::sensor
