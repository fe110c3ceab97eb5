// Findings become incidents, incidents have a life, and reports hold what attackers wrote
// harmlessly.
#include "incident/incident.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "base/clock.hpp"
#include "playbook/document.hpp"

namespace coff::incident {
namespace {

constexpr std::int64_t kMinuteNs = 60LL * 1'000'000'000;
constexpr std::int64_t kStartNs = 1'800'000'000LL * 1'000'000'000;

class Incidents : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = ::testing::TempDir() + "/incidents-" + std::to_string(::getpid()) + ".db";
    std::filesystem::remove(path_);
    auto store = Store::open(path_);
    ASSERT_TRUE(store) << store.error().message();
    store_.emplace(std::move(*store));
  }
  void TearDown() override {
    store_.reset();
    std::filesystem::remove(path_);
  }
  std::int64_t take(const std::string& container, const std::string& lineage, std::int64_t minute,
                    const std::string& priority = "Warning") {
    const FindingFacts facts = {.time_ns = kStartNs + minute * kMinuteNs,
                                .id = "x",
                                .rule = "Rule " + priority,
                                .priority = priority,
                                .output = "out",
                                .container = container,
                                .name = container + "-name",
                                .lineage = lineage,
                                .reference = std::to_string(++entries_)};
    const auto numbers = store_->take({&facts, 1});
    EXPECT_TRUE(numbers) << numbers.error().message();
    return numbers ? numbers->front() : 0;
  }

  std::string path_;
  std::optional<Store> store_;
  int entries_ = 0;
};

TEST_F(Incidents, GroupByContainerLineageAndTime) {
  const std::int64_t first = take("c1", "a", 0);
  EXPECT_EQ(take("c1", "b", 10), first) << "one container, a short time";
  EXPECT_NE(take("c2", "a", 11), first) << "another container";
  EXPECT_EQ(take("c1", "a", 300), first) << "the same lineage, hours later";
  EXPECT_NE(take("c1", "z", 400), first) << "another lineage, hours later";
  const std::int64_t host = take("", "ssh1", 0);
  EXPECT_NE(take("", "ssh2", 1), host) << "another session of the host";
  EXPECT_EQ(take("", "ssh1", 2), host);
  EXPECT_EQ(take("c1", "a", 299, "Critical"), first) << "late, out of order";
  const auto incident = store_->read(first);
  ASSERT_TRUE(incident);
  EXPECT_EQ(incident->severity, "Critical");
  EXPECT_EQ(incident->title, "Rule Critical");
  EXPECT_EQ(incident->findings, 4);
  EXPECT_EQ(incident->last_ns, kStartNs + 300 * kMinuteNs);
  entries_ = 0;  // The same entry again changes nothing.
  EXPECT_EQ(take("c9", "q", 0), first);
  EXPECT_EQ(store_->read(first)->findings, 4);
}

TEST_F(Incidents, HaveALifeThatEndsWithWhatWasLearned) {
  const std::int64_t number = take("c1", "a", 0);
  ASSERT_TRUE(store_->assign(number, "alice", "bob", kStartNs + 1));
  ASSERT_TRUE(store_->set_state(number, State::kContained, "", "alice", kStartNs + 2));
  EXPECT_FALSE(store_->set_state(number, State::kClosed, "", "alice", kStartNs + 3));
  ASSERT_TRUE(store_->add(
      number, {.time_ns = kStartNs + 3, .sort = "note", .who = "alice", .text = "looked"}));
  ASSERT_TRUE(store_->set_state(number, State::kClosed, "Pin images.", "alice", kStartNs + 4));
  EXPECT_TRUE(store_->list(false)->empty());
  EXPECT_EQ(store_->list(true)->size(), 1U);
  EXPECT_NE(take("c1", "a", 1), number) << "a closed incident takes no findings";
  const auto items = store_->timeline(number);
  ASSERT_TRUE(items);
  std::string sorts;
  for (const Item& item : *items) sorts += item.sort + ' ';
  EXPECT_EQ(sorts, "finding owner state note state ");
  EXPECT_EQ((*items)[2].text, "open -> contained");
  EXPECT_FALSE(store_->read(99));
  EXPECT_FALSE(store_->add(99, {}));
  // What another process opens is the same.
  auto again = Store::open(path_);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->read(number)->lessons, "Pin images.");
  EXPECT_EQ(*again->newest_ns(), kStartNs + kMinuteNs);
}

