// Which redacted values an entry has.
#include "trail/commitments.hpp"

#include <gtest/gtest.h>

namespace coff::trail {
namespace {

const std::string kFirst(44, 'A');
const std::string kSecond(44, 'B');
const std::string kThird(44, 'C');

std::string mark(const std::string& commitment) { return "[redacted:" + commitment + "]"; }

std::string entry() {
  return R"({"v":1,"seq":7,"type":"event","process":{"args":["x","--password=)" + mark(kFirst) +
         R"(","-e)" + mark(kSecond) + " and " + mark(kFirst) + R"("],"env":["KEY=)" + mark(kThird) +
         R"("]}})";
}

TEST(Commitments, EachIsFoundOnceInItsOrder) {
  EXPECT_EQ(commitments_in(entry(), "").value(),
            (std::vector<std::string>{kFirst, kSecond, kThird}));
}

TEST(Commitments, AFieldBoundsTheSearch) {
  EXPECT_EQ(commitments_in(entry(), "process.env").value(), std::vector<std::string>{kThird});
  EXPECT_EQ(commitments_in(entry(), "process.args.1").value(), std::vector<std::string>{kFirst});
  EXPECT_TRUE(commitments_in(entry(), "process.args.0")->empty());
  for (const char* field : {"user", "process.args.3", "process.args.x", "type.x", "process..env"}) {
    EXPECT_EQ(commitments_in(entry(), field).error().code, Code::kNotFound) << field;
  }
}

TEST(Commitments, OddEntriesHaveNone) {
  for (const std::string text :
       {"{\"a\":\"[redacted]\"}", "{\"a\":\"[redacted:abc]\"}", "{\"a\":\"[redacted:\"}", "{}"}) {
    EXPECT_TRUE(commitments_in(text, "")->empty()) << text;
  }
  EXPECT_TRUE(commitments_in("{\"a\":\"[redacted:" + kFirst + "\"}", "")->empty());
  for (const char* text : {"", "[]", "{", "7"}) {
    EXPECT_EQ(commitments_in(text, "").error().code, Code::kCorrupt) << text;
  }
}

}  // namespace
}  // namespace coff::trail
