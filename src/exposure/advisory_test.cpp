// What advisories say of versions: OSV's range semantics, and how the store keeps them.
#include "exposure/advisory.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "base/fd.hpp"
#include "exposure/affected_json.hpp"
#include "exposure/store.hpp"

namespace coff::exposure {
namespace {

using Kind = Event::Kind;

Affected semver(std::vector<Range> ranges) {
  return {.ecosystem = "npm", .package = "x", .scheme = Scheme::kSemver, .ranges = ranges};
}

TEST(Judge, IntroducedAndFixed) {
  const Affected affected = semver({{{Kind::kIntroduced, "0"},
                                     {Kind::kFixed, "1.2.0"},
                                     {Kind::kIntroduced, "2.0.0"},
                                     {Kind::kFixed, "2.1.0"}}});
  EXPECT_TRUE(judge(affected, "1.1.9").affected);
  EXPECT_EQ(judge(affected, "1.1.9").fixed, "1.2.0");
  EXPECT_FALSE(judge(affected, "1.2.0").affected);
  EXPECT_FALSE(judge(affected, "1.9.9").affected);
  EXPECT_TRUE(judge(affected, "2.0.0").affected);
  EXPECT_EQ(judge(affected, "2.0.5").fixed, "2.1.0");
  EXPECT_FALSE(judge(affected, "2.1.0").affected);
}

TEST(Judge, OrderOfEventsDoesNotMatter) {
  const Affected affected = semver({{{Kind::kFixed, "2.1.0"},
                                     {Kind::kIntroduced, "2.0.0"},
                                     {Kind::kFixed, "1.2.0"},
                                     {Kind::kIntroduced, "0"}}});
  EXPECT_FALSE(judge(affected, "1.5.0").affected);
  EXPECT_TRUE(judge(affected, "2.0.1").affected);
}

TEST(Judge, LastAffectedLimitsAndLists) {
  const Affected last = semver({{{Kind::kIntroduced, "1.0.0"}, {Kind::kLastAffected, "1.5.0"}}});
  EXPECT_TRUE(judge(last, "1.5.0").affected);
  EXPECT_EQ(judge(last, "1.5.0").fixed, "");
  EXPECT_FALSE(judge(last, "1.5.1").affected);
  EXPECT_FALSE(judge(last, "0.9.0").affected);
  const Affected limited = semver({{{Kind::kIntroduced, "0"}, {Kind::kLimit, "2.0.0"}}});
  EXPECT_TRUE(judge(limited, "1.9.0").affected);
  EXPECT_FALSE(judge(limited, "2.0.0").affected);
  Affected listed = semver({});
  listed.versions = {"1.0.0", "1.0.1"};
  EXPECT_TRUE(judge(listed, "1.0.1").affected);
  EXPECT_FALSE(judge(listed, "1.0.2").affected);
}

TEST(Judge, WhatCannotBeReadIsNoFix) {
  const Affected broken = semver({{{Kind::kIntroduced, "0"}, {Kind::kFixed, "soon"}}});
  EXPECT_TRUE(judge(broken, "1.0.0").affected);
  const Affected start = semver({{{Kind::kIntroduced, "nonsense"}, {Kind::kFixed, "2.0.0"}}});
  EXPECT_TRUE(judge(start, "1.0.0").affected);
  // The installed version can't be read: it is no fixed one.
  const Affected fixed = semver({{{Kind::kIntroduced, "0"}, {Kind::kFixed, "1.0.0"}}});
  EXPECT_TRUE(judge(fixed, "unreadable").affected);
}

TEST(Judge, OfRangesThatBothHoldTheLaterFixHelps) {
  const Affected affected = semver({{{Kind::kIntroduced, "0"}, {Kind::kFixed, "1.5.0"}},
                                    {{Kind::kIntroduced, "0"}, {Kind::kFixed, "1.7.0"}}});
  EXPECT_EQ(judge(affected, "1.0.0").fixed, "1.7.0");
  const Affected open =
      semver({{{Kind::kIntroduced, "0"}}, {{Kind::kIntroduced, "0"}, {Kind::kFixed, "1.7.0"}}});
  EXPECT_EQ(judge(open, "1.0.0").fixed, "");
}

TEST(Judge, NotAffectedStaysSo) {
  Affected affected = semver({{{Kind::kIntroduced, "0"}}});
  affected.status = Status::kNotAffected;
  EXPECT_FALSE(judge(affected, "1.0.0").affected);
}

TEST(AffectedJson, ComesBackAsItWas) {
  Affected affected{.scheme = Scheme::kDebian,
                    .status = Status::kNoAdvisory,
                    .ranges = {{{Kind::kIntroduced, "0"}, {Kind::kFixed, "1:2.0-1~deb12u1"}},
                               {{Kind::kIntroduced, "3"}, {Kind::kLastAffected, "4"}}},
                    .versions = {"9", "10"},
                    .available = "5",
                    .note = "minor \"issue\""};
  const auto back = affected_of(to_json(affected));
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(*back, affected);
  for (const char* bad : {"", "{}", "[]", R"({"scheme":"debian","status":"so"})",
                          R"({"scheme":"debian","status":"affected","ranges":[[{"x":"1"}]]})"}) {
    EXPECT_FALSE(affected_of(bad)) << bad;
  }
}

class StoreTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "coff-store-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    dir_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }
  [[nodiscard]] Result<Store> open() const {
    return Store::open(dir_ + "/a.db", Database::Mode::kReadWrite);
  }
  static Advisory advisory(const std::string& name, const std::string& alias) {
    Affected affected = semver({{{Kind::kIntroduced, "0"}, {Kind::kFixed, "2.0.0"}}});
    return {.name = name, .aliases = {alias}, .summary = "s", .affected = {affected}};
  }

