// Every search against a scan that asks each entry: random entries, random conditions.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <map>
#include <random>
#include <set>

#include "base/clock.hpp"
#include "base/json_writer.hpp"
#include "trail/index.hpp"
#include "trail/log.hpp"
#include "trail/query.hpp"
#include "trail/test_dir.hpp"

namespace coff::trail {
namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;
constexpr std::int64_t kStartNs = 1'769'860'800 * kSecondNs;
constexpr int kContainers = 9;

/// A word as it is written and as it is found.
struct Word {
  std::string_view written;
  std::string_view found;
};
constexpr Word kWords[] = {{"alpha", "alpha"},
                           {"Beta", "BETA"},
                           {"GAMMA", "gamma"},
                           {"caf\u00E9", "cafe"},
                           {"\u00DCber", "uber"},
                           {"\u0416\u0423\u041A", "\u0436\u0443\u043A"},
                           {"\u6587\u5B57", "\u6587\u5B57"},
                           {"x1y2", "X1Y2"},
                           {"NEAR", "near"},
                           {"OR", "or"}};
constexpr std::string_view kBetween[] = {" ",  "/",  "\"", "--", ";",     "*",
                                         "\n", "\\", "' ", "(",  "\u2028"};

/// One entry, as the generator meant it: nothing here was read from JSON.
struct Made {
  std::uint64_t position = 0;
  std::optional<std::int64_t> wall_ns;
  std::string type;
  std::string kind;
  std::string container;
  std::string container_name;
  std::string image;
  std::string exe;
  std::string path;
  std::optional<std::int64_t> pid;
  std::optional<std::int64_t> process_id;
  std::optional<std::int64_t> uid;
  std::optional<std::int64_t> login_uid;
  std::set<std::string_view> words;  ///< Of kWords, as they are found.
  std::string argument;
};

class IndexSearchTest : public ::testing::TestWithParam<std::tuple<unsigned, std::uint64_t>> {
 protected:
  size_t below(size_t end) { return std::uniform_int_distribution<size_t>(0, end - 1)(random_); }
  bool chance(size_t in) { return below(in) == 0; }

  static std::string container_id(size_t number) {
    return std::to_string(number % 3) + std::string(31, 'a') + std::to_string(number) +
           std::string(31, 'f');
  }

