// Tests of the files of profiles: they come back, and whatever else lies there does no harm.
#include "agent/profile_store.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "agent/test_agent.hpp"
#include "base/bytes.hpp"

namespace coff::agent {
namespace {

constexpr std::size_t kMany = 1000;

baseline::Profile profile_of(const std::string& service) {
  baseline::Profile profile;
  profile.service = service;
  profile.learn({baseline::What::kUser, "33"}, kMany);
  return profile;
}

std::string path_in(const std::string& directory, const std::string& service) {
  const Hash hash = sha256(service);
  return directory + '/' + to_hex(std::span(hash).first(16)) + ".json";
}

TEST(ProfileStore, KeepsReplacesAndRemoves) {
  const test::TemporaryDirectory directory;
  {
    ProfileStore store(directory.path());
    EXPECT_TRUE(store.load(kMany).profiles.empty());
    store.write("image:a", baseline::to_json(profile_of("image:a")));
    store.write("image:b", baseline::to_json(profile_of("image:b")));
    store.flush();
    EXPECT_EQ(store.written(), 2U);
    baseline::Profile changed = profile_of("image:b");
    changed.state = baseline::State::kPinned;
    store.write("image:b", baseline::to_json(changed));
    store.write("image:a", "");
    store.write("image:never", "");
  }  // Writes what is waiting.
  struct stat status{};
  ASSERT_EQ(::stat(path_in(directory.path(), "image:b").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  ProfileStore store(directory.path());
  const LoadedProfiles loaded = store.load(kMany);
  EXPECT_TRUE(loaded.problems.empty());
  ASSERT_EQ(loaded.profiles.size(), 1U);
  EXPECT_EQ(loaded.profiles[0].service, "image:b");
  EXPECT_EQ(loaded.profiles[0].state, baseline::State::kPinned);
}

TEST(ProfileStore, WhatIsNoProfileIsNamedAndPutAside) {
  const test::TemporaryDirectory directory;
  const std::string good = baseline::to_json(profile_of("image:a"));
  const std::string& dir = directory.path();
  std::ofstream(path_in(dir, "image:a")) << good;
  std::ofstream(dir + "/0123456789abcdef0123456789abcdef.json") << good;
  std::ofstream(dir + "/broken.json") << good.substr(0, good.size() / 2);
  std::ofstream(dir + "/large.json") << std::string(baseline::kProfileBytesMax + 1, ' ');
  std::ofstream(dir + "/notes.txt") << "not ours";
  std::filesystem::create_symlink("/etc/passwd", dir + "/link.json");
  ASSERT_EQ(::mkfifo((dir + "/pipe.json").c_str(), 0600), 0);
  std::filesystem::create_directory(dir + "/folder.json");
  const ProfileStore store(dir);
  const LoadedProfiles loaded = store.load(kMany);
  ASSERT_EQ(loaded.profiles.size(), 1U);
  EXPECT_EQ(loaded.problems.size(), 6U);
  for (const std::string& problem : loaded.problems) {
    EXPECT_EQ(problem.find("root:"), std::string::npos) << problem;
  }
  EXPECT_TRUE(std::filesystem::exists(dir + "/broken.json.bad"));
  EXPECT_TRUE(std::filesystem::exists(dir + "/notes.txt"));
  EXPECT_TRUE(store.load(kMany).problems.empty()) << "they are put aside once";
}

TEST(ProfileStore, ADirectoryThatIsMissingIsAProblemOfWriting) {
  ProfileStore store("/nonexistent/baseline");
  EXPECT_TRUE(store.load(kMany).problems.empty());
  store.write("image:a", "{}");
  store.flush();
  EXPECT_EQ(store.failed(), 1U);
  EXPECT_NE(store.take_problem(), "");
  EXPECT_EQ(store.take_problem(), "");
}

}  // namespace
}  // namespace coff::agent
