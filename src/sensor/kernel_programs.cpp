// The kernel half of the sensor: loaded, attached where this kernel allows it, and otherwise named
// as a blindness.
#include "sensor/kernel_programs.hpp"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>

#include "base/log.hpp"
#include "sensor/api_programs.hpp"
#include "sensor/calls.hpp"
#include "sensor/compat_entry.hpp"

// Generated; takes its types from the shared headers above.
#include "cofferdam.skel.h"

namespace coff::sensor {

namespace {

constexpr size_t kScratchPerCpu = 2;  // COFF_SCRATCH_PER_CPU of bpf/common.h
constexpr size_t kLoadAttempts = 32;  // more than there are programs

// The program that libbpf named in its last complaint; libbpf tells it nowhere else.
thread_local std::string refused_program;
thread_local std::string last_complaint;

int listen_to_libbpf(enum libbpf_print_level level, const char* format, va_list arguments) {
  if (level != LIBBPF_WARN) return 0;
  char line[512];
  std::vsnprintf(line, sizeof line, format, arguments);
  const std::string_view text(line);
  const size_t from = text.find("prog '");
  if (from != std::string_view::npos && text.find("failed to load") != std::string_view::npos) {
    refused_program = text.substr(from + 6, text.find('\'', from + 6) - from - 6);
  }
  if (text.find("-- BEGIN") == std::string_view::npos && text.size() < 300) {
    last_complaint = text.substr(0, text.find('\n'));
  }
  log_debug("sensor", text.substr(0, text.find('\n')));
  return 0;
}

bool tracepoint_exists(const std::string& category, const std::string& name) {
  for (const char* root : {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"}) {
    const std::string path = std::string(root) + "/events/" + category + "/" + name + "/id";
    // access(2) would ask for the real user, who has none of our capabilities.
    if (::faccessat(AT_FDCWD, path.c_str(), R_OK, AT_EACCESS) == 0) return true;
  }
  return false;
}

}  // namespace

void KernelPrograms::SkeletonDeleter::operator()(cofferdam_bpf* skeleton) const {
  cofferdam_bpf__destroy(skeleton);
}
void KernelPrograms::LinkDeleter::operator()(bpf_link* link) const { bpf_link__destroy(link); }

KernelPrograms::KernelPrograms(KernelPrograms&&) noexcept = default;
KernelPrograms& KernelPrograms::operator=(KernelPrograms&&) noexcept = default;

KernelPrograms::~KernelPrograms() = default;

namespace {

// Place of a v1 controller in css_set.subsys: it depends on how the kernel was configured.
Result<int> controller_index(const std::string& controller) {
  if (controller.empty()) return -1;
  btf* const types = btf__load_vmlinux_btf();
  if (types == nullptr) return fail_errno("the kernel tells no types (CONFIG_DEBUG_INFO_BTF)");
  const std::string wanted = controller + "_cgrp_id";
  int index = -1;
  const int number = btf__find_by_name_kind(types, "cgroup_subsys_id", BTF_KIND_ENUM);
  const btf_type* type = number < 0 ? nullptr : btf__type_by_id(types, static_cast<__u32>(number));
  for (int at = 0; type != nullptr && at < btf_vlen(type); ++at) {
    const struct btf_enum& value = btf_enum(type)[at];
    if (wanted == btf__name_by_offset(types, value.name_off)) index = value.val;
  }
  btf__free(types);
  if (index < 0) return fail(Code::kNotFound, "the kernel has no controller " + controller);
  return index;
}

Result<cofferdam_bpf*> open_skeleton(const LoadOptions& options,
                                     const std::vector<std::string>& left_out) {
  const int controller = TRY(controller_index(options.cgroup_controller));
  cofferdam_bpf* skeleton = cofferdam_bpf__open();
  if (skeleton == nullptr) return fail_errno("cannot open the kernel programs");
  const auto table = call_table();
  std::memcpy(const_cast<coff_call_desc*>(skeleton->rodata->calls), table.data(), sizeof table);
  skeleton->rodata->coff_cgroup_subsys = controller;
  skeleton->rodata->coff_argv_max = std::min<std::uint32_t>(options.argv_bytes_max, COFF_ARGV_MAX);
  skeleton->rodata->coff_env_max = std::min<std::uint32_t>(options.env_bytes_max, COFF_ENV_MAX);
  skeleton->rodata->coff_page_shift =
      static_cast<std::uint32_t>(__builtin_ctzl(static_cast<unsigned long>(getpagesize())));
  bpf_map__set_max_entries(skeleton->maps.ring_prio, options.ring_bytes[COFF_LANE_PRIO]);
  bpf_map__set_max_entries(skeleton->maps.ring_file, options.ring_bytes[COFF_LANE_FILE]);
  bpf_map__set_max_entries(skeleton->maps.ring_net, options.ring_bytes[COFF_LANE_NET]);
  const auto cpus = static_cast<std::uint32_t>(libbpf_num_possible_cpus());
  bpf_map__set_max_entries(skeleton->maps.scratches, cpus * kScratchPerCpu);
  bpf_map__set_max_entries(skeleton->maps.counts, cpus * COFF_SLOTS * COFF_KINDS);
  leave_out_api_programs(*skeleton);
  for (const auto& name : left_out) {
    bpf_program* program = bpf_object__find_program_by_name(skeleton->obj, name.c_str());
    if (program != nullptr) bpf_program__set_autoload(program, false);
  }
  return skeleton;
}

}  // namespace

Result<KernelPrograms> KernelPrograms::load(const LoadOptions& options) {
  libbpf_set_print(listen_to_libbpf);
  KernelPrograms programs;
  std::vector<std::string> left_out;
  programs.compat_refusal_ = compat_entry_refusal();
  if (!programs.compat_refusal_.empty()) left_out.emplace_back(kCompatProgram);
  // One program that this kernel's verifier refuses must not blind the others.
  for (size_t attempt = 0; attempt < kLoadAttempts; ++attempt) {
    refused_program.clear();
    programs.skeleton_.reset(TRY(open_skeleton(options, left_out)));
    const int problem = cofferdam_bpf__load(programs.skeleton_.get());
    if (problem == 0) break;
    errno = -problem;
    if (refused_program.empty()) {
      return fail_errno("the kernel refuses to load BPF programs (" + last_complaint +
                        "); run as root on a kernel with BTF, 5.10 or newer");
    }
    programs.blindness_.push_back(
        {.what = "kernel program " + refused_program,
         .reason = std::string("the kernel's verifier refuses it: ") + std::strerror(-problem),
         .remedy = "another kernel"});
    left_out.push_back(refused_program);
    if (attempt + 1 == kLoadAttempts) return fail(Code::kUnsupported, "no kernel program loads");
  }
  programs.skeleton_->data->ring_wakeup_bytes = options.ring_bytes[COFF_LANE_PRIO] / 8;
  programs.set_self_pids(options.self_pids);
  TRY(programs.map_counts());
  return programs;
}

Result<void> KernelPrograms::attach() {
  attach_programs();
  attach_api();
  attach_calls();
  name_known_blindness();
  if (attached_count() == 0) return fail(Code::kUnsupported, "no kernel program attaches");
  attached_ = true;
  return {};
}

void KernelPrograms::attach_programs() {
  const auto& progs = skeleton_->progs;
  attach_program(progs.on_fork, "process creation");
  attach_program(progs.on_exec, "program execution");
  attach_program(progs.on_exit, "process end");
  attach_program(progs.on_cgroup_mkdir, "new control groups");
  attach_program(progs.on_cgroup_rmdir, "removed control groups");
  attach_program(progs.on_signal, "signals between processes");
  attach_program(progs.on_oom, "OOM kills");
  attach_program(progs.on_uring_submit, "io_uring operations");
  attach_program(progs.on_tcp_state, "TCP connections with both ends");
  bpf_program* const compat = bpf_object__find_program_by_name(skeleton_->obj, kCompatProgram);
  if (compat != nullptr) attach_program(compat, "the 32-bit entry for system calls");
  if (bpf_program__autoload(progs.seen_task)) {
    task_iterator_.reset(bpf_program__attach_iter(progs.seen_task, nullptr));
  }
  if (bpf_program__autoload(progs.seen_socket)) {
    socket_iterator_.reset(bpf_program__attach_iter(progs.seen_socket, nullptr));
  }
}

void KernelPrograms::attach_program(bpf_program* program, const char* what) {
  if (!bpf_program__autoload(program)) return;  // already named
  Link link(bpf_program__attach(program));
  if (link != nullptr) {
    links_.push_back(std::move(link));
    return;
  }
  blindness_.push_back(
      {.what = what, .reason = std::string("cannot attach: ") + std::strerror(errno)});
}

void KernelPrograms::attach_calls() {
  if (!tracepoint_exists("syscalls", "sys_exit_openat")) {
    name_once({.what = "all system calls",
               .reason =
                   "no system call tracepoints: tracefs is not mounted, or the kernel was built "
                   "without CONFIG_FTRACE_SYSCALLS",
               .remedy = "mount -t tracefs tracefs /sys/kernel/tracing"});
    return;
  }
  for (const auto& call : observed_calls()) {
    Link& link = call_links_[call.description.call];
    if (!is_wanted(call)) link.reset();
    else if (link == nullptr) link = attach_call(call);
  }
}

bool KernelPrograms::is_wanted(const ObservedCall& call) const {
  return call.number >= 0 &&
         (is_always_forwarded(call.description.kind) || kinds_wanted_[call.description.kind]);
}

KernelPrograms::Link KernelPrograms::attach_call(const ObservedCall& call) {
  const std::string name = "sys_exit_" + std::string(call.name);
  const std::string program_name = "on_exit_" + std::string(call.program);
  bpf_program* program = bpf_object__find_program_by_name(skeleton_->obj, program_name.c_str());
  COFF_ASSERT(program != nullptr);
  if (!bpf_program__autoload(program)) return nullptr;  // already named
  if (!tracepoint_exists("syscalls", name)) {
    name_once({.what = "system call " + std::string(call.name),
               .reason = "this kernel has no such call",
               .by_design = true});
    return nullptr;
  }
  Link link(bpf_program__attach_tracepoint(program, "syscalls", name.c_str()));
  if (link == nullptr) {
    name_once({.what = "system call " + std::string(call.name),
               .reason = std::string("cannot attach: ") + std::strerror(errno)});
  }
  return link;
}

// Calls are attached again when the filter changes: each blindness is named once.
void KernelPrograms::name_once(Blindness blindness) {
  const bool known = std::any_of(blindness_.begin(), blindness_.end(),
                                 [&](const Blindness& b) { return b.what == blindness.what; });
  if (!known) blindness_.push_back(std::move(blindness));
}

size_t KernelPrograms::attached_count() const {
  const auto calls = std::count_if(call_links_.begin(), call_links_.end(),
                                   [](const Link& link) { return link != nullptr; });
  return links_.size() + static_cast<size_t>(calls);
}

void KernelPrograms::name_known_blindness() {
  blindness_.push_back(compat_blindness(compat_refusal_));
  if (task_iterator_ == nullptr) {
    blindness_.push_back({.what = "exact start times of processes older than the agent",
                          .reason = "this kernel has no task iterator",
                          .remedy = "a kernel of 5.8 or newer"});
  }
}

int KernelPrograms::ring_fd(coff_lane lane) const {
  const auto& maps = skeleton_->maps;
  bpf_map* const rings[] = {maps.ring_prio, maps.ring_file, maps.ring_net};
  return bpf_map__fd(rings[lane]);
}

Result<void> KernelPrograms::use_filter(const coff_filter& tables) {
  const std::uint32_t next = skeleton_->bss->filter_active + 1;
  const std::uint32_t index = next & 1;
  if (bpf_map_update_elem(bpf_map__fd(skeleton_->maps.filters), &index, &tables, BPF_ANY) != 0) {
    return fail_errno("cannot load the kernel's filter");
  }
  std::atomic_ref(skeleton_->bss->filter_active).store(next, std::memory_order_release);
  for (size_t kind = 0; kind < COFF_KINDS; ++kind) {
    const auto* masks = &tables.applicable[kind][0][0];
    kinds_wanted_[kind] = std::any_of(masks, masks + COFF_CLASSES * COFF_OPEN_COMBINATIONS,
                                      [](std::uint64_t mask) { return mask != 0; });
  }
  // unlinkat removes directories too.
  kinds_wanted_[COFF_KIND_unlink] |= kinds_wanted_[COFF_KIND_rmdir];
  if (attached_) attach_calls();
  return {};
}

void KernelPrograms::set_self_pids(const std::vector<std::uint32_t>& pids) {
  auto& own = skeleton_->bss->self_pids;
  for (size_t at = 0; at < std::size(own); ++at) own[at] = at < pids.size() ? pids[at] : 0;
}

namespace {

// As cgroup_entry() of bpf/common.h walks.
size_t first_probe(std::uint64_t id) { return (id * 0x9E3779B97F4A7C15ULL) >> 40; }
// A removed entry: it never equals an id, and does not end a probe as 0 would.
constexpr std::uint64_t kRemoved = ~0ULL;

}  // namespace

Result<void> KernelPrograms::set_cgroup(std::uint64_t id, std::uint32_t slot, coff_class cls) {
  auto& table = skeleton_->bss->cgroups;
  coff_cgroup_entry* free_entry = nullptr;
  for (size_t probe = 0; probe < COFF_CGROUP_PROBES; ++probe) {
    auto& entry = table[(first_probe(id) + probe) & (COFF_CGROUP_ENTRIES - 1)];
    if (entry.id == id) {
      free_entry = &entry;
      break;
    }
    if (free_entry == nullptr && (entry.id == 0 || entry.id == kRemoved)) free_entry = &entry;
    if (entry.id == 0) break;
  }
  if (free_entry == nullptr) {
    return fail(Code::kLimit, "the kernel's table of control groups is full here");
  }
  free_entry->slot = slot;
  free_entry->cls = cls;
  std::atomic_ref(free_entry->id).store(id, std::memory_order_release);
  return {};
}

void KernelPrograms::forget_cgroup(std::uint64_t id) {
  auto& table = skeleton_->bss->cgroups;
  for (size_t probe = 0; probe < COFF_CGROUP_PROBES; ++probe) {
    auto& entry = table[(first_probe(id) + probe) & (COFF_CGROUP_ENTRIES - 1)];
    if (entry.id == id) std::atomic_ref(entry.id).store(kRemoved, std::memory_order_release);
  }
}

Result<void> KernelPrograms::map_counts() {
  const size_t bytes = static_cast<size_t>(libbpf_num_possible_cpus()) * COFF_SLOTS * COFF_KINDS *
                       sizeof(coff_count);
  counts_ = TRY(Mapping::map(bpf_map__fd(skeleton_->maps.counts), bytes));
  return {};
}

std::vector<KindCount> KernelPrograms::read_counts() const {
  const auto* counts = static_cast<const coff_count*>(counts_.data());
  const auto cpus = static_cast<std::uint32_t>(libbpf_num_possible_cpus());
  std::vector<KindCount> all;
  for (std::uint32_t index = 0; index < COFF_SLOTS * COFF_KINDS; ++index) {
    KindCount sum{.slot = index / COFF_KINDS, .kind = index % COFF_KINDS};
    for (std::uint32_t cpu = 0; cpu < cpus; ++cpu) {
      const coff_count& one = counts[static_cast<size_t>(cpu) * COFF_SLOTS * COFF_KINDS + index];
      sum.count.sent += one.sent;
      sum.count.filtered += one.filtered;
      sum.count.lost_ring += one.lost_ring;
      sum.count.lost_scratch += one.lost_scratch;
    }
    if (sum.count.sent + sum.count.filtered + sum.count.lost_ring + sum.count.lost_scratch != 0) {
      all.push_back(sum);
    }
  }
  return all;
}

std::uint64_t KernelPrograms::skipped_runs() const {
  std::uint64_t skipped = 0;
  bpf_program* program = nullptr;
  while ((program = bpf_object__next_program(skeleton_->obj, program)) != nullptr) {
    bpf_prog_info info{};
    std::uint32_t size = sizeof info;
    const int fd = bpf_program__fd(program);
    if (fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &size) == 0) {
      skipped += info.recursion_misses;
    }
  }
  return skipped;
}

std::uint64_t KernelPrograms::map_bytes() const {
  std::uint64_t bytes = 0;
  bpf_map* map = nullptr;
  while ((map = bpf_object__next_map(skeleton_->obj, map)) != nullptr) {
    const std::uint64_t entries = bpf_map__max_entries(map);
    const std::uint64_t value = bpf_map__value_size(map);
    switch (bpf_map__type(map)) {
      case BPF_MAP_TYPE_RINGBUF: bytes += entries; break;
      default: bytes += entries * (value + bpf_map__key_size(map)); break;
    }
  }
  return bytes;
}

}  // namespace coff::sensor
