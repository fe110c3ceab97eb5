// The producer's side: batches, acknowledgements, a keeper that is away, and exact counts of loss.
#include "agent/trail_writer.hpp"

#include <gtest/gtest.h>

#include <ctime>

#include "agent/payload.hpp"
#include "base/clock.hpp"

namespace coff::agent {
namespace {

/// A writer, and the bare keeper's end of its channel.
class Writer : public testing::Test {
 protected:
  void connect() {
    auto pair = Channel::pair();
    ASSERT_TRUE(pair);
    keeper_ = std::move(pair->second);
    ASSERT_TRUE(peer_.attach(std::move(pair->first)));
    ASSERT_TRUE(writer_.connect(peer_));
  }
  /// Takes what came, counts its entries, and acknowledges it when wanted.
  std::uint64_t take(bool acknowledge) {
    std::uint64_t entries = 0;
    for (;;) {
      // As the loop's before_wait does: batches that met a full channel are offered again.
      EXPECT_TRUE(writer_.flush());
      EXPECT_TRUE(loop_.dispatch(0));
      auto frame = keeper_.receive();
      if (!frame || !*frame) return entries;
      PayloadReader reader((*frame)->payload);
      const auto first = reader.number<std::uint64_t>();
      const std::uint32_t count = reader.count(4);
      for (std::uint32_t i = 0; i < count; ++i) bytes_ += reader.text().size();
      const std::uint32_t values = reader.count(8);
      for (std::uint32_t i = 0; i < values; ++i) {
        EXPECT_EQ(reader.text().size(), 32U);
        values_.emplace_back(reader.text());
      }
      const std::uint32_t references = reader.count(16);
      for (std::uint32_t i = 0; i < references; ++i) {
        EXPECT_LT(reader.number<std::uint32_t>(), count);
        offsets_.push_back(reader.number<std::uint32_t>());
        EXPECT_LT(reader.number<std::uint64_t>(), first + count);
      }
      EXPECT_TRUE(reader.done());
      entries += count;
      if (!acknowledge) continue;
      std::string ack;
      PayloadWriter(ack).number(first + count).number(first + count + 99);
      EXPECT_TRUE(keeper_.send(static_cast<std::uint16_t>(Message::kAck), ack));
    }
  }

  Result<Loop> opened_ = Loop::open();
  Loop& loop_ = *opened_;
  TrailWriter writer_;
  Channel keeper_;
  Peer peer_{loop_, [this](Frame&& frame) { return writer_.handle_ack(frame.payload); },
             [this](const Error&) -> Result<void> {
               writer_.disconnect();
               return {};
             }};
  std::uint64_t bytes_ = 0;
  std::vector<std::string> values_;
  std::vector<std::uint32_t> offsets_;
};

TEST_F(Writer, EntriesArriveAndAreAcknowledged) {
  connect();
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(*writer_.append("{\"t\":1}"), static_cast<std::uint64_t>(i));
  }
  ASSERT_TRUE(writer_.flush());
  EXPECT_EQ(take(true), 1000U);
  ASSERT_TRUE(loop_.dispatch(0));
  EXPECT_TRUE(writer_.all_durable());
  EXPECT_EQ(writer_.counters().waiting_bytes, 0U);
  EXPECT_EQ(writer_.counters().last_sequence, 1099U);
}

TEST_F(Writer, NewKeeperGetsWhatTheOldOneDidNotAcknowledge) {
  connect();
  ASSERT_TRUE(writer_.append("{\"t\":1}"));
  ASSERT_TRUE(writer_.flush());
  EXPECT_EQ(take(true), 1U);
  ASSERT_TRUE(loop_.dispatch(0));
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(writer_.append("{\"t\":2}"));
  ASSERT_TRUE(writer_.flush());
  EXPECT_EQ(take(false), 10U);
  keeper_.close();
  ASSERT_TRUE(loop_.dispatch(0));
  ASSERT_TRUE(writer_.append("{\"t\":3}"));
  ASSERT_TRUE(writer_.flush());
  connect();
  EXPECT_EQ(take(true), 11U);
  ASSERT_TRUE(loop_.dispatch(0));
  EXPECT_TRUE(writer_.all_durable());
  EXPECT_EQ(writer_.counters().resent, 10U);
}

TEST_F(Writer, RedactedValuesTravelWithTheirEntry) {
  connect();
  const trail::Disclosure values[] = {{{1}, "geheim"},
                                      {{2}, std::string(kDisclosureBytesMax, 'x')}};
  ASSERT_TRUE(writer_.append("{\"t\":1}", values));
  ASSERT_TRUE(writer_.flush());
  EXPECT_EQ(take(false), 1U);
  EXPECT_EQ(values_, std::vector<std::string>{"geheim"});
  EXPECT_EQ(writer_.counters().values_dropped, 1U);
  // Not acknowledged, so a new keeper gets them again.
  connect();
  EXPECT_EQ(take(true), 1U);
  EXPECT_EQ(values_.size(), 2U);
  ASSERT_TRUE(loop_.dispatch(0));
  EXPECT_EQ(writer_.counters().waiting_bytes, 0U);
}

TEST_F(Writer, ReferencesTravelWithTheirEntry) {
  connect();
  ASSERT_EQ(*writer_.append("{\"t\":1}"), 0U);
  const EntryReference references[] = {{.offset = 1, .number = 0}};
  ASSERT_TRUE(writer_.append("{\"t\":2}", {}, references));
  ASSERT_TRUE(writer_.flush());
  EXPECT_EQ(take(true), 2U);
  EXPECT_EQ(offsets_, std::vector<std::uint32_t>{1});
}

TEST_F(Writer, WhatCannotWaitIsCounted) {
  const std::string entry(50'000, 'x');
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;
  for (int i = 0; i < 1000; ++i) {
    const auto added = writer_.append(entry);
    if (added) ++accepted;
    else ++refused;
  }
  EXPECT_GT(refused, 0U);
  EXPECT_EQ(writer_.counters().accepted, accepted);
  EXPECT_EQ(writer_.counters().refused_full, refused);
  EXPECT_LE(writer_.counters().waiting_bytes, kUnackedBytesMax);
  EXPECT_FALSE(writer_.append(std::string(kEntryBytesMax + 1, 'x')));
  EXPECT_EQ(writer_.counters().refused_size, 1U);
  // A keeper that comes then gets all that was accepted.
  connect();
  std::uint64_t taken = 0;
  for (int i = 0; i < 1000 && taken < accepted; ++i) taken += take(true);
  EXPECT_EQ(taken, accepted);
}

TEST_F(Writer, ManyEntriesCostLittle) {
  connect();
  constexpr int kEntries = 200'000;
  const std::string entry(700, 'x');
  const std::clock_t begun = std::clock();
  std::uint64_t taken = 0;
  for (int i = 0; i < kEntries; ++i) {
    while (!writer_.append(entry)) taken += take(true);
    if (i % 1000 == 0) taken += take(true);
  }
  for (int i = 0; i < 1000 && taken < kEntries; ++i) taken += take(true);
  const double seconds = static_cast<double>(std::clock() - begun) / CLOCKS_PER_SEC;
  EXPECT_EQ(taken, static_cast<std::uint64_t>(kEntries));
  EXPECT_EQ(bytes_, kEntries * 700ULL);
  std::printf("both ends: %.2f us of CPU for an entry of 700 bytes\n", seconds * 1e6 / kEntries);
  RecordProperty("cpu_ns_per_entry", static_cast<int>(seconds * 1e9 / kEntries));
}

}  // namespace
}  // namespace coff::agent
