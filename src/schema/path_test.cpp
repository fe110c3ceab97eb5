// Tests of lexical path names against the behaviour that existing rules rely on.
#include "schema/path.hpp"

#include <gtest/gtest.h>

namespace coff::schema {
namespace {

struct Case {
  const char* base;
  const char* raw;
  const char* want;
};

TEST(LexicalPath, FollowsLibsinsp) {
  constexpr Case kCases[] = {
      {"", "", ""},
      {"", "../", ""},
      {"", "..", ""},
      {"/", "../", "/"},
      {"a/", "../", ""},
      {"", "/foo", "/foo"},
      {"foo/", "..//a", "a"},
      {"/foo/", "..//a", "/a"},
      {"", "./", ""},
      {"", "dir/term", "dir/term"},
      {"", "//dir/term", "/dir/term"},
      {"/", "dir/term", "/dir/term"},
      {"", "./dir/term", "dir/term"},
      {"/", "//dir//////term", "/dir/term"},
      {"../.../", "dir/././././../../.../term/", "../.../term"},
      {"../.../", "/app/custom/dir/././././../../.../term/", "/app/.../term"},
      {"../.../", "/app/custom/dir/././././../../term/", "/app/term"},
      {"app/////", "custom////term", "app/////custom/term"},
      {"/", "////app", "/app"},
      {"heolow", "////////////..//////.////////r.|", "/r.|"},
      {"/root/", "../\xF0\x9F\x98\x80", "/\xF0\x9F\x98\x80"},
  };
  for (const Case& each : kCases) {
    EXPECT_EQ(lexical_path(each.base, each.raw), each.want) << each.base << " + " << each.raw;
  }
}

TEST(LexicalPath, JoinsAndCleans) {
  constexpr Case kCases[] = {
      {"/srv/app", "data", "/srv/app/data"},
      {"/srv/app", "../data/./x", "/srv/data/x"},
      {"/srv/app", ".", "/srv/app"},
      {"/srv/app", "..", "/srv"},
      {"/srv", "../../../../etc/passwd", "/etc/passwd"},
      {"/srv", ".hidden/..x/...", "/srv/.hidden/..x/..."},
      {"/srv", "/etc/../../etc//shadow/", "/etc/shadow"},
      {"/srv", "/", "/"},
      {"/srv", "///", "/"},
      {"/srv", "/..", "/"},
      {"/srv", "/.", "/"},
      {"/", "x", "/x"},
      {"/srv", "x/", "/srv/x"},
      {"/srv", "a/b/../../..", "/"},
      {"/srv/a", "", ""},
  };
  for (const Case& each : kCases) {
    EXPECT_EQ(lexical_path(each.base, each.raw), each.want) << each.base << " + " << each.raw;
  }
}

TEST(LexicalPath, KeepsHostileBytes) {
  EXPECT_EQ(lexical_path("/a", "b\n\x1b[31m\xff"), "/a/b\n\x1b[31m\xff");
  const std::string longest(4096, 'x');
  EXPECT_EQ(lexical_path("/" + longest, longest).size(), 2 * 4096U + 2);
}

TEST(SplitNul, KeepsEmptyAndCutElements) {
  using List = std::vector<std::string>;
  EXPECT_EQ(split_nul(""), List{});
  EXPECT_EQ(split_nul(std::string_view("a\0b\0", 4)), (List{"a", "b"}));
  EXPECT_EQ(split_nul(std::string_view("a\0\0b", 4)), (List{"a", "", "b"}));
  EXPECT_EQ(split_nul(std::string_view("\0", 1)), (List{""}));
}

}  // namespace
}  // namespace coff::schema