  Made make(std::int64_t number) {
    Made made;
    if (!chance(10)) {
      // The clock jumps now and then.
      wall_ns_ += chance(50) ? static_cast<std::int64_t>(below(600)) * kSecondNs - 300 * kSecondNs
                             : kSecondNs;
      made.wall_ns = wall_ns_;
    }
    made.type = chance(20) ? "block" : "event";
    if (made.type == "event") made.kind = chance(7) ? "connect" : chance(2) ? "exec" : "open";
    if (!chance(3)) {
      const size_t container = below(kContainers);
      made.container = container_id(container);
      // Some names come late, some change, two containers share one.
      if (number > 200 || container % 2 == 0) {
        made.container_name = "name-" + std::to_string(container == 8 ? 7 : container);
        if (container == 3 && number > 700) made.container_name = "renamed";
        made.image = "shop/" + std::to_string(container % 4);
      }
    }
    if (!chance(4)) {
      made.pid = static_cast<std::int64_t>(below(chance(2) ? 50 : 100'000));
      made.process_id = static_cast<std::int64_t>(random_());
      made.exe = "/bin/tool" + std::to_string(below(12));
    }
    if (chance(2)) made.uid = static_cast<std::int64_t>(below(4));
    if (chance(5)) made.login_uid = static_cast<std::int64_t>(below(4));
    if (chance(3)) made.path = "/srv/file" + std::to_string(below(200));
    for (size_t left = below(4); left > 0; --left) {
      const Word& word = kWords[chance(9) ? below(std::size(kWords)) : below(3)];
      made.argument += word.written;
      made.argument += kBetween[below(std::size(kBetween))];
      made.words.insert(word.found);
    }
    return made;
  }

  static std::string json_of(const Made& made) {
    std::string out;
    JsonWriter json(out);
    json.begin_object().member("type", made.type);
    if (!made.kind.empty()) json.member("kind", made.kind);
    if (made.wall_ns) json.member("time", format_time(*made.wall_ns));
    // None of these may be found.
    json.member("flags", std::string_view("alpha")).member("syscall", std::string_view("gamma"));
    json.key("child").begin_object().member("pid", 7).member("exe", std::string_view("no"));
    json.end_object();
    if (made.uid || made.login_uid) {
      json.key("user").begin_object();
      if (made.uid) json.member("uid", *made.uid);
      if (made.login_uid) {
        json.key("login").begin_object().member("uid", *made.login_uid).end_object();
      }
      json.end_object();
    }
    if (!made.container.empty()) {
      json.key("container").begin_object().member("id", made.container);
      if (!made.container_name.empty()) json.member("name", made.container_name);
      if (!made.image.empty()) json.member("image", made.image);
      json.end_object();
    }
    if (!made.path.empty()) {
      json.key(made.path.back() % 2 == 0 ? "file" : "socket").begin_object();
      json.member("path", made.path).end_object();
    }
    json.key("process").begin_object();
    if (made.process_id) {
      char digits[17];
      std::snprintf(digits, sizeof digits, "%016llx",
                    static_cast<unsigned long long>(*made.process_id));
      json.member("id", std::string_view(digits)).member("pid", *made.pid).member("exe", made.exe);
    }
    json.key("args").begin_array().string("-x").string(made.argument).end_array();
    json.end_object().end_object();
    return out;
  }

  // Entries in batches of any size, indexed meanwhile, over restarts and epochs.
  void write(std::uint64_t segment_bytes) {
    LogOptions options = test_options(dir_.path());
    options.segment_bytes_max = segment_bytes;
    auto log = Log::open(options).value();
    auto index = Index::open(dir_.path()).value();
    for (std::int64_t number = 0; number < 1500;) {
      for (size_t batch = below(chance(5) ? 400 : 20) + 1; batch > 0; --batch, ++number) {
        Made made = make(number);
        made.position = position_of(log.epoch(), log.append(json_of(made)).value());
        if (!made.container.empty()) {
          seen_[made.container].insert({made.container_name, made.image});
        }
        made_.push_back(std::move(made));
      }
      ASSERT_TRUE(log.sync().has_value());
      index->announce(log.epoch(), log.durable_size());
      if (chance(2)) {
        ASSERT_TRUE(index->wait(20'000));
      }
      if (chance(10)) {
        index.reset();
        index = Index::open(dir_.path()).value();
        index->announce(log.epoch(), log.durable_size());
      }
      if (chance(40)) {
        ASSERT_TRUE(log.rotate_key().has_value());
      }
    }
    index->announce(log.epoch(), log.durable_size());
    ASSERT_TRUE(index->wait(20'000));
    add_own_entries();
  }

  // The entries that the log wrote by itself are in the way of every search.
  void add_own_entries() {
    std::set<std::uint64_t> known;
    for (const Made& made : made_) known.insert(made.position);
    const auto epochs = list_epochs(dir_.path()).value();
    for (const EpochPlace& epoch : epochs) {
      auto reader = EpochReader::open(epoch.path).value();
      ASSERT_TRUE(reader.scan(0, UINT64_MAX, [&](const EntryAt& at) {
        const std::uint64_t position = position_of(epoch.number, at.seq);
        if (known.contains(position)) return true;
        const auto member = [&](std::string_view name) {
          const size_t start = at.entry.find(name) + name.size();
          return std::string(at.entry.substr(start, at.entry.find('"', start) - start));
        };
        Made own;
        own.position = position;
        own.type = member("\"type\":\"");
        own.wall_ns = parse_time(member("\"time\":\"")).value();
        made_.push_back(std::move(own));
        return true;
      }));
    }
    std::ranges::sort(made_, {}, &Made::position);
  }

  QueryFilter random_filter() {
    const Made& from = made_[below(made_.size())];
    const auto wanted = [&] { return chance(5); };
    QueryFilter filter;
    if (wanted()) filter.type = from.type;
    if (wanted()) filter.kind = chance(9) ? "nothing" : from.kind;
    if (wanted()) filter.exe = from.exe;
    if (wanted()) filter.path = from.path;
    if (wanted()) filter.pid = from.pid;
    if (wanted()) filter.process_id = chance(4) ? 17 : from.process_id;
    if (wanted()) filter.uid = from.uid;
    if (wanted()) filter.login_uid = from.login_uid;
    if (wanted()) filter.container = chance(2) ? from.container_name : from.container;
    if (wanted() && chance(2)) filter.container = from.container.substr(0, below(40));
    if (wanted()) filter.image = from.image;
    if (wanted() && from.wall_ns) filter.from_wall_ns = from.wall_ns;
    if (wanted())
      filter.until_wall_ns = kStartNs + static_cast<std::int64_t>(below(2000)) * kSecondNs;
    if (wanted() || wanted()) {
      for (const std::string_view word : from.words) filter.text += std::string(word) + " ! ";
      if (chance(4)) filter.text += std::string(kWords[below(std::size(kWords))].found);
    }
    if (wanted()) filter.after = chance(2) ? from.position : from.position - 1;
    constexpr size_t kLimits[] = {1, 2, 10, 100, 10'000};
    filter.limit = kLimits[below(std::size(kLimits))];
    filter.newest_first = chance(2);
    return filter;
  }

  [[nodiscard]] bool fulfils(const Made& made, const QueryFilter& filter) const {
    const auto text = [](const std::string& wanted, const std::string& value) {
      return wanted.empty() || wanted == value;
    };
    const auto number = [](const auto& wanted, const auto& value) {
      return !wanted || wanted == value;
    };
    if (filter.after && made.position <= *filter.after) return false;
    if (filter.from_wall_ns && (!made.wall_ns || made.wall_ns < filter.from_wall_ns)) return false;
    if (filter.until_wall_ns && (!made.wall_ns || made.wall_ns >= filter.until_wall_ns)) {
      return false;
    }
    const auto seen = seen_.find(made.container);
    if (!filter.container.empty() && !made.container.starts_with(filter.container) &&
        (seen == seen_.end() || !seen->second.contains(filter.container))) {
      return false;
    }
    if (!filter.image.empty() && (seen == seen_.end() || !seen->second.contains(filter.image))) {
      return false;
    }
    const bool words = std::ranges::all_of(kWords, [&](const Word& word) {
      return !filter.text.contains(word.found) || made.words.contains(word.found);
    });
    return words && text(filter.type, made.type) && text(filter.kind, made.kind) &&
           text(filter.exe, made.exe) && text(filter.path, made.path) &&
           number(filter.pid, made.pid) && number(filter.process_id, made.process_id) &&
           number(filter.uid, made.uid) && number(filter.login_uid, made.login_uid);
  }

  std::vector<std::uint64_t> scan(const QueryFilter& filter) const {
    std::vector<std::uint64_t> positions;
    for (const Made& made : made_) {
      if (fulfils(made, filter)) positions.push_back(made.position);
    }
    if (filter.newest_first) std::ranges::reverse(positions);
    if (positions.size() > filter.limit) positions.resize(filter.limit);
    return positions;
  }

  static std::string describe(const QueryFilter& filter) {
    std::string out;
    JsonWriter json(out);
    json.begin_object().member("type", filter.type).member("kind", filter.kind);
    json.member("container", filter.container).member("image", filter.image);
    json.member("exe", filter.exe).member("path", filter.path).member("text", filter.text);
    for (const auto& [name, value] : {std::pair("pid", filter.pid),
                                      {"process_id", filter.process_id},
                                      {"uid", filter.uid},
                                      {"login_uid", filter.login_uid},
                                      {"from", filter.from_wall_ns},
                                      {"until", filter.until_wall_ns}}) {
      if (value) json.member(name, *value);
    }
    if (filter.after) json.member("after", *filter.after);
    json.member("limit", std::uint64_t{filter.limit}).member("newest", filter.newest_first);
    json.end_object();
    return out;
  }

  TestDir dir_;
  std::mt19937_64 random_{std::get<0>(GetParam())};
  std::int64_t wall_ns_ = kStartNs;
  std::vector<Made> made_;
  std::map<std::string, std::set<std::string>> seen_;  ///< Names and images of each container.
};

TEST_P(IndexSearchTest, FindsWhatAScanFinds) {
  const auto [seed, segment_bytes] = GetParam();
  SCOPED_TRACE("seed " + std::to_string(seed));
  ASSERT_NO_FATAL_FAILURE(write(segment_bytes));
  auto query = Query::open(dir_.path()).value();
  size_t answered = 0;
  for (int at = 0; at < 250; ++at) {
    const QueryFilter filter = random_filter();
    const auto rows = query.run(filter);
    ASSERT_TRUE(rows.has_value()) << rows.error().message() << " " << describe(filter);
    std::vector<std::uint64_t> positions;
    for (const QueryRow& row : *rows) positions.push_back(row.position);
    ASSERT_EQ(positions, scan(filter)) << describe(filter);
    answered += positions.empty() ? 0 : 1;
  }
  // The conditions must be such that they often find something.
  EXPECT_GT(answered, 50U);
}

// Segments that cut blocks short, and blocks that are cut by their size.
INSTANTIATE_TEST_SUITE_P(Seeds, IndexSearchTest,
                         ::testing::Combine(::testing::Range(1U, 4U),
                                            ::testing::Values(8192U, 1U << 26)));

}  // namespace
}  // namespace coff::trail
