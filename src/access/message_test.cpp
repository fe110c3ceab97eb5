// HTTP messages out of streams that are split, pipelined, broken and incomplete.
#include "access/message.hpp"

#include <gtest/gtest.h>

namespace coff::access {
namespace {

struct Seen {
  std::vector<Message> heads;
  std::vector<Message> wholes;
  bool bodies = true;

  MessageReader::Handlers handlers() {
    return {.on_head =
                [this](Message& head) {
                  heads.push_back(head);
                  return bodies;
                },
            .on_end = [this](Message& whole) { wholes.push_back(whole); }};
  }
};

constexpr auto kRequests = MessageReader::Side::kRequests;
constexpr auto kAnswers = MessageReader::Side::kAnswers;

constexpr std::string_view kTwo =
    "POST /containers/a/exec HTTP/1.1\r\nHost: d\r\nContent-Length: 3\r\n\r\nabc"
    "POST /build HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    "4\r\nwxyz\r\nA;x=y\r\n0123456789\r\n0\r\nTrailer: 1\r\n\r\n"
    "GET /info HTTP/1.1\r\n\r\n";

void expect_two(const Seen& seen) {
  ASSERT_EQ(seen.wholes.size(), 3U);
  EXPECT_EQ(seen.wholes[0].start, "POST /containers/a/exec HTTP/1.1");
  EXPECT_EQ(seen.wholes[0].body, "abc");
  EXPECT_EQ(seen.wholes[1].body, "wxyz0123456789");
  EXPECT_EQ(seen.wholes[2].start, "GET /info HTTP/1.1");
  for (const Message& whole : seen.wholes) EXPECT_FALSE(whole.cut || whole.guessed);
}

TEST(MessageReader, FollowsPipelinedRequests) {
  Seen seen;
  MessageReader reader(kRequests, seen.handlers());
  reader.feed(0, kTwo, kTwo.size());
  expect_two(seen);
}

TEST(MessageReader, FollowsRequestsSplitAnywhere) {
  for (size_t split = 1; split < kTwo.size(); ++split) {
    Seen seen;
    MessageReader reader(kRequests, seen.handlers());
    reader.feed(0, kTwo.substr(0, split), split);
    reader.feed(split, kTwo.substr(split), kTwo.size() - split);
    expect_two(seen);
  }
  Seen seen;
  MessageReader reader(kRequests, seen.handlers());
  for (size_t at = 0; at < kTwo.size(); ++at) reader.feed(at, kTwo.substr(at, 1), 1);
  expect_two(seen);
}

// Each of these is obeyed by Go's net/http.
TEST(MessageReader, IsAsLenientAsTheEngines) {
  Seen seen;
  MessageReader reader(kRequests, seen.handlers());
  const std::string_view text =
      "POST /a HTTP/1.1\nhost: d\ncOnTent-lenGTH:   2 \n\nhi"
      "POST /b HTTP/1.1\r\nTransfer-Encoding:\r\n  Chunked\r\nContent-Length: 900\r\n\r\n"
      "2 \nok\r\n0\n\nGET /c HTTP/1.0\r\n\r\n";
  reader.feed(0, text, text.size());
  ASSERT_EQ(seen.wholes.size(), 3U);
  EXPECT_EQ(seen.wholes[0].body, "hi");
  EXPECT_EQ(seen.wholes[1].body, "ok");
  EXPECT_EQ(seen.wholes[2].start, "GET /c HTTP/1.0");
}

TEST(MessageReader, SkipsHolesWhereTheLengthIsKnown) {
  Seen seen;
  MessageReader reader(kRequests, seen.handlers());
  const std::string_view head =
      "PUT /containers/a/archive HTTP/1.1\r\nContent-Length: 100000\r\n\r\n";
  const std::string_view next = "POST /containers/a/kill HTTP/1.1\r\n\r\n";
  reader.feed(0, head, head.size());
  reader.feed(head.size(), "tar", 100'000);
  reader.feed(head.size() + 100'000, next, next.size());
  ASSERT_EQ(seen.wholes.size(), 2U);
  EXPECT_TRUE(seen.wholes[0].cut);
  EXPECT_EQ(seen.wholes[0].body_bytes, 100'000U);
  EXPECT_EQ(seen.wholes[1].start, "POST /containers/a/kill HTTP/1.1");
  EXPECT_FALSE(seen.wholes[1].guessed);
  EXPECT_EQ(reader.missing_bytes(), 99'997U);
}

TEST(MessageReader, FindsTheNextRequestBehindALostChunk) {
  Seen seen;
  MessageReader reader(kRequests, seen.handlers());
  const std::string_view head =
      "POST /build HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n8000\r\nxx";
  reader.feed(0, head, head.size());
  const std::string_view tail = "zz\r\n0\r\n\r\nPOST /containers/a/exec HTTP/1.1\r\n\r\n";
  reader.feed(500'000, tail, tail.size());
  ASSERT_EQ(seen.wholes.size(), 2U);
  EXPECT_TRUE(seen.wholes[0].cut);
  EXPECT_EQ(seen.wholes[1].start, "POST /containers/a/exec HTTP/1.1");
  EXPECT_TRUE(seen.wholes[1].guessed);
}

TEST(MessageReader, BoundsWhatItKeeps) {
  Seen seen;
  MessageReader reader(kRequests, seen.handlers());
  std::string text = "POST /" + std::string(100'000, 'a') + " HTTP/1.1\r\nX: ";
  text +=
      std::string(100'000, 'b') + "\r\nContent-Length: 200000\r\n\r\n" + std::string(200'000, 'c');
  reader.feed(0, text, text.size());
  // What is left of its first line is no request line any more: it is found again by its looks.
  for (const Message& whole : seen.wholes) {
    EXPECT_LE(whole.start.size(), kLineBytesMax);
    EXPECT_LE(whole.body.size(), kBodyBytesMax);
  }
}

TEST(MessageReader, ReadsAnswersUntilTheEnd) {
  Seen seen;
  MessageReader reader(kAnswers, seen.handlers());
  const std::string_view text =
      "HTTP/1.1 201 Created\r\nContent-Length: 11\r\n\r\n{\"Id\":\"ab\"}"
      "HTTP/1.1 200 OK\r\n\r\nstream HTTP/1.1 500 no answer";
  reader.feed(0, text, text.size());
  ASSERT_EQ(seen.heads.size(), 2U);
  EXPECT_EQ(seen.wholes.size(), 1U);
}

TEST(MessageReader, KeepsQuietOnceRaw) {
  Seen seen;
  MessageReader reader(kRequests, seen.handlers());
  reader.become_raw();
  reader.feed(0, kTwo, kTwo.size());
  reader.feed(0, kTwo, kTwo.size());
  EXPECT_TRUE(seen.heads.empty());
}

}  // namespace
}  // namespace coff::access
