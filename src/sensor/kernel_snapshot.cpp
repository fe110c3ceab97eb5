// What was there before the agent, read from the kernel by iterators.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <atomic>

#include "sensor/kernel_programs.hpp"

// Generated; takes its types from the shared headers above.
#include "cofferdam.skel.h"

namespace coff::sensor {

namespace {

constexpr size_t kTasksBytesMax = 64U << 20;
constexpr size_t kConnectionsBytesMax = 256U << 20;  // some 700,000

Result<std::string> read_iterator(const bpf_link* iterator, const char* over, size_t bytes_max) {
  const std::string name = std::string("iterator over ") + over;
  if (iterator == nullptr) return fail(Code::kUnsupported, "this kernel has no " + name);
  const Fd reader(bpf_iter_create(bpf_link__fd(iterator)));
  if (!reader.valid()) return fail_errno("cannot start the " + name);
  return read_to_end(reader, bytes_max);
}

}  // namespace

Result<std::string> KernelPrograms::read_tasks() const {
  return read_iterator(task_iterator_.get(), "tasks", kTasksBytesMax);
}

Result<std::string> KernelPrograms::read_connections() const {
  return read_iterator(socket_iterator_.get(), "open files", kConnectionsBytesMax);
}

void KernelPrograms::use_flow_sample(std::uint32_t mask) {
  std::atomic_ref(skeleton_->bss->flow_sample_mask).store(mask, std::memory_order_relaxed);
}

}  // namespace coff::sensor
