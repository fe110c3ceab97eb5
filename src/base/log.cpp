// The agent's own log: one JSON object a line on standard error.
#include "base/log.hpp"

#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>

#include "base/clock.hpp"
#include "base/json_writer.hpp"
#include "base/result.hpp"

namespace coff {

namespace {
std::atomic<LogLevel> current_level{LogLevel::kInfo};
}  // namespace

void set_log_level(LogLevel level) { current_level.store(level, std::memory_order_relaxed); }

void log(LogLevel level, std::string_view component, std::string_view message) {
  if (level > current_level.load(std::memory_order_relaxed)) return;
  constexpr std::string_view kNames[] = {"error", "warning", "info", "debug"};
  std::string line;
  JsonWriter json(line);
  json.begin_object()
      .member("time", format_time(wall_now_ns()))
      .member("level", kNames[static_cast<unsigned char>(level)])
      .member("component", component)
      .member("message", message)
      .end_object();
  line += '\n';
  // A log that cannot be written has nowhere to complain.
  [[maybe_unused]] const ssize_t ignored = ::write(STDERR_FILENO, line.data(), line.size());
}

void assert_failed(const char* condition, std::source_location where) {
  std::fprintf(stderr, "broken promise: %s at %s:%u in %s\n", condition, where.file_name(),
               where.line(), where.function_name());
  std::abort();
}

}  // namespace coff
