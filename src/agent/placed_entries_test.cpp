// Numbers of a producer become sequences of the trail, and only at a place made for them.
#include "agent/placed_entries.hpp"

#include <gtest/gtest.h>

namespace coff::agent {
namespace {

TEST(PlacedEntries, FindWhatStandsInTheTrail) {
  PlacedEntries placed;
  EXPECT_FALSE(placed.find(0));
  placed.add(0, 3, 100);
  placed.add(3, 2, 110);
  EXPECT_EQ(placed.find(2), 102U);
  EXPECT_EQ(placed.find(3), 110U);
  EXPECT_FALSE(placed.find(5));
  for (std::uint64_t at = 0; at < PlacedEntries::kRunsMax; ++at) placed.add(5 + at, 1, 200 + at);
  EXPECT_FALSE(placed.find(3)) << "forgotten";
  EXPECT_EQ(placed.find(5), 200U);
}

TEST(PlacedEntries, ReferencesGoBehindABraceOnly) {
  std::string object = R"({"finding":{"id":"x"}})";
  EXPECT_TRUE(put_reference(object, object.find("\"id\""), 7));
  EXPECT_EQ(object, R"({"finding":{"entry":7,"id":"x"}})");
  const std::string before = object;
  for (const size_t offset : {size_t{0}, size_t{2}, object.size(), object.size() + 9}) {
    EXPECT_FALSE(put_reference(object, offset, 7));
  }
  EXPECT_EQ(object, before);
}

}  // namespace
}  // namespace coff::agent
