// Questions and their findings, on roots made here: owned, deleted, unowned, and never mixed.
#include "exposure/answer.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>

namespace coff::exposure {
namespace {

using inventory::Package;
using inventory::PackageType;
using Kind = Event::Kind;

Package deb(const std::string& name, const std::string& version, const std::string& source) {
  return {.type = PackageType::kDeb,
          .name = name,
          .version = version,
          .source = source,
          .source_version = version};
}

ScannedFile file(const std::string& path, std::ptrdiff_t owner, const std::string& build_id) {
  ScannedFile scanned;
  scanned.mapped.path = path;
  scanned.mapped.processes = {0};
  scanned.owner = owner;
  scanned.evidence.identity.build_id = build_id;
  scanned.evidence.identity.soname = path.substr(path.rfind('/') + 1);
  return scanned;
}

class AnswerTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "coff-answer-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    dir_ = name;
    auto store = Store::open(dir_ + "/a.db", Database::Mode::kReadWrite);
    ASSERT_TRUE(store);
    store_ = std::make_unique<Store>(std::move(*store));
    auto import = store_->begin("test", "/test");
    ASSERT_TRUE(import);
    Advisory advisory{.name = "CVE-2099-1"};
    for (const auto& [ecosystem, fixed] :
         {std::pair("Debian:12", "3.0.20-1"), std::pair("Debian:sid", "3.0.18-1")}) {
      advisory.affected.push_back({.ecosystem = ecosystem,
                                   .package = "openssl",
                                   .scheme = Scheme::kDebian,
                                   .ranges = {{{Kind::kIntroduced, "0"}, {Kind::kFixed, fixed}}}});
    }
    ASSERT_TRUE(import->add(advisory));
    ASSERT_TRUE(import->finish(0));
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  static ScannedRoot root(const std::string& version) {
    ScannedRoot made{.container = std::string(64, 'a'),
                     .system = {.id = "debian", .version = "12", .codename = "bookworm"}};
    made.packages = {deb("libssl3", version, "openssl"), deb("zlib1g", "1.2", "zlib")};
    made.processes = {{.pid = 7, .start_ticks = 100, .user = 33, .name = "ser\x1bver"}};
    return made;
  }
  Answer ask(const std::string& text, ScannedRoot one) {
    Scan scan{.processes = 1};
    scan.roots.push_back(std::move(one));
    const auto question = question_of(text);
    EXPECT_TRUE(question);
    auto answer = answer_question(*question, scan, *store_);
    EXPECT_TRUE(answer) << answer.error().message();
    return answer ? std::move(*answer) : Answer{};
  }

