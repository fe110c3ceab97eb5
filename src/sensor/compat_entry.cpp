// The 32-bit entry for system calls: how much of it this kernel lets the sensor see.
#include "sensor/compat_entry.hpp"

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include <array>
#include <cstring>

#include "base/fd.hpp"

namespace coff::sensor {

namespace {

// A function of its own since 6.9, and in older kernels that were mended against branch history
// injection. Kernels since 6.15 are built so that nothing attaches to it.
constexpr const char* kEntryFunction = "ia32_sys_call";

int function_id(const char* name) {
  btf* const types = btf__load_vmlinux_btf();
  if (types == nullptr) return -1;
  const int id = btf__find_by_name_kind(types, name, BTF_KIND_FUNC);
  btf__free(types);
  return id;
}

}  // namespace

std::string compat_entry_refusal() {
#ifdef __x86_64__
  const int function = function_id(kEntryFunction);
  if (function < 0) return "this kernel has no function of its own for it";
  // r0 = 0; exit
  constexpr std::array<bpf_insn, 2> kNothing{
      {{.code = BPF_ALU64 | BPF_MOV | BPF_K}, {.code = BPF_JMP | BPF_EXIT}}};
  LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_FENTRY,
              .attach_btf_id = static_cast<__u32>(function));
  const Fd program(bpf_prog_load(BPF_PROG_TYPE_TRACING, "coff_probe", "GPL", kNothing.data(),
                                 kNothing.size(), &options));
  if (!program.valid()) {
    return std::string("this kernel loads no program for it: ") + std::strerror(errno);
  }
  const Fd link(bpf_raw_tracepoint_open(nullptr, program.get()));
  if (!link.valid()) {
    return std::string("this kernel attaches no program to it: ") + std::strerror(errno);
  }
  return "";
#else
  return "this machine's architecture has none";
#endif
}

Blindness compat_blindness(const std::string& refusal) {
#ifdef __x86_64__
  Blindness blindness{
      .what = "single system calls made through the 32-bit entry (int 0x80)",
      .reason =
          "per-call tracepoints of this kernel do not fire for them; 32-bit programs are "
          "marked at exec, all processes stay visible, and a 64-bit process's first use is "
          "an event (compat_call)",
      .remedy = "boot with ia32_emulation=0 where 32-bit programs are not needed"};
  if (!refusal.empty()) {
    blindness.reason +=
        ", once it forks, signals or ends through it: the entry itself is not watched, " + refusal;
  }
  return blindness;
#else
  return {.what = "system calls made by 32-bit programs",
          .reason =
              "per-call tracepoints of this kernel do not fire for them; 32-bit programs are "
              "marked at exec, and all processes stay visible",
          .remedy = "a kernel without CONFIG_COMPAT where 32-bit programs are not needed"};
#endif
}

}  // namespace coff::sensor
