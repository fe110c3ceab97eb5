// Feeds as their publishers write them: the parts that matter, and real files where they are.
#include "exposure/feeds/feeds.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "base/clock.hpp"
#include "base/fd.hpp"
#include "exposure/feeds/json_members.hpp"

namespace coff::exposure {
namespace {

using Kind = Event::Kind;

template <typename Read>
std::vector<Advisory> all_of(Read read, std::string_view text) {
  std::vector<Advisory> found;
  const auto done = read(text, [&found](const Advisory& advisory) -> Result<void> {
    found.push_back(advisory);
    return {};
  });
  EXPECT_TRUE(done) << done.error().message();
  return found;
}

const Affected* in_ecosystem(const Advisory& advisory, std::string_view ecosystem) {
  const auto found = std::ranges::find(advisory.affected, ecosystem, &Affected::ecosystem);
  return found == advisory.affected.end() ? nullptr : &*found;
}

TEST(Feeds, DebianTrackerKeepsDecisionsApart) {
  const auto found = all_of(&read_debian_tracker, R"({
    "openssl": {
      "CVE-2014-0160": {"description": "d", "scope": "remote", "releases": {
        "bookworm": {"status": "resolved", "fixed_version": "1.0.1g-1", "urgency": "high",
          "repositories": {"bookworm": "3.0.20-1~deb12u2",
                           "bookworm-security": "3.0.17-1~deb12u2"}},
        "bullseye": {"status": "resolved", "fixed_version": "0", "urgency": "high"},
        "trixie": {"status": "open", "urgency": "unimportant"},
        "buster": {"status": "open", "urgency": "end-of-life"},
        "sid": {"status": "open", "urgency": "low", "nodsa": "Minor issue",
          "nodsa_reason": "postponed"},
        "forky": {"status": "undetermined", "urgency": "low"},
        "potato": {"status": "open", "urgency": "low"}}}},
    "a\"b": {}})");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].affected.size(), 6U);
  const Affected* bookworm = in_ecosystem(found[0], "Debian:12");
  ASSERT_NE(bookworm, nullptr);
  EXPECT_EQ(bookworm->package, "openssl");
  // The main suite may be newer than security.
  EXPECT_EQ(bookworm->available, "3.0.20-1~deb12u2");
  EXPECT_TRUE(judge(*bookworm, "1.0.1f-1").affected);
  EXPECT_FALSE(judge(*bookworm, "1.0.1g-1").affected);
  EXPECT_EQ(in_ecosystem(found[0], "Debian:11")->status, Status::kNotAffected);
  EXPECT_EQ(in_ecosystem(found[0], "Debian:13")->status, Status::kUnimportant);
  EXPECT_EQ(in_ecosystem(found[0], "Debian:10")->status, Status::kEndOfLife);
  EXPECT_EQ(in_ecosystem(found[0], "Debian:sid")->status, Status::kNoAdvisory);
  EXPECT_EQ(in_ecosystem(found[0], "Debian:sid")->note, "Minor issue (postponed)");
  EXPECT_EQ(in_ecosystem(found[0], "Debian:14")->status, Status::kUndetermined);
}

TEST(Feeds, DebianLists) {
  const auto found = all_of(&read_debian_list,
                            "[07 Apr 2014] DSA-2896-1 openssl - security update\n"
                            "\t{CVE-2014-0160 CVE-2014-0161}\n"
                            "\t[squeeze] - openssl <not-affected> (introduced later)\n"
                            "\t[wheezy] - openssl 1.0.1e-2+deb7u5\n\tNOTE: reboot\n"
                            "[08 Apr 2014] DSA-2897-1 other - security update\n"
                            "\t[wheezy] - other <unfixed>\n");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].name, "DSA-2896-1");
  EXPECT_EQ(found[0].aliases, (std::vector<std::string>{"CVE-2014-0160", "CVE-2014-0161"}));
  const Affected* wheezy = in_ecosystem(found[0], "Debian:7");
  ASSERT_NE(wheezy, nullptr);
  EXPECT_TRUE(judge(*wheezy, "1.0.1e-2+deb7u4").affected);
  EXPECT_FALSE(judge(*wheezy, "1.0.1e-2+deb7u5").affected);
  EXPECT_EQ(in_ecosystem(found[0], "Debian:6")->status, Status::kNotAffected);
  EXPECT_TRUE(judge(*in_ecosystem(found[1], "Debian:7"), "99").affected);
}