  std::string dir_;
  std::unique_ptr<Store> store_;
};

TEST(Questions, SubjectIsTold) {
  EXPECT_EQ(question_of("CVE-2014-0160")->subject, Subject::kAdvisory);
  EXPECT_EQ(question_of("ALSA-2024:1")->subject, Subject::kAdvisory);
  EXPECT_EQ(question_of("libssl.so.3")->subject, Subject::kLibrary);
  EXPECT_EQ(question_of("/opt/a")->subject, Subject::kLibrary);
  EXPECT_EQ(question_of("A939" + std::string(36, 'B'))->text, "a939" + std::string(36, 'b'));
  EXPECT_EQ(question_of("libssl3")->subject, Subject::kPackage);
  EXPECT_EQ(question_of("node-x")->subject, Subject::kPackage);
  for (const char* bad : {"", " ", "a b", "a\x1b"}) EXPECT_FALSE(question_of(bad)) << bad;
}

TEST_F(AnswerTest, MappedIsAboveOnDisk) {
  ScannedRoot mapped = root("3.0.17-1");
  mapped.files = {file("/usr/lib/libssl.so.3", 0, "aa"), file("/usr/lib/libz.so.1", 1, "bb")};
  const Answer answer = ask("CVE-2099-1", mapped);
  ASSERT_EQ(answer.findings.size(), 1U);
  EXPECT_EQ(answer.findings[0].grade, Grade::kMappedNow);
  EXPECT_EQ(answer.findings[0].processes[0].pid, 7);
  EXPECT_EQ(answer.findings[0].concerns[0].fixed, "3.0.20-1");
  const Answer disk = ask("CVE-2099-1", root("3.0.17-1"));
  ASSERT_EQ(disk.findings.size(), 1U);
  EXPECT_EQ(disk.findings[0].grade, Grade::kOnDiskOwned);
  EXPECT_TRUE(ask("CVE-2099-1", root("3.0.20-1")).findings.empty());
}

TEST_F(AnswerTest, ADeletedFileHasItsOwnVersion) {
  ScannedRoot upgraded = root("3.0.20-1");
  upgraded.files = {file("/usr/lib/libssl.so.3", 0, "aa")};
  upgraded.files[0].mapped.deleted = true;
  Answer answer = ask("CVE-2099-1", upgraded);
  ASSERT_EQ(answer.findings.size(), 1U);
  EXPECT_EQ(answer.findings[0].certainty, Certainty::kPresumed);
  ASSERT_TRUE(
      store_->learn(upgraded.container, {{"aa", "libssl3", "3.0.17-1", "openssl", "3.0.17-1"}}));
  answer = ask("CVE-2099-1", upgraded);
  ASSERT_EQ(answer.findings.size(), 1U);
  EXPECT_EQ(answer.findings[0].certainty, Certainty::kConfirmed);
  EXPECT_EQ(answer.findings[0].version, "3.0.17-1");
  ASSERT_TRUE(
      store_->learn(upgraded.container, {{"aa", "libssl3", "3.0.20-1", "openssl", "3.0.20-1"}}));
  EXPECT_TRUE(ask("CVE-2099-1", upgraded).findings.empty());
  // What another container said is not believed here.
  upgraded.container = std::string(64, 'b');
  EXPECT_EQ(ask("CVE-2099-1", upgraded).findings.size(), 1U);
}

TEST_F(AnswerTest, NobodysFileIsNeverFine) {
  ScannedRoot bare{.container = std::string(64, 'c')};
  bare.processes = root("1").processes;
  bare.files = {file("/node", -1, "")};
  bare.files[0].evidence.static_openssl = true;
  bare.files[0].evidence.openssl_versions = {"3.0.17"};
  const Answer answer = ask("CVE-2099-1", bare);
  ASSERT_EQ(answer.findings.size(), 1U);
  EXPECT_EQ(answer.findings[0].certainty, Certainty::kUnconfirmed);
  EXPECT_EQ(answer.findings[0].version, "3.0.17");
  EXPECT_FALSE(answer.remarks.empty());
  // Unstable's fix tells upstream's: 3.0.18 is not reported.
  bare.files[0].evidence.openssl_versions = {"3.0.18"};
  EXPECT_TRUE(ask("CVE-2099-1", bare).findings.empty());
}

TEST_F(AnswerTest, ASystemThatNoFeedSpeaksOfIsNamed) {
  ScannedRoot other = root("3.0.17-1");
  other.system.version = "11";
  const Answer answer = ask("CVE-2099-1", other);
  EXPECT_TRUE(answer.findings.empty());
  ASSERT_EQ(answer.remarks.size(), 1U);
  EXPECT_NE(answer.remarks[0].find("proves nothing"), std::string::npos);
  const auto question = question_of("CVE-1999-1");
  const auto unknown = answer_question(*question, {}, *store_);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, Code::kNotFound);
}

TEST_F(AnswerTest, OutputIsCleanWhateverTheNames) {
  ScannedRoot mapped = root("3.0.17-1");
  mapped.files = {file("/usr/lib/=cmd|\"x\"\n.so", 0, "aa")};
  const Answer answer = ask("openssl", mapped);
  boost::json::error_code problem;
  const auto value = boost::json::parse(to_json(answer), problem);
  ASSERT_FALSE(problem) << problem.message();
  EXPECT_EQ(value.at("findings").as_array().size(), 1U);
  for (const std::string& text : {to_text(answer), to_csv(answer)}) {
    EXPECT_TRUE(std::ranges::all_of(text, [](char c) { return c == '\n' || c >= ' ' || c < 0; }))
        << text;
  }
  const std::string csv = to_csv(answer);
  EXPECT_EQ(std::ranges::count(csv, '\n'), 2);
}

}  // namespace
}  // namespace coff::exposure
