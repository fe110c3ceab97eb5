// What correlations remember: each type, the edges of windows, late matches, and the bounds.
#include "sigma/correlation.hpp"

#include <gtest/gtest.h>

#include <random>

#include "sigma/testing/fires.hpp"

namespace coff::sigma {
namespace {

using enum CorrelationType;
using enum Comparison;

constexpr std::uint64_t kSecond = 1'000'000'000;

Watch watch(CorrelationType type, Comparison comparison, double number, size_t rules = 1) {
  return {.type = type,
          .rules = rules,
          .timespan_ns = 10 * kSecond,
          .conditions = {{comparison, number}},
          .percentile = 50};
}

/// One correlation, fed by seconds.
class One {
 public:
  explicit One(Watch watch) : memory_({std::move(watch)}) {}

  bool at(double second, std::string value = "", std::uint32_t rule = 0,
          const std::string& group = "g") {
    Entry entry{.boot_ns = static_cast<std::uint64_t>(second * 1e9),
                .rule = rule,
                .value = std::move(value)};
    entry.number = entry.value.empty() ? 0 : std::strtod(entry.value.c_str(), nullptr);
    return memory_.add(0, group, std::move(entry), fired_);
  }
  /// Windows that were fulfilled until then.
  size_t until(double second) {
    std::vector<Firing> judged;
    memory_.pass(static_cast<std::uint64_t>(second * 1e9), judged);
    size_t count = 0;
    for (const Firing& each : judged) {
      count += each.fulfilled ? 1 : 0;
      fired_ = each;
    }
    return count;
  }
  [[nodiscard]] const Firing& fired() const { return fired_; }
  [[nodiscard]] Memory& memory() { return memory_; }

