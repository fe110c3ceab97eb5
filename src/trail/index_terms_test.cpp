// What an entry is found by: its row, its words, its terms, and the filters over them.
#include "trail/index_terms.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "trail/index_block.hpp"
#include "trail/index_row.hpp"
#include "trail/words.hpp"

namespace coff::trail {
namespace {

std::vector<std::string> words_of(std::string_view text) {
  auto cutter = WordCutter::open().value();
  std::vector<std::string> words;
  EXPECT_TRUE(cutter.cut(text, [&](std::string_view word) { words.emplace_back(word); }));
  return words;
}

TEST(Words, AreRunsOfLettersAndDigitsWithoutCaseAndDiacritics) {
  using Words = std::vector<std::string>;
  EXPECT_EQ(words_of("cat /etc/shadow; \"X\""), (Words{"cat", "etc", "shadow", "x"}));
  EXPECT_EQ(words_of("Caf\u00E9 CAFE\u0301 \u00DCber"), (Words{"cafe", "cafe", "uber"}));
  EXPECT_EQ(words_of("\u041F\u0420\u0418\u0412\u0415\u0422-\u4F60\u597D"),
            (Words{"\u043F\u0440\u0438\u0432\u0435\u0442", "\u4F60\u597D"}));
  EXPECT_EQ(words_of(std::string_view("a\0b", 3)), (Words{"a", "b"}));
  EXPECT_EQ(words_of(""), Words{});
  EXPECT_EQ(words_of("\xFF\xC3"), words_of("\xFF\xC3"));
  EXPECT_EQ(words_of(std::string(50'000, 'x')).at(0).size(), 50'000U);
}

TEST(IndexRow, HasEveryColumn) {
  IndexRowReader reader;
  const std::string entry =
      R"({"type":"event","kind":"exec","time":"2026-01-31T12:00:00.000000001Z","boot":7,)"
      R"("user":{"uid":1000,"login":{"uid":5,"name":"an\u006Ea"}},"flags":"O_RDWR",)"
      R"("container":{"id":"c1","name":"web","image":"shop","labels":{"a":"b"}},)"
      R"("process":{"id":"ffffffffffffffff","pid":12,"exe":"/bin/sh","args":["-c","e\"\u00e9"],)"
      R"("ancestors":[{"name":"no","args":["no"]}],"env":["NO=1"]},"file":{"path":"/f"}})";
  const IndexRow& row = reader.read(entry);
  EXPECT_EQ(row.wall_ns, std::int64_t{1'769'860'800} * 1'000'000'000 + 1);
  EXPECT_EQ(row.type, "event");
  EXPECT_EQ(row.kind, "exec");
  EXPECT_EQ(row.container_id, "c1");
  EXPECT_EQ(row.container_name, "web");
  EXPECT_EQ(row.image, "shop");
  EXPECT_EQ(row.pid, 12);
  EXPECT_EQ(row.process_id, -1);
  EXPECT_EQ(row.uid, 1000);
  EXPECT_EQ(row.login_uid, 5);
  EXPECT_EQ(row.exe, "/bin/sh");
  EXPECT_EQ(row.path(), "/f");
  EXPECT_EQ(row.texts, (std::vector<std::string_view>{"anna", "web", "shop", "/bin/sh", "-c",
                                                      "e\"\u00e9", "/f"}));
  EXPECT_EQ(reader.read(R"({"socket":{"path":"/run/s"}})").path(), "/run/s");
}

TEST(IndexRow, AnyBytesGiveARow) {
  IndexRowReader reader;
  const std::string deep(100, '[');
  const std::string arrays =
      R"({"process":)" + std::string(30, '[') + R"({"pid":1})" + std::string(30, ']') + "}";
  for (const std::string_view bytes :
       {std::string_view(), std::string_view("{"), std::string_view("[]"), std::string_view("7"),
        std::string_view("\"x\""), std::string_view(R"({"process":[{"pid":1}],"time":7})"),
        std::string_view(R"({"process":{"pid":1e99}})"),
        std::string_view(R"({"process":{"pid":18446744073709551615}})"),
        std::string_view(R"({"process":{"pid":true}})"), std::string_view(R"({"a":{"pid":1}})"),
        std::string_view(R"({"\u0070rocess":{"pid":1}})"),
        std::string_view(R"({"pro\u0063ess":{"pid":1}})"),
        std::string_view(R"({"process":{"\\\\id":7,"p\u0069d":1,"\u0070id":1}})"),
        std::string_view(R"({"process":{"pid":1}} x)"), std::string_view("\xFF\xFE"),
        std::string_view(R"({"process":{"pid":1},"x":")"
                         "\xFF\"}"),
        std::string_view(deep), std::string_view(arrays)}) {
    const IndexRow& row = reader.read(bytes);
    EXPECT_FALSE(row.pid.has_value()) << bytes;
    EXPECT_FALSE(row.wall_ns.has_value()) << bytes;
    EXPECT_TRUE(row.texts.empty()) << bytes;
  }
}

TEST(IndexRow, OnlyTheFirstTextIsSearchable) {
  IndexRowReader reader;
  const std::string entry = R"({"a":")" + std::string(kIndexedTextBytesMax - 10, 'x') +
                            R"(","b":"0123456789abcdef","c":"late"})";
  const IndexRow& row = reader.read(entry);
  ASSERT_EQ(row.texts.size(), 2U);
  EXPECT_EQ(row.texts[1], "0123456789");
}

