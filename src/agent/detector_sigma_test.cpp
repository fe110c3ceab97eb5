// Sigma rules in the detector: beside the others, with whose they are, with correlations; wrong
// ones never replace those that run.
#include <gtest/gtest.h>

#include <fstream>

#include "agent/detector.hpp"
#include "agent/finding_entry.hpp"
#include "agent/test_agent.hpp"
#include "schema/testing/sample_events.hpp"

namespace coff::agent {
namespace {

constexpr std::string_view kRules =
    "title: Web server runs\nname: web\nid: 11111111-1111-1111-1111-111111111111\n"
    "author: Somebody\nlicense: DRL-1.1\nlevel: high\ntags: [attack.t1190]\n"
    "logsource: {category: process_creation, product: linux}\n"
    "detection: {s: {Image|endswith: /NGINX, CommandLine|contains: daemon}, condition: s}\n";
constexpr std::string_view kTwice =
    "---\ntitle: Twice\nauthor: Somebody else\ncorrelation:\n  type: event_count\n  rules: [web]\n"
    "  group-by: [ProcessId]\n  timespan: 1m\n  condition: {gte: 2}\n";

class DetectorSigmaTest : public ::testing::Test {
 protected:
  void write(std::string_view text) const {
    std::ofstream(directory_.path() + "/rules.yml") << text;
  }
  [[nodiscard]] config::RulesSettings settings() const {
    config::RulesSettings settings;
    settings.files = {};
    settings.sigma_files = {directory_.path()};
    settings.repeat_seconds = 0;
    return settings;
  }
  void ask(std::uint64_t second) {
    schema::testing::RecordBuilder builder(COFF_KIND_exec);
    Event event = schema::testing::sample_event(builder);
    event.boot_ns = second * 1'000'000'000;
    detector_.ask(
        event, names_,
        [&](const Found& found) {
          return make_finding_entry(
              found, {.names = names_,
                      .redactor = redactor_,
                      .commit = [](std::string_view) { return std::string("[redacted]"); },
                      .window = window_});
        },
        [this](const FindingEntry& entry) { told_.push_back(entry.json); });
  }

  agent::test::TemporaryDirectory directory_;
  schema::UserNames names_;
  schema::Redactor redactor_;
  EventWindow window_;
  Detector detector_;
  std::vector<std::string> told_;
};

bool holds_text(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST_F(DetectorSigmaTest, FindingsSayWhoseRuleItIs) {
  write(kRules);
  ASSERT_TRUE(detector_.load(settings(), false));
  EXPECT_TRUE(detector_.wants(Kind::exec));
  EXPECT_FALSE(detector_.wants(Kind::open));
  EXPECT_TRUE(holds_text(detector_.report(), R"("sigma":{"rules":1,"run":1,"blind":0)"))
      << detector_.report();
  ask(1);
  ASSERT_EQ(told_.size(), 1U);
  EXPECT_TRUE(holds_text(told_[0], R"("attack":["T1190"],"language":"sigma",)"
                                   R"("rule_id":"11111111-1111-1111-1111-111111111111",)"
                                   R"("author":"Somebody","license":"DRL-1.1","level":"high")"))
      << told_[0];
}

TEST_F(DetectorSigmaTest, CorrelationsTellForTheirRules) {
  write(std::string(kRules) + std::string(kTwice));
  ASSERT_TRUE(detector_.load(settings(), false));
  ask(1);
  EXPECT_TRUE(told_.empty()) << "the rule only feeds the correlation";
  ask(2);
  ASSERT_EQ(told_.size(), 1U);
  EXPECT_TRUE(holds_text(told_[0], R"("rule":"Twice")")) << told_[0];
  EXPECT_TRUE(holds_text(told_[0], R"("author":"Somebody else")")) << told_[0];
  EXPECT_TRUE(holds_text(told_[0], R"("ProcessId":"412")")) << told_[0];
  EXPECT_EQ(detector_.activity().at(0).matched, 2U);
}

TEST_F(DetectorSigmaTest, WrongFilesNeverReplaceRulesThatRun) {
  write(kRules);
  ASSERT_TRUE(detector_.load(settings(), false));
  write("title: Broken\nlogsource: {product: linux}\ndetection: {s: {a|b: c}, condition: s}\n");
  EXPECT_FALSE(detector_.load(settings(), true));
  EXPECT_TRUE(holds_text(rules::to_text(detector_.problems().at(0)), "unknown modifier 'b'"));
  ask(1);
  EXPECT_EQ(told_.size(), 1U);
}

TEST_F(DetectorSigmaTest, PlaceholdersComeFromTheSettings) {
  write(
      "title: T\nlogsource: {category: process_creation}\n"
      "detection: {s: {CommandLine|expand|contains: '%word%'}, condition: s}\n");
  EXPECT_FALSE(detector_.load(settings(), false).has_value() && detector_.has_rules());
  auto wanted = settings();
  wanted.sigma_placeholders = {"word=nothing", "word=daemon"};
  ASSERT_TRUE(detector_.load(wanted, false));
  ask(1);
  EXPECT_EQ(told_.size(), 1U);
}

}  // namespace
}  // namespace coff::agent
