// Tests of learning and watching: windows, images, limits, what people do with profiles.
#include "baseline/baseline.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/socket.h>

#include <algorithm>
#include <random>

#include "baseline/testing/acts.hpp"

namespace coff::baseline {
namespace {

using testing::Act;
using testing::container;

constexpr std::uint64_t kSecondNs = 1'000'000'000;
constexpr std::string_view kWeb = "compose:shop/web";

class BaselineRun : public ::testing::Test {
 protected:
  explicit BaselineRun(const Options& options = {.window_s = 100}) : baseline_(options) {
    running_ = {container("c1", "web")};
    tick(0);
  }

  /// `seconds` pass, a tick each.
  void tick(std::uint64_t seconds) {
    for (std::uint64_t second = 0; second <= seconds; ++second) {
      baseline_.tick(now_, running_);
      if (second == seconds) break;
      now_.boot_ns += kSecondNs;
      now_.wall_ns += static_cast<std::int64_t>(kSecondNs);
    }
  }
  std::vector<DeparturePtr> see(Act act) {
    return baseline_.observe(act.in(running_.front()).event());
  }
  std::vector<std::string> texts(const Act& act) {
    std::vector<std::string> out;
    for (const DeparturePtr& each : see(act)) out.push_back(each->what + ' ' + each->value);
    return out;
  }
  const Profile& profile() { return baseline_.profiles().at(std::string(kWeb)); }
  bool noted(std::string_view action) {
    const auto notes = baseline_.take_notes();
    return std::ranges::any_of(notes, [&](const Note& each) { return each.action == action; });
  }