TEST(Terms, OfDifferentColumnsAndValuesDiffer) {
  TermSet set;
  size_t terms = 0;
  for (const Column column : {Column::kType, Column::kKind, Column::kPid, Column::kWord}) {
    for (int at = 0; at < 3000; ++at) {
      set.insert(term_of(column, std::to_string(at)));
      set.insert(term_of(column, std::int64_t{at}));
      set.insert(term_of(column, "x", std::to_string(at)));
      terms += 3;
    }
  }
  EXPECT_EQ(set.size(), terms);
  EXPECT_FALSE(set.insert(term_of(Column::kWord, "7")));
  set.clear();
  EXPECT_EQ(set.size(), 0U);
  EXPECT_TRUE(set.insert(term_of(Column::kWord, "7")));
}

TEST(Terms, AreWrittenDownInFiles) {
  // Another value would make every index wrong without anybody noticing: raise kIndexVersion.
  EXPECT_EQ(term_of(Column::kKind, "exec"), term_of(Column::kKind, "exec", ""));
  EXPECT_EQ(term_of(Column::kKind, "exec"), 0xC8F14593715D5331U);
  EXPECT_EQ(term_of(Column::kPid, std::int64_t{412}), 0xE91D70154A46347EU);
  EXPECT_EQ(term_of(Column::kContainerKind, "0123456789abcdef", "open"), 0x4FC3A1E47C301B7FU);
}

TEST(Terms, NamesOfStringsDependOnEveryByteAndTheirBorders) {
  const StringNamer namer;
  EXPECT_EQ(namer.name({"abc", "de"}), namer.name({"abc", "de"}));
  EXPECT_NE(namer.name({"abc", "de"}), namer.name({"ab", "cde"}));
  EXPECT_NE(namer.name({""}), namer.name({"", ""}));
  EXPECT_NE(namer.name({std::string_view("a\0", 2)}), namer.name({"a"}));
  TermSet set;
  std::string text(40, 'x');
  set.insert(namer.name({text}));
  for (size_t at = 0; at < text.size(); ++at) {
    std::string other = text;
    other[at] = 'y';
    EXPECT_TRUE(set.insert(namer.name({other})));
    EXPECT_TRUE(set.insert(namer.name({text.substr(0, at)})));
  }
}

TEST(Filter, NeverDeniesAndSeldomLies) {
  std::mt19937_64 random(7);
  for (const size_t count : {0U, 1U, 2U, 16U, 100U, 5000U}) {
    std::vector<std::uint64_t> terms(count);
    for (auto& term : terms) term = term_of(Column::kWord, static_cast<std::int64_t>(random()));
    const std::string filter = make_filter(terms);
    EXPECT_EQ(filter.size() % kFilterLineBytes, 0U);
    EXPECT_LE(filter.size(), count * 2 + kFilterLineBytes);
    for (const auto term : terms) EXPECT_TRUE(may_hold(filter, term));
    int wrong = 0;
    for (int at = 0; at < 20'000; ++at) {
      wrong +=
          may_hold(filter, term_of(Column::kWord, static_cast<std::int64_t>(random()))) ? 1 : 0;
    }
    EXPECT_LE(wrong, 100) << count;
  }
}

TEST(Block, IsFullByEntriesOrByTerms) {
  auto block = BlockBuilder::open().value();
  IndexRowReader reader;
  size_t entries = 0;
  for (; !block.is_full(); ++entries) ASSERT_TRUE(block.add(reader.read(R"({"type":"event"})")));
  EXPECT_EQ(entries, kBlockEntriesMax);
  EXPECT_EQ(block.filter().size(), kFilterLineBytes);
  EXPECT_FALSE(block.wall_min_ns().has_value());
  block.clear();
  int word = 0;
  for (entries = 0; !block.is_full(); ++entries) {
    std::string text;
    while (text.size() < 15'000) text += std::to_string(word++) + " ";
    ASSERT_TRUE(block.add(reader.read(R"({"x":")" + text + R"("})")));
  }
  EXPECT_LT(entries, 10U);
  EXPECT_LE(block.filter().size(), 2 * (kBlockTermsMax + kIndexedTextBytesMax / 2));
}

}  // namespace
}  // namespace coff::trail