TEST_F(Incidents, ReportsHoldHostileTextHarmlessly) {
  Incident incident;
  incident.title = "a | b\n# c <script>";
  const std::vector<Item> items = {{.time_ns = kStartNs,
                                    .sort = "finding",
                                    .who = "",
                                    .text = "x | y\n| z",
                                    .reference = "abc"}};
  const std::string text = to_markdown(incident, items);
  EXPECT_EQ(text.find("\n# c"), text.npos);
  EXPECT_EQ(text.find("<script>"), text.npos);
  EXPECT_EQ(text.find("\n| z"), text.npos);
  const auto json = playbook::parse_document(to_json(incident, items));
  ASSERT_TRUE(json);
  EXPECT_EQ(json->at("timeline").at(0).at("text"), "x | y\n| z");
}

TEST(FindingFacts, AreReadFromEntries) {
  const auto facts = finding_facts(
      R"({"type":"finding","time":"2026-01-31T12:00:00.000000001Z","boot":1,
          "finding":{"id":"0123456789abcdef","rule":"Shell","priority":"Notice","output":"o"},
          "kind":"exec","process":{"id":"0a","pid":9,"ancestors":[{"id":"0b","pid":8},
          {"id":"0c","pid":7},{"id":"01","pid":1}]},"container":{"id":"c1","name":"web"}})");
  ASSERT_TRUE(facts) << facts.error().what;
  EXPECT_EQ(facts->lineage, "0c");
  EXPECT_EQ(facts->container, "c1");
  EXPECT_EQ(facts->name, "web");
  EXPECT_EQ(facts->rule, "Shell");
  EXPECT_FALSE(finding_facts(R"({"type":"exec"})"));
  EXPECT_FALSE(finding_facts("x"));
}

TEST_F(Incidents, DeedsJoinTheIncidentOfTheirContainer) {
  const auto entry = [](const std::string& stage, const std::string& more) {
    return R"({"type":"action","time":"2027-01-15T08:01:00Z","stage":")" + stage +
           R"(","action":"quarantine","container":{"id":"c1","name":"web"},"who":{"uid":0})" +
           more + "}";
  };
  const std::int64_t number = take("c1", "a", 0);
  EXPECT_FALSE(deed_of(entry("planned", ""))) << "a plan changes nothing";
  const std::string evidence =
      R"({"type":"evidence","time":"2027-01-15T08:02:00Z","container":"c1","id":"b1",)"
      R"("manifest_sha256":"ab"})";
  std::vector<Deed> deeds;
  for (const std::string& text :
       {entry("planned", R"(,"approved_by":{"request":"r1","people":[{"person":"bob"}]})"),
        entry("verified", ""), entry("failed", R"(,"error":"no\u001b[31m route")"), evidence}) {
    const auto deed = deed_of(text);
    ASSERT_TRUE(deed) << deed.error().message();
    deeds.push_back(*deed);
  }
  deeds.push_back({.container = "c2", .item = {.time_ns = kStartNs, .sort = "action"}});
  EXPECT_EQ(store_->take_deeds(deeds).value_or(0), 4U) << "nobody asked about c2";
  EXPECT_EQ(store_->take_deeds(deeds).value_or(0), 4U);
  const auto items = store_->timeline(number);
  ASSERT_TRUE(items);
  ASSERT_EQ(items->size(), 5U) << "once each";
  EXPECT_EQ((*items)[1].sort + " " + (*items)[1].who, "approval bob");
  EXPECT_EQ((*items)[2].text, "quarantine verified");
  EXPECT_EQ((*items)[4].sort, "evidence");
}

}  // namespace
}  // namespace coff::incident
