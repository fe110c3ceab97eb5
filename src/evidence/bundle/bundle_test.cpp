// Bundles without a container: custody, resuming, sealing, what a verifier finds wrong.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/clock.hpp"
#include "evidence/bundle/seal.hpp"
#include "evidence/bundle/store.hpp"
#include "evidence/bundle/verify.hpp"

namespace coff::evidence {
namespace {

namespace fs = std::filesystem;
constexpr std::uint64_t kPlenty = std::uint64_t{1} << 30U;

class BundleTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "coff-bundle-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    dir_ = name;
    auto key = trail::SigningKey::generate();
    ASSERT_TRUE(key);
    key_ = std::move(*key);
  }
  void TearDown() override { fs::remove_all(dir_); }

  [[nodiscard]] std::string open_folder() const { return dir_ + "/x" + std::string(kOpenEnding); }
  [[nodiscard]] std::string text(const std::string& path) const {
    return read_file(path, kPlenty).value_or("");
  }
  Result<Sealed> seal_it(OpenBundle& bundle) {
    SealFacts facts{.id = "x", .begun_wall_ns = wall_now_ns()};
    facts.signers.push_back({.role = "host", .name = "", .key = &*key_});
    return seal(bundle, facts);
  }
  static std::size_t problems(const std::string& folder) {
    const auto found = verify_bundle(folder, {.trusted_pem = {}, .continuation = ""});
    EXPECT_TRUE(found) << found.error().message();
    return found ? found->problems.size() : 999;
  }

  std::string dir_;
  std::optional<trail::SigningKey> key_;
};

TEST_F(BundleTest, SealsAndShowsEveryFlippedByteOfTheSignedPart) {
  auto bundle = OpenBundle::create(open_folder(), kPlenty);
  ASSERT_TRUE(bundle) << bundle.error().message();
  EXPECT_TRUE(bundle->begin_step("one", 1));
  ASSERT_TRUE(bundle->put("a/b.txt", "content", "somewhere"));
  bundle->gap("a\nname/..", "a reason");
  ASSERT_TRUE(bundle->end_step("done"));
  const auto sealed = seal_it(*bundle);
  ASSERT_TRUE(sealed) << sealed.error().message();
  EXPECT_EQ(sealed->gaps, 1U);
  EXPECT_EQ(problems(sealed->folder), 0U);
  std::size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(sealed->folder)) {
    if (!entry.is_regular_file()) continue;
    ++files;
    const std::string path = entry.path().string();
    const std::string before = text(path);
    std::string flipped = before;
    flipped[flipped.size() / 2] = static_cast<char>(flipped[flipped.size() / 2] ^ 4);
    std::ofstream(path, std::ios::binary) << flipped;
    const auto found = verify_bundle(sealed->folder, {.trusted_pem = {}, .continuation = ""});
    EXPECT_TRUE(!found || !found->problems.empty()) << path;
    std::ofstream(path, std::ios::binary) << before;
  }
  EXPECT_GE(files, 10U);
  EXPECT_EQ(problems(sealed->folder), 0U);
  fs::remove(sealed->folder + "/sig/manifest.host");
  EXPECT_GT(problems(sealed->folder), 0U);
}

TEST_F(BundleTest, TheQuotaIsAnErrorAndLeavesNoFile) {
  auto bundle = OpenBundle::create(open_folder(), 10);
  ASSERT_TRUE(bundle);
  bundle->begin_step("one", 1);
  const auto kept = bundle->put("a", "more than ten bytes", "");
  ASSERT_FALSE(kept);
  EXPECT_EQ(kept.error().code, Code::kLimit);
  EXPECT_FALSE(fs::exists(open_folder() + "/a"));
}

TEST_F(BundleTest, AnInterruptedOneGoesOnWhereItWas) {
  {
    auto bundle = OpenBundle::create(open_folder(), kPlenty);
    ASSERT_TRUE(bundle);
    bundle->begin_step("one", 1);
    ASSERT_TRUE(bundle->put("a", "whole", ""));
    ASSERT_TRUE(bundle->end_step("done"));
    bundle->begin_step("two", 2);
    ASSERT_TRUE(bundle->put("b", "of a step that did not end", ""));
  }
  std::ofstream(open_folder() + "/" + std::string(kOrderFile), std::ios::app) << "{\"seq\":";
  auto bundle = OpenBundle::resume(open_folder(), kPlenty);
  ASSERT_TRUE(bundle) << bundle.error().message();
  EXPECT_FALSE(bundle->begin_step("one", 1));
  EXPECT_TRUE(bundle->begin_step("two", 2));
  EXPECT_FALSE(fs::exists(open_folder() + "/b"));
  EXPECT_EQ(bundle->gaps(), 1U);
  ASSERT_TRUE(bundle->put("b", "again", ""));
  ASSERT_TRUE(bundle->end_step("done"));
  const auto sealed = seal_it(*bundle);
  ASSERT_TRUE(sealed) << sealed.error().message();
  EXPECT_EQ(problems(sealed->folder), 0U);
}

TEST_F(BundleTest, CustodyIsAChain) {
  const std::string path = dir_ + "/custody.jsonl";
  {
    auto custody = Custody::open(path, CustodyHead{});
    ASSERT_TRUE(custody);
    for (const char* action : {"begin", "collect", "seal"}) {
      ASSERT_TRUE(custody->append({.actor = "a\"\n", .action = action}));
    }
  }
  const std::string lines = text(path);
  const auto head = check_custody(lines, CustodyHead{});
  ASSERT_TRUE(head);
  EXPECT_EQ(head->count, 3U);
  const std::size_t first = lines.find('\n') + 1;
  const std::size_t second = lines.find('\n', first) + 1;
  EXPECT_FALSE(check_custody(lines.substr(first), CustodyHead{})) << "the first is missing";
  EXPECT_FALSE(check_custody(lines.substr(0, first) + lines.substr(second), CustodyHead{}));
  EXPECT_FALSE(check_custody(lines.substr(0, lines.size() - 1), CustodyHead{})) << "cut";
  std::string changed = lines;
  changed[lines.find("collect")] = 'x';
  EXPECT_FALSE(check_custody(changed, CustodyHead{}));
}

TEST_F(BundleTest, NamesOfBundlesAreSafe) {
  const std::string id = new_bundle_id("../a b\n", "0123456789abcdef", 0);
  EXPECT_EQ(id, "---a-b-_0123456789ab_19700101T000000Z");
  fs::create_directory(dir_ + "/open");
  fs::permissions(dir_ + "/open", fs::perms::all);
  EXPECT_FALSE(Store::open_existing(dir_ + "/open")) << "anybody can write there";
  const auto store = Store::open(dir_ + "/store");
  ASSERT_TRUE(store) << store.error().message();
  EXPECT_TRUE(store->host_key());
  EXPECT_FALSE(store->left_bytes(0));
}

}  // namespace
}  // namespace coff::evidence
