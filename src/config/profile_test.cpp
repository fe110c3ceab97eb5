// The recording profile: named ones, the kernel's share, the decision about each event; roles.
#include "config/profile.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "config/config.hpp"

namespace coff::config {
namespace {

ProfileSettings settings_of(std::string_view yaml) {
  Parsed parsed = parse_config(yaml, "test.yaml");
  EXPECT_TRUE(parsed.problems.empty())
      << (parsed.problems.empty() ? "" : to_text(parsed.problems[0]));
  return parsed.config.profile;
}

Event open_of(std::string name, std::uint32_t flags, bool in_container = true) {
  Event event;
  event.kind = Kind::open;
  event.detail =
      FileInfo{.path = {.raw = "x", .name = std::move(name), .resolved = ""}, .open_flags = flags};
  if (in_container) event.container = std::make_shared<Container>();
  return event;
}

Event plain(Kind kind) {
  Event event;
  event.kind = kind;
  return event;
}

TEST(Profile, NamedProfilesReadAndFitTheKernel) {
  for (const std::string_view name : kProfileNames) {
    const ProfileSettings settings{std::string(name), {}};
    const KernelFilter filter = kernel_filter(settings);
    EXPECT_GE(filter.clauses.size(), 3U);
    EXPECT_LE(filter.clauses.size() + kProfileClausesMax, size_t{COFF_CLAUSES});
    for (const FilterClause& clause : filter.clauses) EXPECT_FALSE(clause.kinds.empty());
  }
}

TEST(Profile, FullAsksForEveryKind) {
  std::array<bool, COFF_KINDS> asked{};
  for (const auto& clause : kernel_filter({"full", {}}).clauses) {
    for (const unsigned kind : clause.kinds) asked.at(kind) = true;
  }
  asked[COFF_KIND_api] = true;  // becomes entries of its own, which no profile holds back
  for (size_t kind = 0; kind < asked.size(); ++kind) EXPECT_TRUE(asked[kind]) << kind;
}

TEST(Profile, DefaultKeepsWhatMattersAndDropsOrdinaryWork) {
  const RecordingProfile profile{ProfileSettings{}};
  EXPECT_EQ(profile.decide(plain(Kind::exec)), Recording::kTrail);
  EXPECT_EQ(profile.decide(plain(Kind::connect)), Recording::kTrail);
  EXPECT_EQ(profile.decide(plain(Kind::unshare)), Recording::kTrail);
  EXPECT_EQ(profile.decide(plain(Kind::module_load)), Recording::kTrail);
  EXPECT_EQ(profile.decide(plain(Kind::sendto)), Recording::kNone);
  EXPECT_EQ(profile.decide(plain(Kind::container_start)), Recording::kTrail);
  EXPECT_EQ(profile.decide(plain(Kind::process_seen)), Recording::kTrail);
  EXPECT_EQ(profile.decide(open_of("/etc/shadow", O_RDONLY)), Recording::kTrail);
  EXPECT_EQ(profile.decide(open_of("/proc/7/environ", O_RDONLY)), Recording::kTrail);
  EXPECT_EQ(profile.decide(open_of("/etc/hosts", O_RDONLY)), Recording::kNone);
  EXPECT_EQ(profile.decide(open_of("/etc/hosts", O_WRONLY)), Recording::kTrail);
  EXPECT_EQ(profile.decide(open_of("/usr/bin/ls", O_RDWR, false)), Recording::kTrail);
  EXPECT_EQ(profile.decide(open_of("/var/log/app.log", O_WRONLY | O_CREAT)), Recording::kNone);
}

TEST(Profile, UnreadNamesAreKept) {
  const RecordingProfile profile{ProfileSettings{}};
  EXPECT_EQ(profile.decide(open_of("", O_RDONLY)), Recording::kTrail);
}

TEST(Profile, ClausesMeanWhatTheySay) {
  const RecordingProfile profile(settings_of(
      "profile:\n  base: minimal\n  clauses:\n"
      "    - {reason: a, events: [open], where: containers, open: [read], result: failure,\n"
      "       path: {exact: [/one], prefix: [/two/], suffix: [.key], contains: [mid]},\n"
      "       record: live}\n"
      "    - {reason: b, events: [datagrams], where: host}\n"));
  const auto failed = [](Event event) {
    event.result = -13;
    return event;
  };
  for (const char* path : {"/one", "/two/x", "/a.key", "/a/mid/b"}) {
    EXPECT_EQ(profile.decide(failed(open_of(path, O_RDONLY))), Recording::kLive) << path;
    EXPECT_EQ(profile.decide(open_of(path, O_RDONLY)), Recording::kNone) << path;
    EXPECT_EQ(profile.decide(failed(open_of(path, O_WRONLY))), Recording::kNone) << path;
    EXPECT_EQ(profile.decide(failed(open_of(path, O_RDONLY, false))), Recording::kNone) << path;
  }
  EXPECT_EQ(profile.decide(failed(open_of("/one/x", O_RDONLY))), Recording::kNone);
  EXPECT_EQ(profile.decide(plain(Kind::sendto)), Recording::kTrail);
  Event inside = plain(Kind::sendto);
  inside.container = std::make_shared<Container>();
  EXPECT_EQ(profile.decide(inside), Recording::kNone);
}

TEST(Profile, EitherNameOfAPathCounts) {
  const RecordingProfile profile{ProfileSettings{}};
  Event event = open_of("/tmp/link", O_RDONLY);
  std::get<FileInfo>(event.detail).path.resolved = "/etc/shadow";
  EXPECT_EQ(profile.decide(event), Recording::kTrail);
}

TEST(Profile, ClausesRoundTrip) {
  Config config;
  config.profile.base = "full";
  config.profile.clauses = effective_clauses({"default", {}});
  const Parsed parsed = parse_config(to_yaml(config), "test.yaml");
  ASSERT_TRUE(parsed.problems.empty()) << to_text(parsed.problems[0]);
  EXPECT_EQ(parsed.config, config);
}

TEST(Profile, OpenBitsFollowTheFlags) {
  EXPECT_EQ(open_bits(O_RDONLY, 0755), unsigned{COFF_OPEN_READ});
  EXPECT_EQ(open_bits(O_WRONLY, 0), unsigned{COFF_OPEN_WRITE});
  EXPECT_EQ(open_bits(O_PATH, 0), 0U);
  EXPECT_EQ(open_bits(O_RDWR | O_CREAT, 0644),
            unsigned{COFF_OPEN_READ | COFF_OPEN_WRITE | COFF_OPEN_CREATE});
  EXPECT_EQ(open_bits(O_WRONLY | O_CREAT, 0755),
            unsigned{COFF_OPEN_WRITE | COFF_OPEN_CREATE | COFF_OPEN_EXEC});
}

TEST(Roles, RootAdministersAndStrangersSeeNothing) {
  const RoleSettings roles = Config().roles;
  const Peer root{0, "root", {0}, {"root"}};
  const Peer stranger{1000, "ann", {1000}, {"ann"}};
  const Peer member{1000, "ann", {1000, 990}, {"ann", "cofferdam"}};
  EXPECT_TRUE(allowed(roles, root, Permission::kConfigure));
  EXPECT_FALSE(allowed(roles, stranger, Permission::kSee));
  EXPECT_TRUE(allowed(roles, member, Permission::kSee));
  EXPECT_FALSE(allowed(roles, member, Permission::kRespond));
  EXPECT_EQ(roles_of(roles, member), std::vector<std::string_view>{"viewer"});
}

TEST(Roles, NumbersWorkWithoutAUserDatabase) {
  RoleSettings roles = Config().roles;
  roles.responder.users = {"1234"};
  roles.auditor.groups = {"77"};
  EXPECT_TRUE(allowed(roles, {1234, "", {}, {}}, Permission::kRespond));
  EXPECT_TRUE(allowed(roles, {1, "", {77}, {}}, Permission::kAudit));
  EXPECT_FALSE(allowed(roles, {1, "", {}, {}}, Permission::kAudit));
}

}  // namespace
}  // namespace coff::config
