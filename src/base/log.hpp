// The agent's own log: one JSON object a line on standard error.
#pragma once

#include <string_view>

namespace coff {

/// How loud a line is. Chosen by audience: kError wants an operator now, kWarning soon,
/// kInfo tells what the agent does, kDebug is for its developers.
enum class LogLevel : unsigned char { kError, kWarning, kInfo, kDebug };

/// Lines louder than or equal to this are written; kInfo at start. Thread-safe.
void set_log_level(LogLevel level);

/// Writes {"time":…,"level":…,"component":…,"message":…} as one write(2). Thread-safe.
void log(LogLevel level, std::string_view component, std::string_view message);

inline void log_error(std::string_view component, std::string_view message) {
  log(LogLevel::kError, component, message);
}
inline void log_warning(std::string_view component, std::string_view message) {
  log(LogLevel::kWarning, component, message);
}
inline void log_info(std::string_view component, std::string_view message) {
  log(LogLevel::kInfo, component, message);
}
inline void log_debug(std::string_view component, std::string_view message) {
  log(LogLevel::kDebug, component, message);
}

}  // namespace coff
