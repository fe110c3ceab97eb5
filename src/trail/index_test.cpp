// The index and the queries over it.
#include "trail/index.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "base/fd.hpp"
#include "base/json_writer.hpp"
#include "trail/index_row.hpp"
#include "trail/log.hpp"
#include "trail/query.hpp"
#include "trail/test_dir.hpp"

namespace coff::trail {
namespace {

// An entry as the schema room writes it.
std::string event(int number, std::string_view container, std::string_view argument) {
  std::string out;
  JsonWriter json(out);
  json.begin_object()
      .member("type", std::string_view("event"))
      .member("kind", std::string_view(number % 2 == 0 ? "exec" : "open"))
      .member("time", "2026-01-31T12:00:00." + std::to_string(100 + number) + "Z")
      .member("boot", number)
      .key("process")
      .begin_object()
      .member("id", std::string_view("000000000000beef"))
      .member("pid", 400 + number)
      .member("exe", std::string_view("/bin/dash"))
      .key("args")
      .begin_array()
      .string("sh")
      .string(argument)
      .end_array()
      .end_object();
  if (!container.empty()) {
    json.key("container")
        .begin_object()
        .member("id", std::string(64, container[0]))
        .member("name", container)
        .member("image", std::string_view("shop/web:1.2"))
        .end_object();
  }
  json.end_object();
  return out;
}

class IndexTest : public ::testing::Test {
 protected:
  void SetUp() override {
    log_ = Log::open(test_options(dir_.path())).value();
    index_ = Index::open(dir_.path()).value();
    for (int at = 0; at < 300; ++at) {
      const auto container = at % 3 == 0 ? "" : at % 3 == 1 ? "web" : "database";
      ASSERT_TRUE(log_->append(event(at, container, at == 77 ? "cat /etc/shadow; \"x" : "id")));
      if (at % 20 == 19) {
        ASSERT_TRUE(log_->sync().has_value());
      }
    }
    index_->announce(log_->epoch(), log_->durable_size());
    ASSERT_TRUE(index_->wait(20'000));
  }
  std::vector<QueryRow> ask(const QueryFilter& filter) {
    auto query = Query::open(dir_.path());
    EXPECT_TRUE(query.has_value()) << query.error().message();
    auto rows = query->run(filter);
    EXPECT_TRUE(rows.has_value()) << rows.error().message();
    return rows.value_or(std::vector<QueryRow>{});
  }

  // Rows of a part of the index.
  std::int64_t count(const std::string& from) {
    const std::string path = dir_.path() + "/" + std::string(kIndexFile);
    auto database = Database::open(path, Database::Mode::kReadOnly).value();
    auto statement = database.prepare("SELECT count(*) FROM " + from).value();
    EXPECT_TRUE(statement.step().value());
    return statement.integer(0);
  }

  TestDir dir_;
  std::optional<Log> log_;
  std::unique_ptr<Index> index_;
};

TEST_F(IndexTest, FindsByEachCondition) {
  EXPECT_EQ(ask({}).size(), 301U);
  EXPECT_EQ(ask({.container = "web"}).size(), 100U);
  EXPECT_EQ(ask({.container = "wwwwwwwwwwww"}).size(), 100U);
  EXPECT_EQ(ask({.container = "nothing"}).size(), 0U);
  EXPECT_EQ(ask({.image = "shop/web:1.2"}).size(), 200U);
  EXPECT_EQ(ask({.type = "genesis"}).size(), 1U);
  EXPECT_EQ(ask({.type = "event", .kind = "exec"}).size(), 150U);
  EXPECT_EQ(ask({.exe = "/bin/dash", .pid = 450}).size(), 1U);
  EXPECT_EQ(ask({.process_id = 0xbeef}).size(), 300U);
  const auto rows = ask({.container = "database", .text = "Shadow ETC"});
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(seq_of(rows[0].position), 78U);
  EXPECT_EQ(rows[0].entry, log_->reader().entry(78).value());
}

TEST_F(IndexTest, FindsPeopleByTheNamesInTheirPlaces) {
  for (const std::string rest :
       {R"("by":{"user":"anna"},"user":{"uid":0,"name":"root"}})",
        R"("user":{"uid":0,"name":"root","login":{"uid":5,"name":"anna"}}})",
        R"("by":{"component":"cron"},"user":{"uid":33,"name":"www-data"}})",
        R"("process":{"args":["su","anna"]}})", R"("by":{"user":"anna-two"}})"}) {
    ASSERT_TRUE(log_->append(R"({"type":"event","kind":"exec",)" + rest));
  }
  ASSERT_TRUE(log_->append(R"({"type":"finding","kind":"exec","by":{"user":"anna"}})"));
  ASSERT_TRUE(log_->sync().has_value());
  index_->announce(log_->epoch(), log_->durable_size());
  ASSERT_TRUE(index_->wait(20'000));
  EXPECT_EQ(ask({.user = "anna"}).size(), 3U);
  EXPECT_EQ(ask({.other_than_type = "finding", .user = "anna"}).size(), 2U);
  EXPECT_EQ(ask({.user = "anna-two"}).size(), 1U);
  EXPECT_EQ(ask({.user = "root"}).size(), 2U);
  EXPECT_EQ(ask({.user = "cron"}).size(), 1U);
  EXPECT_EQ(ask({.user = "su"}).size(), 0U);
}

TEST_F(IndexTest, LimitsOrdersAndContinues) {
  const auto first = ask({.type = "event", .limit = 10});
  ASSERT_EQ(first.size(), 10U);
  EXPECT_EQ(seq_of(first[0].position), 1U);
  const auto next = ask({.type = "event", .after = first.back().position, .limit = 10});
  EXPECT_EQ(seq_of(next[0].position), 11U);
  const auto last = ask({.limit = 1, .newest_first = true});
  EXPECT_EQ(seq_of(last[0].position), 300U);
}

TEST_F(IndexTest, FindsByTime) {
  const std::int64_t second = 1769860800LL * 1'000'000'000;
  const auto rows =
      ask({.from_wall_ns = second + 110'000'000, .until_wall_ns = second + 120'000'000});
  EXPECT_EQ(rows.size(), 10U);
}

TEST_F(IndexTest, QuerySyntaxIsNotInterpreted) {
  EXPECT_EQ(ask({.text = "id\" OR \"genesis"}).size(), 0U);
  EXPECT_EQ(ask({.text = "NEAR(id sh)"}).size(), 0U);
  auto query = Query::open(dir_.path()).value();
  EXPECT_EQ(query.run({.text = "\"*"}).error().code, Code::kInvalid);
  EXPECT_EQ(ask({.container = "x' OR 1=1 --"}).size(), 0U);
}

TEST_F(IndexTest, HostileTextHidesNothing) {
  std::string many;
  for (int at = 0; at < 2700; ++at) many += "w" + std::to_string(at) + ",";
  const std::string long_word(15'000, 'q');
  const std::string bad_bytes = "{\"type\":\"event\",\"x\":\"\xFF unread\"}";
  const std::string deep = R"({"type":"event","deep":)" + std::string(200, '[') + "\"unseen\"" +
                           std::string(200, ']') + "}";
  const std::string arguments[] = {std::string("before\0after", 12),
                                   long_word,
                                   many,
                                   std::string(kIndexedTextBytesMax, '-') + "beyond",
                                   "'; DROP TABLE blocks; --",
                                   "\\u0041\"}],\"kind\":\"forged\"",
                                   std::string("\xEF\xBF\xBF\xED\xA0\x80 odd")};
  for (const std::string& argument : arguments) {
    ASSERT_TRUE(log_->append(event(301, "web", argument)));
  }
  ASSERT_TRUE(log_->append(bad_bytes));
  ASSERT_TRUE(log_->append(deep));
  for (int at = 0; at < 20; ++at) ASSERT_TRUE(log_->append(event(302, "web", many)));
  ASSERT_TRUE(log_->append(event(303, "web", "the last")));
  ASSERT_TRUE(log_->sync().has_value());
  index_->announce(log_->epoch(), log_->durable_size());
  ASSERT_TRUE(index_->wait(20'000));
  EXPECT_EQ(ask({.text = "after"}).size(), 1U);
  EXPECT_EQ(ask({.text = "q" + std::string(4000, 'q')}).size(), 0U);
  EXPECT_EQ(ask({.text = "w0 w1777 w2699"}).size(), 21U);
  EXPECT_EQ(ask({.text = "w2700"}).size(), 0U);
  EXPECT_EQ(ask({.text = "beyond"}).size(), 0U);
  EXPECT_EQ(ask({.text = "drop table"}).size(), 1U);
  EXPECT_EQ(ask({.kind = "forged"}).size(), 0U);
  EXPECT_EQ(ask({.text = "forged"}).size(), 1U);
  EXPECT_EQ(ask({.text = "odd"}).size(), 1U);
  EXPECT_EQ(ask({.text = "last"}).size(), 1U);
  // What is no JSON, or too deep, has no words and no columns, but it is there.
  EXPECT_EQ(ask({.text = "unread"}).size(), 0U);
  EXPECT_EQ(ask({.text = "unseen"}).size(), 0U);
  EXPECT_EQ(ask({}).size(), 301U + 7 + 2 + 21);
}

TEST_F(IndexTest, GoesOnAfterARestartAndANewEpoch) {
  index_.reset();
  ASSERT_TRUE(log_->append(event(301, "web", "late")));
  ASSERT_TRUE(log_->rotate_key().has_value());
  ASSERT_TRUE(log_->append(event(302, "web", "later")));
  ASSERT_TRUE(log_->sync().has_value());
  index_ = Index::open(dir_.path()).value();
  index_->announce(log_->epoch(), log_->durable_size());
  ASSERT_TRUE(index_->wait(20'000));
  EXPECT_EQ(index_->lag().entries, 0U);
  EXPECT_EQ(ask({.text = "late"}).size(), 1U);
  const auto rows = ask({.text = "later"});
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(epoch_of(rows[0].position), 2U);
  EXPECT_EQ(ask({.type = "genesis"}).size(), 2U);
}

TEST_F(IndexTest, ADamagedIndexIsBegunAnew) {
  index_.reset();
  const std::string path = dir_.path() + "/" + std::string(kIndexFile);
  std::filesystem::remove(path + "-wal");
  std::ofstream(path, std::ios::trunc) << std::string(100'000, 'x');
  index_ = Index::open(dir_.path()).value();
  index_->announce(log_->epoch(), log_->durable_size());
  ASSERT_TRUE(index_->wait(20'000));
  EXPECT_EQ(ask({}).size(), 301U);
}

TEST_F(IndexTest, AnIndexWithDamagedPagesIsBegunAnew) {
  index_.reset();
  const std::string path = dir_.path() + "/" + std::string(kIndexFile);
  std::string bytes = read_file(path, 1 << 24).value();
  ASSERT_GT(bytes.size(), 32768U);
  // The first page, by which SQLite knows its own, stays.
  std::fill(bytes.begin() + 16384, bytes.end(), '\xA5');
  std::ofstream(path, std::ios::trunc) << bytes;
  auto query = Query::open(dir_.path());
  ASSERT_TRUE(query.has_value());
  EXPECT_EQ(query->run({}).error().code, Code::kCorrupt);
  index_ = Index::open(dir_.path()).value();
  index_->announce(log_->epoch(), log_->durable_size());
  ASSERT_TRUE(index_->wait(20'000));
  // The open query sees that its file was replaced.
  EXPECT_EQ(query->run({}).value().size(), 301U);
}

TEST_F(IndexTest, AnotherVersionIsRefusedAndBegunAnew) {
  index_.reset();
  const std::string path = dir_.path() + "/" + std::string(kIndexFile);
  for (const int version : {kIndexVersion - 1, kIndexVersion + 1}) {
    auto database = Database::open(path, Database::Mode::kReadWrite).value();
    ASSERT_TRUE(
        database.execute("DROP TABLE blocks; PRAGMA user_version=" + std::to_string(version)));
    EXPECT_EQ(Query::open(dir_.path()).error().code, Code::kUnsupported);
    index_ = Index::open(dir_.path()).value();
    index_->announce(log_->epoch(), log_->durable_size());
    ASSERT_TRUE(index_->wait(20'000));
    EXPECT_EQ(ask({}).size(), 301U);
    index_.reset();
  }
}

TEST_F(IndexTest, ForgetsWhatLeftTheTrail) {
  const auto places = list_segments(log_->epoch_dir()).value();
  ASSERT_GT(places.size(), 4U);
  const std::uint64_t first_kept = places[3].first_seq;
  ASSERT_TRUE(log_->checkpoint().has_value());
  ASSERT_TRUE(log_->drop_before(1, first_kept).has_value());
  // Before the index hears of it, and after.
  EXPECT_EQ(ask({}).size(), 301U - first_kept);
  ASSERT_TRUE(log_->append(event(301, "late", "id")));
  ASSERT_TRUE(log_->sync().has_value());
  index_->announce(log_->epoch(), log_->durable_size());
  ASSERT_TRUE(index_->wait(20'000));
  const auto rows = ask({});
  ASSERT_EQ(rows.size(), 302U - first_kept);
  EXPECT_EQ(rows[0].position, position_of(1, first_kept));
  EXPECT_EQ(count("blocks WHERE position<" + std::to_string(position_of(1, first_kept))), 0);
  EXPECT_GT(count("blocks"), 0);
  EXPECT_EQ(count("containers"), 3);
  // Once nothing is left of the other containers' segments, nothing is known of them.
  for (int at = 302; at < 400; ++at) {
    ASSERT_TRUE(log_->append(event(at, "late", "id")));
    ASSERT_TRUE(log_->sync().has_value());
  }
  ASSERT_TRUE(log_->checkpoint().has_value());
  ASSERT_TRUE(log_->drop_before(1, list_segments(log_->epoch_dir()).value().back().first_seq));
  ASSERT_TRUE(log_->append(event(400, "late", "id")));
  ASSERT_TRUE(log_->sync().has_value());
  index_->announce(log_->epoch(), log_->durable_size());
  ASSERT_TRUE(index_->wait(20'000));
  EXPECT_EQ(ask({.container = "web"}).size(), 0U);
  EXPECT_GT(ask({.container = "late"}).size(), 0U);
  EXPECT_EQ(count("containers"), 1);
}

TEST_F(IndexTest, OneBlockGrowsOverManyBatches) {
  // 50 batches of one entry: the newest block takes them in, a restart begins another.
  const std::int64_t before = count("blocks");
  for (int at = 301; at < 351; ++at) {
    ASSERT_TRUE(log_->append(event(at, "web", "grow" + std::to_string(at))));
    ASSERT_TRUE(log_->sync().has_value());
    if (at == 325) {
      index_.reset();
      index_ = Index::open(dir_.path()).value();
    }
    index_->announce(log_->epoch(), log_->durable_size());
    ASSERT_TRUE(index_->wait(20'000));
  }
  // One for each segment, and one for the restart.
  const auto segments = static_cast<std::int64_t>(list_segments(log_->epoch_dir())->size());
  EXPECT_GT(segments, before);
  EXPECT_GE(count("blocks"), segments);
  EXPECT_LE(count("blocks"), segments + 1);
  for (int at = 301; at < 351; ++at) {
    const auto rows = ask({.text = "grow" + std::to_string(at)});
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(seq_of(rows[0].position), static_cast<std::uint64_t>(at));
  }
}

TEST_F(IndexTest, RebuildsFromTheSegments) {
  index_.reset();
  EXPECT_EQ(rebuild_index(dir_.path(), {}).error().code, Code::kBusy);
  log_.reset();
  std::filesystem::remove(dir_.path() + "/" + std::string(kIndexFile));
  EXPECT_EQ(rebuild_index(dir_.path(), {}).value(), 301U);
  EXPECT_EQ(ask({.container = "web"}).size(), 100U);
}

}  // namespace
}  // namespace coff::trail
