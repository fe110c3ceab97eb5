// Times as text and back.
#include "base/clock.hpp"

#include <gtest/gtest.h>

namespace coff {
namespace {

TEST(Clock, FormatsAndParsesRfc3339) {
  const std::int64_t when = parse_time("2026-02-28T23:59:59.5+02:00").value();
  EXPECT_EQ(format_time(when), "2026-02-28T21:59:59.500000000Z");
  EXPECT_EQ(parse_time(format_time(when)).value(), when);
  EXPECT_EQ(parse_time("1970-01-01T00:00:00Z").value(), 0);
  EXPECT_EQ(format_time(-1), "1969-12-31T23:59:59.999999999Z");
}

TEST(Clock, RefusesWhatIsNotATime) {
  for (const char* bad : {"", "yesterday", "2026-13-01T00:00:00Z", "2026-01-01T00:00:00",
                          "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00Zx"}) {
    EXPECT_FALSE(parse_time(bad).has_value()) << bad;
  }
}

TEST(Clock, BootTimeGoesForward) {
  const std::int64_t before = boot_now_ns();
  EXPECT_GE(boot_now_ns(), before);
  EXPECT_EQ(boot_id().size(), 36U);
}

}  // namespace
}  // namespace coff
