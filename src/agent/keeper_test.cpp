// The keeper with its real trail, fed by a real sensor context over real channels.
#include "agent/keeper.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "agent/pipeline.hpp"
#include "agent/test_agent.hpp"
#include "base/clock.hpp"
#include "trail/query.hpp"
#include "trail/reader.hpp"
#include "trail/verify.hpp"

namespace coff::agent::test {
namespace {

class KeeperTest : public testing::Test {
 protected:
  void SetUp() override {
    settings_.data_dir = directory_.path();
    settings_.host = {"test-host", "test-id"};
    settings_.trail.batch_ms = 1;
  }
  void open() {
    auto opened = Keeper::open(loop_, settings_);
    ASSERT_TRUE(opened) << opened.error().message();
    keeper_ = std::move(*opened);
  }
  /// Both sides run until everything of the sensor is durable.
  void settle(SensorContext& sensor) {
    ASSERT_TRUE(sensor.trail().flush());
    const std::int64_t until_ns = boot_now_ns() + 10'000'000'000;
    while (!sensor.trail().all_durable() && boot_now_ns() < until_ns) {
      ASSERT_TRUE(loop_.dispatch(20));
    }
    ASSERT_TRUE(sensor.trail().all_durable());
  }
  void connect(SensorContext& sensor) {
    auto pair = Channel::pair();
    ASSERT_TRUE(pair);
    ASSERT_TRUE(keeper_->attach(Link::kToSensor, std::move(pair->first)));
    ASSERT_TRUE(sensor.attach(Link::kToKeeper, std::move(pair->second)));
  }
  std::vector<std::string> entries() const {
    std::vector<std::string> found;
    const auto epochs = trail::list_epochs(settings_.trail_dir()).value();
    auto reader = trail::EpochReader::open(epochs.back().path).value();
    EXPECT_TRUE(reader.scan(reader.first_seq(), UINT64_MAX, [&](const trail::EntryAt& at) {
      found.emplace_back(at.entry);
      return true;
    }));
    return found;
  }
  std::string entry_with(const std::string& text) const {
    for (const std::string& entry : entries()) {
      if (entry.contains(text)) return entry;
    }
    return "";
  }
  void expect_good() const {
    const auto report = trail::verify_trail(settings_.trail_dir(), {}).value();
    for (const auto& finding : report.findings) {
      EXPECT_FALSE(finding.damage) << finding.kind << ": " << finding.detail;
    }
    EXPECT_TRUE(report.ok());
  }

