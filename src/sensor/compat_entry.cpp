// The 32-bit entry for system calls: how much of it this kernel lets the sensor see.
#include "sensor/compat_entry.hpp"

#include "sensor/function_probe.hpp"

namespace coff::sensor {

namespace {

// A function of its own since 6.9, and in older kernels that were mended against branch history
// injection. Kernels since 6.15 are built so that nothing attaches to it.
constexpr const char* kEntryFunction = "ia32_sys_call";

}  // namespace

std::string compat_entry_refusal() {
#ifdef __x86_64__
  return function_refusal(kEntryFunction);
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