 private:
  Memory memory_;
  Firing fired_;
};

TEST(Correlation, CountsEventsWithinTheTimespanBothEndsIncluded) {
  One one(watch(kEventCount, kGreaterEqual, 3));
  EXPECT_FALSE(one.at(1));
  EXPECT_FALSE(one.at(5));
  EXPECT_TRUE(one.at(11)) << "exactly the timespan apart";
  EXPECT_EQ(one.fired().measured, 3);
  EXPECT_EQ(one.fired().begin_boot_ns, kSecond);
  EXPECT_EQ(one.fired().end_boot_ns, 11 * kSecond);
  EXPECT_FALSE(one.at(12)) << "a window that was told starts anew";
  EXPECT_FALSE(one.at(13));
  EXPECT_TRUE(one.at(14));
  One apart(watch(kEventCount, kGreaterEqual, 3));
  EXPECT_FALSE(apart.at(1));
  EXPECT_FALSE(apart.at(5));
  EXPECT_FALSE(apart.at(11.000000001)) << "a nanosecond too late";
  EXPECT_TRUE(apart.at(12));
  One greater(watch(kEventCount, kGreater, 2));
  EXPECT_FALSE(greater.at(1) || greater.at(1));
  EXPECT_TRUE(greater.at(1));
}

TEST(Correlation, GroupsAreCountedApart) {
  One one(watch(kEventCount, kGreaterEqual, 2));
  EXPECT_FALSE(one.at(1, "", 0, "a"));
  EXPECT_FALSE(one.at(1, "", 0, "b"));
  EXPECT_TRUE(one.at(2, "", 0, "a"));
  EXPECT_EQ(one.fired().group, "a");
}

TEST(Correlation, CountsDifferentValues) {
  One one(watch(kValueCount, kGreaterEqual, 3));
  EXPECT_FALSE(one.at(1, "a"));
  EXPECT_FALSE(one.at(2, "b"));
  EXPECT_FALSE(one.at(3, "a"));
  EXPECT_FALSE(one.at(12.5, "d")) << "the first two are too old";
  EXPECT_TRUE(one.at(12.6, "e"));
}

TEST(Correlation, WaitsForAllRulesInAnyOrder) {
  Watch both = watch(kTemporal, kGreaterEqual, 2, 2);
  both.conditions.clear();
  One one(both);
  EXPECT_FALSE(one.at(1, "", 1));
  EXPECT_FALSE(one.at(2, "", 1));
  EXPECT_TRUE(one.at(3, "", 0));
  EXPECT_FALSE(one.at(4, "", 0));
  EXPECT_FALSE(one.at(15, "", 1));
  One some(watch(kTemporal, kGreaterEqual, 2, 3));
  EXPECT_FALSE(some.at(1, "", 0));
  EXPECT_TRUE(some.at(2, "", 2)) << "two of three are enough where the rule says so";
}

TEST(Correlation, WaitsForRulesInOrder) {
  Watch ordered = watch(kTemporalOrdered, kGreaterEqual, 3, 3);
  ordered.conditions.clear();
  One one(ordered);
  EXPECT_FALSE(one.at(1, "", 1));
  EXPECT_FALSE(one.at(2, "", 0));
  EXPECT_FALSE(one.at(3, "", 2));
  EXPECT_FALSE(one.at(4, "", 1));
  EXPECT_TRUE(one.at(5, "", 2));
  One together(ordered);
  EXPECT_FALSE(together.at(1, "", 2) || together.at(1, "", 1));
  EXPECT_TRUE(together.at(1, "", 0)) << "equal times have no order";
}

TEST(Correlation, AddsUp) {
  One one(watch(kValueSum, kGreater, 100));
  EXPECT_FALSE(one.at(1, "60"));
  EXPECT_FALSE(one.at(2, "40"));
  EXPECT_TRUE(one.at(3, "1"));
  EXPECT_EQ(one.fired().measured, 101);
}

TEST(Correlation, AveragesAndPercentilesAreJudgedAtTheEnd) {
  One average(watch(kValueAverage, kGreaterEqual, 20));
  EXPECT_FALSE(average.at(1, "10") || average.at(2, "30") || average.at(11, "20"));
  EXPECT_EQ(average.until(15.9), 0U) << "late ones may still come";
  EXPECT_EQ(average.until(16), 1U);
  EXPECT_EQ(average.fired().measured, 20);
  One middle(watch(kValuePercentile, kLess, 3));
  for (const char* value : {"1", "2", "9", "2", "9"}) middle.at(1, value);
  EXPECT_EQ(middle.until(100), 1U);
  EXPECT_EQ(middle.fired().measured, 2);
}

TEST(Correlation, FewerThanIsJudgedAtTheEnd) {
  for (const auto& [comparison, fires_with_two] :
       std::initializer_list<std::pair<Comparison, bool>>{
           {kLess, true}, {kLessEqual, true}, {kEqual, false}, {kNotEqual, true}}) {
    One one(watch(kEventCount, comparison, 3));
    EXPECT_FALSE(one.at(1) || one.at(2));
    EXPECT_EQ(one.until(30), fires_with_two ? 1U : 0U) << comparison_name(comparison);
  }
  One equal(watch(kEventCount, kEqual, 3));
  EXPECT_FALSE(equal.at(1) || equal.at(2) || equal.at(11) || equal.at(11.5));
  EXPECT_EQ(equal.until(16), 1U) << "the fourth belongs to the next window";
  EXPECT_EQ(equal.until(60), 0U);
}

TEST(Correlation, LateMatchesTakeTheirPlace) {
  One one(watch(kEventCount, kGreaterEqual, 3));
  EXPECT_FALSE(one.at(1));
  EXPECT_FALSE(one.at(12));
  EXPECT_FALSE(one.at(13));
  EXPECT_TRUE(one.at(10)) << "10, 12 and 13";
  One other(watch(kEventCount, kGreaterEqual, 3));
  EXPECT_FALSE(other.at(1) || other.at(11) || other.at(13));
  EXPECT_TRUE(other.at(9)) << "1, 9 and 11, although 13 came before";
  EXPECT_EQ(other.fired().end_boot_ns, 11 * kSecond);
}

TEST(Correlation, OrderOfArrivalDoesNotMatterForTheFirstWindow) {
  std::mt19937 random(5);
  for (int round = 0; round < 200; ++round) {
    std::vector<double> times;
    for (int i = 0; i < 8; ++i) times.push_back(1 + static_cast<double>(random() % 40));
    const auto count_fires = [&](const std::vector<double>& order) {
      One one(watch(kEventCount, kGreaterEqual, 4));
      return std::ranges::any_of(order, [&](double time) { return one.at(time); });
    };
    std::vector<double> sorted = times;
    std::ranges::sort(sorted);
    // As from several rings: never more than the lateness behind the newest.
    std::vector<double> shuffled = sorted;
    for (size_t at = 0; at + 1 < shuffled.size(); ++at) {
      const bool near = shuffled[at + 1] - shuffled[at] < 5;
      if (near && random() % 2 == 0) std::swap(shuffled[at], shuffled[at + 1]);
    }
    EXPECT_EQ(count_fires(sorted), count_fires(shuffled));
  }
}

TEST(Correlation, WhatComesAfterItsWindowWasJudgedIsCounted) {
  One one(watch(kEventCount, kLess, 3));
  one.at(1);
  EXPECT_EQ(one.until(16), 1U);
  EXPECT_FALSE(one.at(3));
  EXPECT_EQ(one.memory().counters().late, 1U);
  EXPECT_EQ(one.until(100), 0U);
}

TEST(Correlation, MemoryIsBounded) {
  One one(watch(kEventCount, kGreater, 4096));
  for (int i = 0; i < 6000; ++i) EXPECT_FALSE(one.at(1));
  EXPECT_EQ(one.memory().entries(), kEntriesMax);
  EXPECT_EQ(one.memory().counters().entries_evicted, 6000 - kEntriesMax);
  for (size_t i = 0; i < kGroupsMax + 10; ++i) one.at(2, "", 0, std::to_string(i));
  EXPECT_EQ(one.memory().groups(), kGroupsMax);
  EXPECT_EQ(one.memory().counters().groups_evicted, 11U);
  for (int group = 0; group < 40; ++group) {
    for (int i = 0; i < 4000; ++i) one.at(3, "", 0, "big" + std::to_string(group));
  }
  EXPECT_LE(one.memory().entries(), kEntriesTotalMax);
  One open(watch(kEventCount, kLess, 3));
  for (size_t i = 0; i < 3 * kGroupsMax; ++i) open.at(1, "", 0, std::to_string(i));
  EXPECT_EQ(open.until(100), kGroupsMax) << "what was forgotten is not judged";
}

constexpr const char* kBase =
    "title: Login tool\nname: login_tool\nlogsource: {category: process_creation}\n"
    "detection:\n  s: {Image|endswith: /login}\n  condition: s\n---\n"
    "title: Key reader\nid: 11111111-1111-1111-1111-111111111111\n"
    "logsource: {category: file_access, product: linux}\n"
    "detection:\n  s: {TargetFilename|contains: key}\n  condition: s\n---\n";

std::string correlation(const std::string& body) {
  return kBase + ("title: C\nlevel: high\nauthor: me\ntags: [attack.t1110]\ncorrelation:\n" + body);
}

/// Events asked as the agent does: titles of correlations, and of rules that speak.
std::vector<std::string> told(const Loaded& loaded, const std::vector<Event>& events,
                              std::uint64_t pass_ns = 0) {
  rules::Evaluator evaluator(loaded.rules.rules);
  Correlator correlator(loaded.correlations);
  std::vector<std::string> titles;
  std::vector<Correlated> correlated;
  for (const Event& event : events) {
    const schema::Subject subject{.event = event, .number = 1, .host = "box"};
    const auto matched = evaluator.matches(subject);
    for (const std::uint32_t rule : matched) {
      if (loaded.correlations->is_silent(rule)) continue;
      titles.push_back(loaded.rules.rules->rules()[rule]->name);
    }
    correlator.ask(subject, matched, correlated);
  }
  if (pass_ns != 0) correlator.pass(pass_ns, correlated);
  for (const Correlated& each : correlated) titles.push_back(each.finding.output);
  return titles;
}

Event at(Event event, std::uint64_t second) {
  event.boot_ns = second * kSecond;
  return event;
}

const char* const kCount =
    "  type: event_count\n  rules: [login_tool]\n  group-by: [User, CommandLine]\n"
    "  timespan: 1m\n  condition: {gte: 2}\n";

TEST(Correlation, RulesFeedItAndKeepSilent) {
  const Loaded loaded = testing::load_right(correlation(kCount));
  const Event a = testing::executed("login a");
  const Event b = testing::executed("login b");
  const auto titles = told(loaded, {at(a, 1), at(b, 2), at(a, 61)});
  ASSERT_EQ(titles.size(), 1U);
  EXPECT_EQ(titles[0], "C (event_count 2 within 60 s User= CommandLine=login a)");
  EXPECT_TRUE(told(loaded, {at(a, 1), at(b, 2), at(a, 62)}).empty());
  EXPECT_EQ(loaded.statuses.back().log_source, "correlation");
  const auto loud = testing::load_right(correlation(std::string(kCount) + "  generate: true\n"));
  EXPECT_EQ(told(loud, {at(a, 1)}), (std::vector<std::string>{"Login tool"}));
}

TEST(Correlation, FindingsKeepWhoseRuleItIs) {
  const Loaded loaded = testing::load_right(correlation(kCount));
  rules::Evaluator evaluator(loaded.rules.rules);
  Correlator correlator(loaded.correlations);
  std::vector<Correlated> out;
  for (const std::uint64_t second : {1, 2}) {
    const Event event = at(testing::executed("login a"), second);
    const schema::Subject subject{.event = event, .number = 1};
    correlator.ask(subject, evaluator.matches(subject), out);
  }
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].finding.provenance.author, "me");
  EXPECT_EQ(out[0].finding.provenance.attack, (std::vector<std::string>{"T1110"}));
  EXPECT_EQ(out[0].finding.priority, rules::Priority::kError);
  EXPECT_EQ(out[0].finding.fields.at(1).name, "CommandLine");
}

