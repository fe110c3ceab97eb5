// JSON output stays valid whatever goes in.
#include "base/json_writer.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace coff {
namespace {

TEST(JsonWriter, WritesNestedValuesInCallOrder) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().member("pid", 7).key("args").begin_array().string("-l").null().end_array();
  json.member("ok", true).member("big", std::uint64_t{18446744073709551615U}).end_object();
  EXPECT_EQ(out, R"({"pid":7,"args":["-l",null],"ok":true,"big":18446744073709551615})");
}

TEST(JsonWriter, EveryByteValueGivesValidJson) {
  for (int first = 0; first < 256; ++first) {
    for (const char* tail : {"", "x", "\x80", "\xE2\x82\xAC"}) {
      std::string out;
      JsonWriter(out).string(std::string(1, static_cast<char>(first)) + tail);
      boost::system::error_code problem;
      boost::json::parse(out, problem);
      EXPECT_FALSE(problem) << out;
    }
  }
}

TEST(JsonWriter, CountsReplacedUtf8) {
  std::string out;
  JsonWriter json(out);
  json.begin_array().string("\xFF").string("fine").string("\xED\xA0\x80").end_array();
  EXPECT_EQ(json.replaced_count(), 2U);
  EXPECT_EQ(out.find('\xFF'), std::string::npos);
}

}  // namespace
}  // namespace coff