  std::string dir_;
};

TEST_F(StoreTest, AnImportReplacesTheFormerOneAsAWhole) {
  auto store = open();
  ASSERT_TRUE(store) << store.error().message();
  {
    auto import = store->begin("osv x", "/a");
    ASSERT_TRUE(import);
    ASSERT_TRUE(import->add(advisory("GHSA-1", "CVE-1")));
    ASSERT_TRUE(import->add(advisory("GHSA-2", "CVE-2")));
    ASSERT_TRUE(import->finish(0));
  }
  ASSERT_EQ(store->of_advisory("CVE-2")->size(), 1U);
  EXPECT_EQ(store->of_advisory("CVE-2")->front().advisory, "GHSA-2");
  EXPECT_EQ(store->of_package("npm", "x")->size(), 2U);
  EXPECT_EQ(store->names_of("CVE-1").value(), (std::vector<std::string>{"CVE-1", "GHSA-1"}));
  {
    auto import = store->begin("osv x", "/a");
    ASSERT_TRUE(import);
    ASSERT_TRUE(import->add(advisory("GHSA-3", "CVE-3")));
    ASSERT_TRUE(import->mark());
    ASSERT_TRUE(import->add(advisory("GHSA-4", "CVE-4")));
    ASSERT_TRUE(import->undo());
    ASSERT_TRUE(import->finish(0));
  }
  EXPECT_EQ(store->of_advisory("CVE-2")->size(), 0U);
  EXPECT_EQ(store->of_advisory("CVE-3")->size(), 1U);
  EXPECT_EQ(store->of_advisory("CVE-4")->size(), 0U);
  ASSERT_EQ(store->feeds()->size(), 1U);
  EXPECT_EQ(store->feeds()->front().entries, 1U);
}

TEST_F(StoreTest, AnImportWithoutEndChangesNothing) {
  auto store = open();
  ASSERT_TRUE(store);
  {
    auto import = store->begin("osv x", "/a");
    ASSERT_TRUE(import);
    ASSERT_TRUE(import->add(advisory("GHSA-1", "CVE-1")));
  }
  EXPECT_EQ(store->feeds()->size(), 0U);
  EXPECT_EQ(store->of_advisory("CVE-1")->size(), 0U);
}

TEST_F(StoreTest, BuildsAreBelievedInTheirContainerAlone) {
  auto store = open();
  ASSERT_TRUE(store);
  ASSERT_TRUE(store->learn("c1", {{"ab", "libssl3", "3.0.17", "openssl", "3.0.17"}}));
  EXPECT_EQ(store->learned("c1")->at("ab").version, "3.0.17");
  EXPECT_TRUE(store->learned("")->empty());
}

TEST_F(StoreTest, AnotherFormatIsRefused) {
  {
    auto database = Database::open(dir_ + "/a.db", Database::Mode::kReadWrite);
    ASSERT_TRUE(database && database->execute("PRAGMA user_version=99"));
  }
  const auto store = open();
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, Code::kUnsupported);
  EXPECT_FALSE(Store::open(dir_ + "/none.db", Database::Mode::kReadOnly));
}

}  // namespace
}  // namespace coff::exposure
