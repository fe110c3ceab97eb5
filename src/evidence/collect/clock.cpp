// The host's clocks, boot, kernel and load, read first: every other time is told by them.
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.hpp"
#include "base/json_writer.hpp"
#include "evidence/collect/step.hpp"

namespace coff::evidence {
namespace {

std::int64_t now_ns(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

std::string clocks() {
  timex state{};
  const int synchronized = ::adjtimex(&state);
  std::string text;
  JsonWriter(text)
      .begin_object()
      .member("realtime", format_time(wall_now_ns()))
      .member("realtime_ns", now_ns(CLOCK_REALTIME))
      .member("monotonic_ns", now_ns(CLOCK_MONOTONIC))
      .member("boottime_ns", now_ns(CLOCK_BOOTTIME))
      .member("tai_ns", now_ns(CLOCK_TAI))
      .member("ticks_per_second", static_cast<std::int64_t>(::sysconf(_SC_CLK_TCK)))
      .member("boot_id", boot_id())
      .member("ntp_synchronized", synchronized >= 0 && synchronized != TIME_ERROR)
      .member("ntp_estimated_error_us", static_cast<std::int64_t>(state.esterror))
      .member("ntp_maximum_error_us", static_cast<std::int64_t>(state.maxerror))
      .end_object();
  return text + "\n";
}

}  // namespace

Result<void> collect_clock(Collection& collection) {
  TRY(collection.bundle.put("meta/clock.json", clocks(), "clock_gettime, adjtimex"));
  for (const char* name : {"version", "uptime", "loadavg", "cmdline"}) {
    TRY(collection.copy_text(std::string("/proc/") + name, std::string("meta/host-") + name));
  }
  return {};
}

}  // namespace coff::evidence