  TemporaryDirectory directory_;
  config::Config settings_;
  Loop loop_ = Loop::open().value();
  std::unique_ptr<Keeper> keeper_;
};

Event exec_with(const std::string& argument) {
  auto program = std::make_shared<Program>();
  program->exe = "/usr/bin/client";
  program->filename = "/usr/bin/client";
  program->argv = {"client", argument};
  auto container = std::make_shared<Container>();
  container->id = std::string(64, 'a');
  container->name = "web";
  container->metadata = Metadata::kComplete;
  auto process = std::make_shared<Process>();
  process->pid = 77;
  process->program = program;
  process->container = container;
  Event event;
  event.kind = Kind::exec;
  event.wall_ns = wall_now_ns();
  event.process = process;
  event.container = container;
  event.detail = ExecInfo{"/usr/bin/client", "/"};
  return event;
}

TEST_F(KeeperTest, RedactedValuesCanBeDisclosedAndErased) {
  open();
  SensorContext sensor(loop_, settings_);
  connect(sensor);
  runtime::Directory containers({}, [](Event) {});
  Pipeline pipeline(sensor, containers);
  pipeline.take(exec_with("--password=geheim"));
  settle(sensor);
  ASSERT_TRUE(keeper_->finish());

  const std::string entry = entry_with("--password=");
  ASSERT_NE(entry, "");
  EXPECT_FALSE(entry.contains("geheim")) << entry;
  constexpr std::string_view kMark = "[redacted:";
  const std::size_t at = entry.find(kMark);
  ASSERT_NE(at, std::string::npos) << entry;
  const std::string commitment = entry.substr(at + kMark.size(), 44);

  const std::string path = settings_.trail_dir() + "/" + std::string(trail::kSidecarFile);
  {
    const auto reader = trail::Sidecar::open(path, trail::Sidecar::Mode::kReadOnly).value();
    const auto disclosure = reader.find(commitment);
    ASSERT_TRUE(disclosure) << disclosure.error().message();
    EXPECT_EQ(disclosure->value, "geheim");
    EXPECT_TRUE(trail::verify_disclosure(commitment, *disclosure));
  }
  expect_good();
  // The index is made from entries: it finds the commitment, and never had the value to forget.
  const auto found = [&](const std::string& text) {
    auto query = trail::Query::open(settings_.trail_dir());
    return query ? query->run({.text = text}).value().size() : SIZE_MAX;
  };
  EXPECT_TRUE(eventually([&] { return found(commitment) == 1; }));
  EXPECT_EQ(found("password"), 1U);
  EXPECT_EQ(found("geheim"), 0U);
  auto writer = trail::Sidecar::open(path, trail::Sidecar::Mode::kReadWrite).value();
  ASSERT_TRUE(writer.erase(commitment, "asked to"));
  EXPECT_EQ(writer.find(commitment).error().code, Code::kNotFound);
  expect_good();
}

TEST_F(KeeperTest, ASidecarThatCannotBeOpenedCostsNoEntry) {
  open();
  ASSERT_EQ(::mkdir((settings_.trail_dir() + "/" + std::string(trail::kSidecarFile)).c_str(), 0700),
            0);
  SensorContext sensor(loop_, settings_);
  connect(sensor);
  const trail::Disclosure value{{1}, "geheim"};
  ASSERT_TRUE(sensor.trail().append("{\"type\":\"test\",\"time\":1}", {&value, 1}));
  settle(sensor);
  EXPECT_EQ(keeper_->counters().values_lost, 1U);
  EXPECT_NE(entry_with("\"type\":\"test\""), "");
}

TEST_F(KeeperTest, RetentionRemovesTheOldestOnTheRecord) {
  settings_.trail.retention_mib = 1;
  open();
  SensorContext sensor(loop_, settings_);
  connect(sensor);
  const std::string entry = "{\"type\":\"test\",\"fill\":\"" + std::string(20'000, 'x') + "\"}";
  for (int at = 0; at < 200; ++at) {
    ASSERT_TRUE(sensor.trail().append(entry));
    if (at % 20 == 19) settle(sensor);
  }
  keeper_->keep_limits();
  ASSERT_TRUE(keeper_->finish());
  EXPECT_GT(keeper_->counters().removed_entries, 100U);
  EXPECT_LT(keeper_->counters().removed_entries, 190U);
  const std::string record = entry_with("\"type\":\"retention\"");
  EXPECT_TRUE(record.contains("\"why\":\"size\"")) << record;
  EXPECT_FALSE(entries().front().contains("\"seq\":0,"));
  expect_good();
}

TEST_F(KeeperTest, ValuesAsOldAsTheirEntriesMayGetGoToo) {
  settings_.trail.retention_days = 1;
  open();
  const std::string path = settings_.trail_dir() + "/" + std::string(trail::kSidecarFile);
  auto sidecar = trail::Sidecar::open(path, trail::Sidecar::Mode::kReadWrite).value();
  const std::string young = sidecar.store({{1}, "young"}).value();
  const std::string old = sidecar.store({{2}, "old"}).value();
  ASSERT_TRUE(sidecar.flush());
  auto database = Database::open(path, Database::Mode::kReadWrite).value();
  ASSERT_TRUE(
      database.execute("UPDATE secrets SET stored_wall_ns=stored_wall_ns-90000000000000 "
                       "WHERE commitment='" +
                       old + "'"));
  keeper_->keep_limits();
  EXPECT_TRUE(sidecar.find(young));
  EXPECT_EQ(sidecar.find(old).error().code, Code::kNotFound);
}

TEST_F(KeeperTest, HeartbeatsTellTheCountersOfTheKeeper) {
  open();
  const std::int64_t until_ns = boot_now_ns() + 15'000'000'000;
  std::string beat;
  while (beat.empty() && boot_now_ns() < until_ns) {
    ASSERT_TRUE(loop_.dispatch(100));
    beat = entry_with("\"type\":\"heartbeat\"");
  }
  for (const char* name : {"\"keeper\":{", "\"commits\":", "\"slowest_commit_us\":",
                           "\"disk_full\":false", "\"lag_entries\":"}) {
    EXPECT_TRUE(beat.contains(name)) << name << " is missing in " << beat;
  }
}

TEST_F(KeeperTest, QueriesAreAnsweredOnTheirOwnThreadInBoundedNumber) {
  open();
  SensorContext sensor(loop_, settings_);
  connect(sensor);
  for (int at = 0; at < 1000; ++at) {
    ASSERT_TRUE(sensor.trail().append("{\"type\":\"test\",\"time\":\"2026-01-01T00:00:00Z\"}"));
  }
  settle(sensor);
  // The index begins beside the log, not with it.
  ASSERT_TRUE(eventually([&] { return trail::Query::open(settings_.trail_dir()).has_value(); }));
  const auto queries = QueryThread::start(settings_.trail_dir()).value();
  std::uint64_t taken = 0;
  std::uint64_t refused = 0;
  for (std::uint64_t call = 0; call < 100; ++call) {
    const auto asked = queries->ask({call, 1, R"({"kind":["test"],"limit":10000})"});
    if (asked) ++taken;
    else if (asked.error().code == Code::kBusy) ++refused;
  }
  EXPECT_EQ(taken + refused, 100U);
  EXPECT_GE(taken, kQueriesWaitingMax);
  EXPECT_GT(refused, 0U);
  std::vector<QueryAnswer> answers;
  ASSERT_TRUE(eventually([&] {
    for (QueryAnswer& answer : queries->take()) answers.push_back(std::move(answer));
    return answers.size() == taken;
  }));
  ASSERT_TRUE(queries->ask({7, 1, R"({"kind":["test"],"limit":"many"})"}));
  ASSERT_TRUE(eventually([&] {
    for (QueryAnswer& answer : queries->take()) answers.push_back(std::move(answer));
    return answers.size() == taken + 1;
  }));
  EXPECT_EQ(answers.back().outcome.error().code, Code::kInvalid);
  answers.pop_back();
  for (const QueryAnswer& answer : answers) {
    EXPECT_TRUE(answer.outcome) << answer.outcome.error().message();
  }
}

TEST(ClockWatch, TellsStepsAndNotDrift) {
  ClockWatch watch;
  EXPECT_FALSE(watch.look(1'000'000'000'000, 5'000'000'000));
  EXPECT_FALSE(watch.look(1'001'000'100'000, 6'000'000'000));
  EXPECT_EQ(watch.look(1'062'000'100'000, 7'000'000'000), 60'000'000'000);
  EXPECT_FALSE(watch.look(1'063'000'100'000, 8'000'000'000));
  EXPECT_EQ(watch.look(1'003'000'100'000, 9'000'000'000), -61'000'000'000);
}

}  // namespace
}  // namespace coff::agent::test