TEST(Correlation, AliasesNameDifferentFieldsOfRules) {
  const Loaded loaded = testing::load_right(
      correlation("  type: temporal_ordered\n  rules:\n    - 11111111-1111-1111-1111-111111111111\n"
                  "    - login_tool\n  group-by: [who]\n  timespan: 10s\n"
                  "  aliases:\n    who:\n      login_tool: ProcessId\n"
                  "      11111111-1111-1111-1111-111111111111: proc.pid\n"));
  const Event reads = rules::testing::read_by("cat", "/etc/key").event();
  const Event logs_in = testing::executed("login a");
  EXPECT_EQ(told(loaded, {at(reads, 1), at(logs_in, 2)}),
            (std::vector<std::string>{"C (temporal_ordered 2 within 10 s who=412)"}));
  EXPECT_TRUE(told(loaded, {at(logs_in, 1), at(reads, 2)}).empty());
}

TEST(Correlation, CorrelationsFeedCorrelations) {
  const Loaded loaded = testing::load_right(
      correlation("  type: event_count\n  rules: [login_tool]\n  timespan: 10s\n"
                  "  condition: {gte: 2}\nname: pair\n---\n"
                  "title: Pairs\ncorrelation:\n  type: event_count\n  rules: [pair]\n"
                  "  timespan: 1h\n  condition: {gte: 2}\n"));
  const Event event = testing::executed("login a");
  std::vector<Event> events;
  for (const std::uint64_t second : {1, 2, 30, 31}) events.push_back(at(event, second));
  EXPECT_EQ(told(loaded, events),
            (std::vector<std::string>{"Pairs (event_count 2 within 3600 s)"}));
}

