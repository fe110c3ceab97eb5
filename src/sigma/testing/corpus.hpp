// Where the public rules for Linux lie, for tests of the room.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

namespace coff::sigma::testing {

/// Skips where the rules are not, unless COFF_REQUIRE names data.
class Corpus : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* shared = std::getenv("COFF_SHARED");
    const std::string root = shared != nullptr ? shared : COFF_SOURCE_DIR "/../shared";
    path_ = root + "/data/sigma-linux/linux";
    if (std::filesystem::exists(path_)) return;
    const char* required = std::getenv("COFF_REQUIRE");
    const std::string_view wants = required == nullptr ? "" : required;
    ASSERT_EQ(wants.find("data"), wants.npos) << "the rules are missing: " << path_;
    GTEST_SKIP() << "the public rules are not at " << path_;
  }
  std::string path_;
};

}  // namespace coff::sigma::testing
