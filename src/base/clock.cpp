// Clocks: wall time for people, boot time for order.
#include "base/clock.hpp"

#include <ctime>

#include "base/fd.hpp"

namespace coff {

namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;

std::int64_t read_clock(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<std::int64_t>(now.tv_sec) * kNsPerSecond + now.tv_nsec;
}

// Days since 1970-01-01 of a civil date, valid for all years (Howard Hinnant's algorithm).
std::int64_t days_from_civil(std::int64_t year, unsigned month, unsigned day) {
  year -= month <= 2;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const auto year_of_era = static_cast<unsigned>(year - era * 400);
  const unsigned day_of_year = (153 * (month + (month > 2 ? -3U : 9U)) + 2) / 5 + day - 1;
  const unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + static_cast<std::int64_t>(day_of_era) - 719468;
}

bool take_digits(std::string_view& text, size_t count, unsigned& value) {
  if (text.size() < count) return false;
  value = 0;
  for (size_t at = 0; at < count; ++at) {
    if (text[at] < '0' || text[at] > '9') return false;
    value = value * 10 + static_cast<unsigned>(text[at] - '0');
  }
  text.remove_prefix(count);
  return true;
}

bool take_char(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text[0]) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

bool take_fraction(std::string_view& text, std::int64_t& nanoseconds) {
  nanoseconds = 0;
  if (!take_char(text, ".")) return true;
  std::int64_t scale = kNsPerSecond / 10;
  size_t digits = 0;
  for (unsigned digit = 0; digits < 9 && take_digits(text, 1, digit); ++digits) {
    nanoseconds += digit * scale;
    scale /= 10;
  }
  return digits > 0;
}

bool take_offset(std::string_view& text, std::int64_t& seconds) {
  seconds = 0;
  if (take_char(text, "Zz")) return true;
  const bool negative = !text.empty() && text[0] == '-';
  unsigned hours = 0;
  unsigned minutes = 0;
  if (!take_char(text, "+-") || !take_digits(text, 2, hours) || !take_char(text, ":") ||
      !take_digits(text, 2, minutes) || hours > 23 || minutes > 59) {
    return false;
  }
  seconds = static_cast<std::int64_t>(hours) * 3600 + minutes * 60;
  if (negative) seconds = -seconds;
  return true;
}

}  // namespace

std::int64_t wall_now_ns() { return read_clock(CLOCK_REALTIME); }
std::int64_t boot_now_ns() { return read_clock(CLOCK_BOOTTIME); }

const std::string& boot_id() {
  // Read once: a process that locks itself in asks before it does.
  static const std::string kId = [] {
    auto text = read_file("/proc/sys/kernel/random/boot_id", 64);
    return text ? text->substr(0, 36) : "00000000-0000-0000-0000-000000000000";
  }();
  return kId;
}

void append_time(std::string& out, std::int64_t wall_ns) {
  std::int64_t seconds = wall_ns / kNsPerSecond;
  std::int64_t fraction = wall_ns % kNsPerSecond;
  if (fraction < 0) {
    fraction += kNsPerSecond;
    --seconds;
  }
  // gmtime_r costs 50 ns; consecutive events share their second almost always.
  thread_local std::int64_t cached_seconds = -1;
  thread_local char cached[21];
  if (seconds != cached_seconds) {
    std::tm parts{};
    const std::time_t when = seconds;
    gmtime_r(&when, &parts);
    std::strftime(cached, sizeof cached, "%Y-%m-%dT%H:%M:%S.", &parts);
    cached_seconds = seconds;
  }
  out.append(cached, 20);
  char digits[10];
  for (int at = 8; at >= 0; --at) {
    digits[at] = static_cast<char>('0' + fraction % 10);
    fraction /= 10;
  }
  digits[9] = 'Z';
  out.append(digits, 10);
}

std::string format_time(std::int64_t wall_ns) {
  std::string out;
  append_time(out, wall_ns);
  return out;
}

Result<std::int64_t> parse_time(std::string_view text) {
  const std::string original(text.substr(0, 64));
  unsigned year = 0;
  unsigned month = 0;
  unsigned day = 0;
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;
  std::int64_t fraction = 0;
  std::int64_t offset = 0;
  const bool ok =
      take_digits(text, 4, year) && take_char(text, "-") && take_digits(text, 2, month) &&
      take_char(text, "-") && take_digits(text, 2, day) && take_char(text, "Tt ") &&
      take_digits(text, 2, hour) && take_char(text, ":") && take_digits(text, 2, minute) &&
      take_char(text, ":") && take_digits(text, 2, second) && take_fraction(text, fraction) &&
      take_offset(text, offset) && text.empty();
  if (!ok || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 ||
      second > 60) {
    return fail(Code::kInvalid, "not an RFC 3339 time (want 2026-01-31T12:00:00Z): " + original);
  }
  const std::int64_t seconds =
      days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset;
  return seconds * kNsPerSecond + fraction;
}

}  // namespace coff