TEST(Correlation, WindowsEndWithoutEvents) {
  const Loaded loaded = testing::load_right(
      correlation("  type: event_count\n  rules: login_tool\n  group-by: CommandLine\n"
                  "  timespan: 10s\n  condition: {lt: 3}\n"));
  const Event event = testing::executed("login a");
  EXPECT_EQ(told(loaded, {at(event, 1), at(event, 2)}, 16 * kSecond),
            (std::vector<std::string>{"C (event_count 2 within 10 s CommandLine=login a)"}));
  EXPECT_TRUE(told(loaded, {at(event, 1), at(event, 2), at(event, 3)}, 16 * kSecond).empty());
}

TEST(Correlation, MistakesAreNamed) {
  const std::pair<std::string, std::string> kCases[] = {
      {"  type: sometimes\n  rules: [login_tool]\n  timespan: 1m\n", "unknown type"},
      {"  type: event_count\n  rules: [login_tool]\n  timespan: 1m\n", "no 'condition'"},
      {"  type: event_count\n  rules: [login_tool]\n  timespan: 1y\n  condition: {gte: 1}\n",
       "'timespan'"},
      {"  type: event_count\n  rules: [nobody]\n  timespan: 1m\n  condition: {gte: 1}\n",
       "there is no rule 'nobody'"},
      {"  type: event_count\n  rules: []\n  timespan: 1m\n  condition: {gte: 1}\n", "1 to 64"},
      {"  type: value_count\n  rules: [login_tool]\n  timespan: 1m\n  condition: {gte: 1}\n",
       "needs a 'field'"},
      {"  type: event_count\n  rules: [login_tool]\n  timespan: 1m\n  condition: {gte: 9999}\n",
       "from 0 to 4096"},
      {"  type: event_count\n  rules: [login_tool]\n  timespan: 1m\n  condition: {about: 3}\n",
       "unknown comparison 'about'"},
      {"  type: value_percentile\n  rules: [login_tool]\n  timespan: 1m\n"
       "  condition: {gte: 1, field: ProcessId}\n",
       "'percentile'"},
      {"  type: temporal\n  rules: [login_tool]\n  timespan: 1m\n  group-by: ['a\"b']\n",
       "no name of a field"},
      {"  type: temporal\n  rules: [self]\n  timespan: 1m\nname: self\n", "wait for each other"},
  };
  for (const auto& [body, message] : kCases) {
    const Loaded loaded = testing::load(correlation(body));
    const std::string error = testing::only_error(loaded);
    EXPECT_NE(error.find(message), std::string::npos) << body << error;
    EXPECT_EQ(loaded.rules.rules->rules().size(), 2U) << "the rules stay";
  }
}

}  // namespace
}  // namespace coff::sigma
