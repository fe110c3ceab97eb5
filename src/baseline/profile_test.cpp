// Tests of profiles as text: round trips, strictness, limits.
#include "baseline/profile.hpp"

#include <gtest/gtest.h>

#include "base/bytes.hpp"

namespace coff::baseline {
namespace {

constexpr std::size_t kMany = 5000;

Profile sample() {
  Profile profile;
  profile.service = "compose:shop/web";
  profile.state = State::kPinned;
  profile.first_wall_ns = 1'764'000'000'000'000'001;
  profile.learned_wall_ns = 1'764'000'100'000'000'000;
  profile.observed_s = 90'000;
  profile.learned_s = 86'400;
  profile.update_until_s = 7;
  profile.starts = 3;
  profile.samples = 12;
  profile.image_changed = true;
  profile.images = {"sha256:aa", "sha256:bb"};
  for (const Feature& feature : {Feature{What::kExecutable, "/bin/sh"},
                                 {What::kExecutable, "/tmp/x", true},
                                 {What::kChild, "/a > /b"},
                                 {What::kFile, "/var/log/#.log"},
                                 {What::kFile, "/cache/*"},
                                 {What::kCapability, "CAP_CHOWN"},
                                 {What::kCall, "bpf"},
                                 {What::kUser, "33"},
                                 {What::kPort, "tcp/80"}}) {
    profile.learn(feature, kMany);
  }
  profile.not_kept[1] = 5;
  profile.departures[{What::kExecutable, "!/tmp/y"}] = {
      1'764'000'000'000'000'000, 1'764'000'000'000'000'002, 4, "web-1", "!/a > /tmp/y"};
  profile.departures_untold = 9;
  return profile;
}

TEST(Profile, ReadsBackEqual) {
  const Profile profile = sample();
  const std::string text = to_json(profile);
  const auto again = parse_profile(text, kMany);
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(to_json(*again), text);
  EXPECT_EQ(again->fingerprint(), profile.fingerprint());
  EXPECT_TRUE(again->knows({What::kExecutable, "/tmp/x", true}));
  EXPECT_FALSE(again->knows({What::kExecutable, "/tmp/x", false}));
  EXPECT_TRUE(again->knows({What::kFile, "/cache/anything"}));
  EXPECT_EQ(again->departures.size(), 1U);
  EXPECT_EQ(again->images, profile.images);
}

TEST(Profile, TheFingerprintIsOfKnowledgeAlone) {
  Profile profile = sample();
  const std::string before = profile.fingerprint();
  EXPECT_EQ(before.size(), 64U);
  profile.observed_s += 5;
  profile.departures.clear();
  profile.state = State::kWatching;
  EXPECT_EQ(profile.fingerprint(), before);
  profile.learn({What::kUser, "0"}, kMany);
  EXPECT_NE(profile.fingerprint(), before);
}

// Every way in which a file may be wrong is an error that names it.
TEST(Profile, WrongFilesAreRefused) {
  const std::string good = to_json(sample());
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  };
  for (const std::string& bad : {std::string(),
                                 std::string("{}"),
                                 std::string("[]"),
                                 std::string("null"),
                                 good + "x",
                                 good.substr(0, good.size() / 2),
                                 with("\"version\":1", "\"version\":2"),
                                 with("\"version\":1", "\"version\":-1"),
                                 with("compose:shop/web", "a\\u001bb"),
                                 with("\"compose:shop/web\"", "7"),
                                 with("pinned", "pinnned"),
                                 with("90000", "-3"),
                                 with("90000", "1e300"),
                                 with("90000", "\"x\""),
                                 with("\"/bin/sh\"", "\"\""),
                                 with("\"/bin/sh\"", "\"!\""),
                                 with("\"/bin/sh\"", "7"),
                                 with("\"/bin/sh\"", "\"a\\nb\""),
                                 with("\"/cache/*\"", "\"cache\""),
                                 with("\"executable\":[", "\"executable\":{\"a\":["),
                                 with("\"image_changed\":true", "\"image_changed\":1"),
                                 with("\"what\":\"executable\"", "\"what\":\"nothing\""),
                                 with("2025-11-24", "2025-31-24"),
                                 with("sha256:aa", std::string(300, 'a')),
                                 with("\"features\"", "\"features_\"")}) {
    const auto parsed = parse_profile(bad, kMany);
    EXPECT_FALSE(parsed) << bad.substr(0, 300);
  }
  EXPECT_FALSE(parse_profile(std::string(kProfileBytesMax + 1, ' '), kMany));
  EXPECT_FALSE(parse_profile(std::string(100'000, '['), kMany));
  EXPECT_FALSE(parse_profile(good, 5)) << "more than fits";
}

TEST(Profile, ValuesHaveABudget) {
  Profile profile;
  profile.service = "image:x";
  for (int n = 0; n < 10'000; ++n) {
    profile.learn({What::kExecutable, "/" + std::to_string(n) + std::string(400, 'x')}, 10'000);
  }
  EXPECT_GT(profile.not_kept[0], 0U);
  EXPECT_LE(to_json(profile).size(), kProfileBytesMax / 2);
}

}  // namespace
}  // namespace coff::baseline