  Baseline baseline_;
  std::vector<ContainerPtr> running_;
  Moment now_{.boot_ns = 5 * kSecondNs, .wall_ns = 1'764'000'105'000'000'000};
};

using Texts = std::vector<std::string>;

TEST_F(BaselineRun, LearnsForAWindowOfRunningTimeAndThenTells) {
  EXPECT_TRUE(see(Act::exec("/usr/sbin/nginx").user(33)).empty());
  tick(99);
  EXPECT_EQ(profile().state, State::kLearning);
  EXPECT_TRUE(see(Act::exec("/bin/late")).empty());
  tick(1);
  EXPECT_EQ(profile().state, State::kWatching);
  EXPECT_TRUE(noted("learned"));
  EXPECT_EQ(profile().learned_s, 100U);
  EXPECT_EQ(profile().samples, 2U);
  EXPECT_TRUE(see(Act::exec("/usr/sbin/nginx").user(33)).empty());
  EXPECT_TRUE(see(Act::exec("/bin/late")).empty());

  const auto departures = see(Act::exec("/bin/sh").from("/usr/sbin/nginx").capable(1));
  ASSERT_EQ(departures.size(), 2U);
  EXPECT_EQ(departures[0]->what, "executable");
  EXPECT_EQ(departures[0]->value, "/bin/sh");
  EXPECT_EQ(departures[0]->service, kWeb);
  EXPECT_EQ(departures[0]->state, "watching");
  EXPECT_EQ(departures[0]->learned_s, 100U);
  EXPECT_EQ(departures[0]->samples, 2U);
  EXPECT_EQ(departures[0]->trigger, Kind::exec);
  EXPECT_EQ(departures[1]->value, "CAP_CHOWN");
  // Each is told once, and counted.
  EXPECT_TRUE(see(Act::exec("/bin/sh").from("/usr/sbin/nginx").capable(1)).empty());
  EXPECT_EQ(profile().departures.begin()->second.count, 2U);
  EXPECT_EQ(baseline_.counters().departures, 2U);
  // Known programs in a new relation are told as such.
  EXPECT_EQ(texts(Act::exec("/bin/late").from("/usr/sbin/nginx")),
            Texts{"child /usr/sbin/nginx > /bin/late"});
}

TEST_F(BaselineRun, EverySortDeparts) {
  tick(100);
  EXPECT_EQ(texts(Act::open("/etc/cron.d/job", O_WRONLY | O_CREAT)), Texts{"file /etc/cron.d/job"});
  EXPECT_EQ(texts(Act::call(COFF_KIND_unshare).namespaces(CLONE_NEWUSER).failed(EPERM)),
            Texts{"call unshare CLONE_NEWUSER"});
  EXPECT_EQ(texts(Act::socket(COFF_KIND_listen, SOCK_STREAM, 4444)), Texts{"port tcp/4444"});
  EXPECT_EQ(texts(Act::call(COFF_KIND_setid).user(1000)), Texts{"user 1000"});
}

TEST_F(BaselineRun, TheSamePathFromOutsideTheImageIsAnotherProgram) {
  see(Act::exec("/usr/bin/app"));
  tick(100);
  const auto departures = see(Act::exec("/usr/bin/app").upper());
  ASSERT_FALSE(departures.empty());
  EXPECT_TRUE(departures[0]->outside_image);
}

TEST_F(BaselineRun, OnlyRunningTimeCounts) {
  tick(50);
  running_.clear();
  tick(1000);
  EXPECT_EQ(profile().observed_s, 50U);
  running_ = {container("c1", "web")};
  tick(49);
  EXPECT_EQ(profile().state, State::kLearning);
  // An agent that was stopped for an hour has watched nothing.
  now_.boot_ns += 3600 * kSecondNs;
  tick(0);
  EXPECT_EQ(profile().observed_s, 99U + Baseline::kTickMaxSeconds);
  EXPECT_EQ(profile().state, State::kWatching);
}

TEST_F(BaselineRun, ShortLivedServicesAreLearnedByTheCalendar) {
  for (std::uint64_t n = 0; n < Baseline::kStartsEnough; ++n) {
    running_ = {container("short" + std::to_string(n), "job")};
    see(Act::exec("/bin/job"));
  }
  running_.clear();
  tick(200);
  EXPECT_EQ(baseline_.profiles().at("compose:shop/job").state, State::kWatching);
}

TEST_F(BaselineRun, AllContainersOfAServiceShareItsProfile) {
  see(Act::exec("/bin/a"));
  running_ = {container("c2", "web"), container("c1", "web")};
  see(Act::exec("/bin/b"));
  tick(100);
  EXPECT_EQ(profile().observed_s, 100U) << "two containers make no two seconds of one";
  EXPECT_EQ(profile().starts, 2U);
  EXPECT_TRUE(see(Act::exec("/bin/a")).empty());
}

TEST_F(BaselineRun, ANewImageMayBringProgramsAndNothingElse) {
  see(Act::exec("/bin/a"));
  tick(100);
  EXPECT_TRUE(noted("learned"));
  running_ = {container("c3", "web", "sha256:bb22")};
  EXPECT_TRUE(see(Act::exec("/bin/new").from("/bin/a")).empty());
  EXPECT_TRUE(noted("image_changed"));
  EXPECT_TRUE(profile().image_changed);
  EXPECT_FALSE(see(Act::exec("/tmp/new").upper()).empty());
  EXPECT_FALSE(see(Act::open("/etc/new", O_WRONLY)).empty());
  EXPECT_EQ(texts(Act::exec("/bin/a").capable(std::uint64_t{1} << 21)),
            Texts{"capability CAP_SYS_ADMIN"});
  tick(100);
  const auto late = see(Act::exec("/bin/late"));
  ASSERT_FALSE(late.empty());
  EXPECT_TRUE(late[0]->image_changed);
}

TEST_F(BaselineRun, PinnedNeverLearns) {
  see(Act::exec("/bin/a"));
  ASSERT_TRUE(baseline_.pin(kWeb));
  running_ = {container("c3", "web", "sha256:bb22")};
  const auto departures = see(Act::exec("/bin/new"));
  ASSERT_FALSE(departures.empty());
  EXPECT_EQ(departures[0]->state, "pinned");
  tick(1000);
  EXPECT_EQ(profile().state, State::kPinned);
  EXPECT_FALSE(noted("learned"));
  ASSERT_TRUE(baseline_.unpin(kWeb));
  EXPECT_FALSE(baseline_.unpin(kWeb));
  EXPECT_EQ(profile().state, State::kWatching);
  EXPECT_TRUE(see(Act::exec("/bin/newer").from("/bin/a")).empty()) << "the image is new again";
}

TEST_F(BaselineRun, AcceptedDeparturesAreKnown) {
  tick(100);
  see(Act::exec("/bin/new"));
  see(Act::open("/etc/new", O_WRONLY));
  const auto open = profile().departures.size();
  ASSERT_TRUE(baseline_.accept("shop/web", {.what = What::kExecutable, .value = "/bin/new"}));
  EXPECT_EQ(profile().departures.size(), open - 1);
  EXPECT_FALSE(baseline_.accept(kWeb, {.what = What::kExecutable, .value = "/bin/new"}));
  const auto rest = baseline_.accept(kWeb, {.all = true});
  ASSERT_TRUE(rest);
  EXPECT_EQ(*rest, open - 1);
  EXPECT_TRUE(see(Act::exec("/bin/new")).empty());
  EXPECT_TRUE(see(Act::open("/etc/new", O_WRONLY)).empty());
  EXPECT_FALSE(baseline_.accept("compose:no/such", {.all = true}));
}

TEST_F(BaselineRun, AForgottenServiceIsLearnedAnew) {
  tick(100);
  while (!baseline_.take_changed().empty()) continue;
  ASSERT_TRUE(baseline_.forget(kWeb));
  EXPECT_EQ(baseline_.take_changed(), kWeb);
  EXPECT_FALSE(baseline_.forget(kWeb));
  EXPECT_TRUE(see(Act::exec("/bin/any")).empty());
  EXPECT_EQ(profile().state, State::kLearning);
}

TEST_F(BaselineRun, WithoutAWindowNothingIsLearned) {
  baseline_.use({.window_s = 0});
  EXPECT_FALSE(baseline_.wants(Act::exec("/bin/a").event()));
  EXPECT_TRUE(see(Act::exec("/bin/a")).empty());
}

TEST_F(BaselineRun, WhatHasNoServiceIsCounted) {
  Container unknown;
  unknown.id = "x";
  unknown.metadata = Metadata::kUnknown;
  running_ = {std::make_shared<const Container>(unknown)};
  EXPECT_TRUE(see(Act::exec("/bin/a")).empty());
  EXPECT_EQ(baseline_.counters().without_service, 1U);
}

class SmallBaseline : public BaselineRun {
 protected:
  SmallBaseline() : BaselineRun({.window_s = 100, .services_max = 2, .features_max = 40}) {}
};

TEST_F(SmallBaseline, ASortThatOverflowsIsNotJudgedAndSaysSo) {
  for (int n = 0; n < 100; ++n)
    see(Act::exec("/bin/" + std::string(1, 'a') + "x" +
                  std::string(static_cast<std::size_t>(n), 'y')));
  EXPECT_LE(profile().size(), 40U);
  EXPECT_TRUE(noted("limit"));
  EXPECT_GT(profile().not_kept[static_cast<std::size_t>(What::kExecutable)], 0U);
  tick(100);
  EXPECT_TRUE(see(Act::exec("/bin/other")).empty());
  EXPECT_EQ(texts(Act::socket(COFF_KIND_listen, SOCK_STREAM, 80)), Texts{"port tcp/80"});
}

TEST_F(SmallBaseline, MoreServicesThanThereIsRoomForAreCounted) {
  running_ = {container("c2", "db")};
  see(Act::exec("/bin/a"));
  running_ = {container("c3", "cache")};
  see(Act::exec("/bin/a"));
  EXPECT_EQ(baseline_.profiles().size(), 2U);
  EXPECT_GT(baseline_.counters().services_refused, 0U);
  Profile more;
  more.service = "image:more";
  EXPECT_FALSE(baseline_.put(more));
  more.service = kWeb;
  EXPECT_TRUE(baseline_.put(more));
}

TEST_F(BaselineRun, ManyDeparturesAreCountedAfterTheFirst) {
  tick(100);
  for (std::size_t n = 0; n < kDeparturesMax + 10; ++n) {
    see(Act::open("/srv/" + std::string(n / 20 + 1, 'd') + "/" + std::string(n % 20 + 1, 'f'),
                  O_WRONLY));
  }
  EXPECT_EQ(profile().departures.size(), kDeparturesMax);
  EXPECT_EQ(profile().departures_untold, 10U);
  EXPECT_TRUE(noted("departures_limit"));
}

// What was learned never departs: random deeds, twice the same.
TEST(BaselineProperty, LearnedEventsNeverDepart) {
  constexpr coff_kind kCalls[] = {COFF_KIND_unshare, COFF_KIND_bpf, COFF_KIND_mount};
  for (unsigned seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    std::vector<Event> events;
    const ContainerPtr place = container("c1", "web");
    const auto word = [&] {
      return std::string(1 + random() % 40, static_cast<char>('a' + random() % 26));
    };
    for (int n = 0; n < 400; ++n) {
      Act act = Act::call(kCalls[random() % 3]);
      switch (random() % 5) {
        case 0:
          act = Act::exec("/bin/" + word())
                    .user(static_cast<std::uint32_t>(random() % 50))
                    .capable(random());
          break;
        case 1: act = Act::exec("/x/" + word()).from("/bin/" + word()).upper(); break;
        case 2:
          act = Act::open("/d/" + word() + "/" + word() + "/" + std::to_string(random()), O_WRONLY);
          break;
        case 3:
          act = Act::socket(COFF_KIND_listen, SOCK_STREAM, static_cast<std::uint16_t>(random()));
          break;
        default: break;
      }
      events.push_back(act.in(place).event());
    }
    Baseline baseline({.window_s = 10, .features_max = seed % 2 == 0 ? 5000U : 150U});
    const std::vector<ContainerPtr> running = {place};
    Moment now{.boot_ns = kSecondNs, .wall_ns = 1};
    baseline.tick(now, running);
    for (const Event& event : events) EXPECT_TRUE(baseline.observe(event).empty());
    for (int second = 0; second < 11; ++second) {
      now.boot_ns += kSecondNs;
      baseline.tick(now, running);
    }
    ASSERT_EQ(baseline.profiles().begin()->second.state, State::kWatching);
    // By a profile that went over the disk too.
    auto again = parse_profile(to_json(baseline.profiles().begin()->second), 5000);
    ASSERT_TRUE(again) << again.error().message();
    ASSERT_TRUE(baseline.put(std::move(*again)));
    for (const Event& event : events) {
      const auto departures = baseline.observe(event);
      EXPECT_TRUE(departures.empty()) << departures[0]->what << ' ' << departures[0]->value;
    }
  }
}

}  // namespace
}  // namespace coff::baseline