TEST(Feeds, AlpineInBothSyntaxes) {
  const auto yaml = all_of(&read_alpine,
                           "---\ndistroversion: v3.18\nreponame: main\npackages:\n  - pkg:\n"
                           "      name: openssl\n      secfixes:\n        3.0.8-r0:\n"
                           "          - CVE-2023-0286 CVE-2022-4304 (text)\n"
                           "        \"0\":\n          - CVE-2022-0001\n");
  ASSERT_EQ(yaml.size(), 3U);
  EXPECT_EQ(yaml[0].name, "CVE-2022-0001");
  EXPECT_EQ(yaml[0].affected[0].status, Status::kNotAffected);
  EXPECT_EQ(yaml[2].affected[0].ecosystem, "Alpine:v3.18");
  EXPECT_TRUE(judge(yaml[2].affected[0], "3.0.7-r2").affected);
  EXPECT_FALSE(judge(yaml[2].affected[0], "3.0.8-r0").affected);
  const auto json = all_of(&read_alpine,
                           R"({"distroversion":"3.18","packages":[{"pkg":{"name":"x",
                              "secfixes":{"1.0-r1":["CVE-2020-1"]}}}]})");
  ASSERT_EQ(json.size(), 1U);
  EXPECT_EQ(json[0].affected[0].ecosystem, "Alpine:v3.18");
}

TEST(Feeds, Osv) {
  const auto found = all_of(&read_osv, R"([{"id":"ALSA-1","aliases":["X-1"],"related":
    ["CVE-2024-1","ALSA-0"],"summary":"s","affected":[
    {"package":{"ecosystem":"AlmaLinux:9","name":"openssl-libs"},
     "ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1:3.0.7-27.el9_4"}]},
               {"type":"GIT","events":[{"introduced":"0"}]}]},
    {"package":{"ecosystem":"Strange","name":"a"},"versions":["1"]},
    {"package":{"ecosystem":"PyPI","name":"b"},"versions":["1.0"]}]},
    {"id":"GONE","withdrawn":"2024-01-01T00:00:00Z","affected":[]}])");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].aliases, (std::vector<std::string>{"X-1", "CVE-2024-1"}));
  ASSERT_EQ(found[0].affected.size(), 2U);
  EXPECT_TRUE(judge(found[0].affected[0], "1:3.0.7-25.el9").affected);
  EXPECT_FALSE(judge(found[0].affected[0], "1:3.0.7-27.el9_4").affected);
  EXPECT_TRUE(judge(found[0].affected[1], "1.0.0").affected);
}

TEST(Feeds, KevAndEpss) {
  std::int64_t published = 0;
  std::vector<std::pair<std::string, Threat>> threats;
  const auto sink = [&threats](const std::string& cve, const Threat& threat) -> Result<void> {
    threats.emplace_back(cve, threat);
    return {};
  };
  ASSERT_TRUE(read_kev(R"({"dateReleased":"2025-08-25T17:04:19.9796Z","vulnerabilities":[
      {"cveID":"CVE-2014-0160","dateAdded":"2022-05-04","knownRansomwareCampaignUse":"Known"}]})",
                       published, sink));
  EXPECT_EQ(format_time(published).substr(0, 10), "2025-08-25");
  ASSERT_EQ(threats.size(), 1U);
  EXPECT_TRUE(threats[0].second.ransomware);
  ASSERT_TRUE(
      read_epss("#model_version:v2025.03.14,score_date:2025-08-20T00:00:00+0000\n"
                "cve,epss,percentile\nCVE-1999-0001,0.01297,0.78906\n",
                published, sink));
  EXPECT_EQ(format_time(published).substr(0, 10), "2025-08-20");
  ASSERT_EQ(threats.size(), 2U);
  EXPECT_NEAR(*threats[1].second.epss, 0.01297, 1e-9);
  for (const char* bad : {"CVE-1,2,0.1\n", "CVE-1,0.1\n", "x,0.1,0.1\n", "CVE-1,0.1x,0.2\n"}) {
    EXPECT_FALSE(read_epss(bad, published, sink)) << bad;
  }
}

