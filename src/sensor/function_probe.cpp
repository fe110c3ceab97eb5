// Whether kernel programs can watch a function of this kernel directly.
#include "sensor/function_probe.hpp"

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include <array>
#include <cstring>

#include "base/fd.hpp"

namespace coff::sensor {

namespace {

int function_id(const char* name) {
  btf* const types = btf__load_vmlinux_btf();
  if (types == nullptr) return -1;
  const int id = btf__find_by_name_kind(types, name, BTF_KIND_FUNC);
  btf__free(types);
  return id;
}

}  // namespace

std::string function_refusal(const char* name) {
  const int function = function_id(name);
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
}

}  // namespace coff::sensor
