// Every observed system call has this architecture's number, or is known not to exist on it.
#include "sensor/calls.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <vector>

namespace coff::sensor {
namespace {

#if defined(__aarch64__)
// The generic table has only the forms with a directory descriptor or flags.
const std::vector<std::string_view> kNotHere = {"chmod", "chown",   "creat", "dup2", "lchown",
                                                "link",  "mkdir",   "mknod", "open", "rename",
                                                "rmdir", "symlink", "unlink"};
#else
const std::vector<std::string_view> kNotHere;
#endif

TEST(Calls, OnlyCallsThatTheArchitectureLacksHaveNoNumber) {
  std::vector<std::string_view> absent;
  for (const ObservedCall& call : observed_calls()) {
    if (call.number < 0) absent.emplace_back(call.name);
  }
  std::ranges::sort(absent);
  EXPECT_EQ(absent, kNotHere);
}

TEST(Calls, NumbersAreDistinctAndTheTableHasThemAll) {
  const auto table = call_table();
  std::set<int> numbers;
  for (const ObservedCall& call : observed_calls()) {
    if (call.number < 0) continue;
    ASSERT_LT(call.number, COFF_CALL_NUMBERS) << call.name;
    EXPECT_TRUE(numbers.insert(call.number).second) << call.name;
    EXPECT_EQ(table[static_cast<size_t>(call.number)].call, call.description.call) << call.name;
  }
  EXPECT_GT(numbers.size(), 80U);
  const auto used = std::ranges::count_if(
      table, [](const coff_call_desc& row) { return row.kind != COFF_KINDS; });
  EXPECT_EQ(static_cast<size_t>(used), numbers.size());
}

}  // namespace
}  // namespace coff::sensor