TEST(Feeds, MembersOfALargeObject) {
  std::vector<std::string> seen;
  const auto take = [&seen](std::string_view name, std::string_view bytes) -> Result<void> {
    seen.push_back(std::string(name) + "=" + std::string(bytes));
    return {};
  };
  ASSERT_TRUE(each_member(R"( {"a" : {"x":["}",1]} , "b\"c":2 , "d":"," } )", take));
  EXPECT_EQ(seen, (std::vector<std::string>{"a= {\"x\":[\"}\",1]} ", "b\"c=2 ", "d=\",\" "}));
  EXPECT_TRUE(each_member("{}", take));
  for (const char* bad : {"", "[", "{", R"({"a")", R"({"a":)", R"({"a":1)", R"({"a":1}x)",
                          R"({a:1})", R"({"a":"\)", R"({"a" 1})"}) {
    EXPECT_FALSE(each_member(bad, take)) << bad;
  }
}

TEST(Feeds, FormatsAreTold) {
  EXPECT_EQ(format_of("[29 Mar 2023] DSA-5380-1 x"), FeedFormat::kDebianList);
  EXPECT_EQ(format_of("#model\ncve,epss,percentile\n"), FeedFormat::kEpss);
  EXPECT_EQ(format_of(R"({"id":"X","affected":[]})"), FeedFormat::kOsv);
  for (const char* other : {"", " ", "hello", "{}", "[]",
                            "\x7f"
                            "ELF"}) {
    EXPECT_FALSE(format_of(other)) << other;
  }
}

TEST(Feeds, RealFiles) {
  const char* given = std::getenv("COFF_SHARED");
  const std::string top =
      (given != nullptr ? std::string(given) : COFF_SOURCE_DIR "/../shared") + "/data/vuln";
  if (!std::filesystem::exists(top)) GTEST_SKIP() << "there is no " << top;
  std::string name = testing::TempDir() + "coff-feeds-XXXXXX";
  ASSERT_NE(::mkdtemp(name.data()), nullptr);
  auto store = Store::open(name + "/a.db", Database::Mode::kReadWrite);
  ASSERT_TRUE(store);
  for (const char* path : {"/debian/DSA-list", "/debian/DLA-list", "/alpine/v3.11",
                           "/kev/known_exploited_vulnerabilities.json"}) {
    const auto imported = import_feeds(*store, top + path);
    ASSERT_TRUE(imported) << imported.error().message();
    EXPECT_TRUE(imported->problems.empty()) << imported->problems[0];
    EXPECT_GT(imported->entries, 1000U) << path;
  }
  const auto heartbleed = store->of_advisory("CVE-2014-0160");
  ASSERT_TRUE(heartbleed);
  bool wheezy = false;
  for (const StoredAffected& row : *heartbleed) {
    if (row.affected.ecosystem != "Debian:7") continue;
    wheezy = true;
    EXPECT_TRUE(judge(row.affected, "1.0.1e-2+deb7u4").affected);
    EXPECT_FALSE(judge(row.affected, "1.0.1e-2+deb7u20").affected);
  }
  EXPECT_TRUE(wheezy);
  EXPECT_TRUE(store->threat_of("CVE-2014-0160")->known_exploited);
  std::filesystem::remove_all(name);
}

}  // namespace
}  // namespace coff::exposure
