// Tests of the tree of written files: it stays small, and what went in is found again.
#include "baseline/path_tree.hpp"

#include <gtest/gtest.h>

#include <random>

namespace coff::baseline {
namespace {

TEST(PathTree, KnowsWhatWentIn) {
  PathTree tree;
  EXPECT_TRUE(tree.add("/var/log/a"));
  EXPECT_FALSE(tree.add("/var/log/a"));
  EXPECT_FALSE(tree.add("/"));
  EXPECT_FALSE(tree.add(""));
  EXPECT_TRUE(tree.contains("/var/log/a"));
  EXPECT_TRUE(tree.contains("//var//log/a/"));
  EXPECT_FALSE(tree.contains("/var/log"));
  EXPECT_FALSE(tree.contains("/var/log/a/b"));
  EXPECT_FALSE(tree.contains("/var/log/b"));
  EXPECT_EQ(tree.size(), 3U);
  EXPECT_EQ(tree.bytes(), 7U);
}

TEST(PathTree, ManyNamesOfOneFolderAreAnyName) {
  PathTree tree;
  for (std::size_t n = 0; n < PathTree::kNamesMax; ++n)
    tree.add("/data/cache/" + std::string(n + 1, 'x'));
  EXPECT_FALSE(tree.contains("/data/cache/other"));
  tree.add("/data/cache/one-more");
  EXPECT_TRUE(tree.contains("/data/cache/other"));
  EXPECT_FALSE(tree.contains("/data/cache/other/below"));
  EXPECT_FALSE(tree.contains("/data/other"));
  EXPECT_EQ(tree.paths(), std::vector<std::string>{"/data/cache/*"});
}

TEST(PathTree, FoldersDoSoToo) {
  PathTree tree;
  for (int n = 0; n <= 20; ++n) {
    const std::string folder = "/home/all/" + std::string(static_cast<std::size_t>(n) + 1, 'u');
    tree.add(folder + "/.cache/index");
    tree.add(folder + "/mail");
  }
  EXPECT_EQ(tree.paths(),
            (std::vector<std::string>{"/home/all/*/.cache/index", "/home/all/*/mail"}));
  EXPECT_TRUE(tree.contains("/home/all/eve/mail"));
  EXPECT_FALSE(tree.contains("/home/all/eve/.ssh/authorized_keys"));
}

TEST(PathTree, NearTheRootNamesStay) {
  PathTree tree;
  for (char c = 'a'; c <= 'z'; ++c) {
    tree.add(std::string("/") + c + "/f");
    tree.add(std::string("/var/") + c);
  }
  EXPECT_FALSE(tree.contains("/other/f"));
  EXPECT_FALSE(tree.contains("/var/other"));
}

// Whatever goes in, in whatever order, is found for good.
TEST(PathTree, NothingIsEverLost) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    PathTree tree;
    std::vector<std::string> in;
    for (int n = 0; n < 300; ++n) {
      std::string path;
      const std::size_t depth = 1 + random() % 6;
      for (std::size_t level = 0; level < depth; ++level) {
        path += '/';
        path += random() % 10 == 0 ? "*" : std::string(1 + random() % 30, 'a');
      }
      in.push_back(path);
      tree.add(path);
    }
    for (const std::string& path : in) ASSERT_TRUE(tree.contains(path)) << path;
    PathTree again;
    for (const std::string& path : tree.paths()) again.add(path);
    for (const std::string& path : in) ASSERT_TRUE(again.contains(path)) << path;
  }
}

TEST(PathTree, DeepPathsCost) {
  PathTree tree;
  std::string deep;
  for (int n = 0; n < 2000; ++n) deep += "/a";
  tree.add(deep);
  EXPECT_TRUE(tree.contains(deep));
  EXPECT_LE(tree.size(), PathTree::kDepthMax);
}

}  // namespace
}  // namespace coff::baseline
