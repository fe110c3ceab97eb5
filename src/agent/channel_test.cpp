// Frames and descriptors between processes: order, limits, back-pressure, hostile peers.
#include "agent/channel.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "agent/payload.hpp"

namespace coff::agent {
namespace {

std::pair<Channel, Channel> make_pair() {
  auto pair = Channel::pair();
  EXPECT_TRUE(pair);
  return std::move(*pair);
}

/// A channel, and the bare socket at its other end for sending what no channel would.
std::pair<Channel, Fd> make_bare() {
  auto [one, two] = make_pair();
  return {std::move(one), two.release()};
}

TEST(Channel, DeliversFramesInOrder) {
  auto [one, two] = make_pair();
  ASSERT_TRUE(one.send(1, "first"));
  ASSERT_TRUE(one.send(2, ""));
  ASSERT_TRUE(one.send(3, std::string(100'000, 'x')));
  for (const auto& [type, size] : {std::pair{1, 5}, {2, 0}, {3, 100'000}}) {
    const auto frame = two.receive_wait(1000);
    ASSERT_TRUE(frame) << frame.error().message();
    EXPECT_EQ(frame->type, type);
    EXPECT_EQ(frame->payload.size(), static_cast<std::size_t>(size));
  }
  const auto none = two.receive();
  ASSERT_TRUE(none);
  EXPECT_FALSE(*none);
}

TEST(Channel, PassesDescriptorsWithTheirFrame) {
  auto [one, two] = make_pair();
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const Fd read_end(ends[0]);
  Fd write_end(ends[1]);
  const int given[] = {write_end.get(), read_end.get()};
  ASSERT_TRUE(one.send(1, "none"));
  ASSERT_TRUE(one.send(2, "two", given));
  ASSERT_TRUE(one.send(3, "none"));
  write_end.reset();
  ASSERT_TRUE(two.receive_wait(1000)->descriptors.empty());
  const auto frame = two.receive_wait(1000);
  ASSERT_TRUE(frame);
  ASSERT_EQ(frame->descriptors.size(), 2U);
  ASSERT_TRUE(write_all(frame->descriptors[0], "hello"));
  char buffer[5];
  EXPECT_EQ(::read(read_end.get(), buffer, sizeof buffer), 5);
  EXPECT_NE(::fcntl(frame->descriptors[0].get(), F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_TRUE(two.receive_wait(1000)->descriptors.empty());
}

TEST(Channel, EndIsNotFound) {
  auto [one, two] = make_pair();
  ASSERT_TRUE(one.send(1, "last"));
  one.close();
  ASSERT_TRUE(two.receive_wait(1000));
  const auto end = two.receive_wait(1000);
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().code, Code::kNotFound);
}

TEST(Channel, SlowReaderIsBackPressure) {
  auto [one, two] = make_pair();
  const std::string megabyte(1U << 20U, 'x');
  std::size_t sent = 0;
  for (; sent < 100; ++sent) {
    const auto result = one.send(1, megabyte);
    if (result) continue;
    EXPECT_EQ(result.error().code, Code::kLimit);
    break;
  }
  ASSERT_GT(sent, 6U);
  ASSERT_LT(sent, 20U);
  EXPECT_LE(one.queued_bytes(), kSendQueueBytesMax + kPayloadBytesMax);
  std::jthread reader([&two, sent] {
    for (std::size_t i = 0; i < sent; ++i) EXPECT_TRUE(two.receive_wait(5000));
  });
  EXPECT_TRUE(one.flush_wait(5000));
  EXPECT_FALSE(one.wants_write());
}

TEST(Channel, RefusesTooBigFrames) {
  auto [one, two] = make_pair();
  const auto sent = one.send(1, std::string(kPayloadBytesMax + 1, 'x'));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, Code::kInvalid);
}

TEST(Channel, HostileLengthAllocatesNothing) {
  auto [one, bare] = make_bare();
  const unsigned char header[] = {0xff, 0xff, 0xff, 0x7f, 1, 0, kFrameVersion, 0};
  ASSERT_EQ(::write(bare.get(), header, sizeof header), 8);
  const auto frame = one.receive();
  ASSERT_FALSE(frame);
  EXPECT_EQ(frame.error().code, Code::kInvalid);
}

TEST(Channel, HostileVersionAndDescriptorsAreRefused) {
  for (const auto& [version, descriptors] : {std::pair{99, 0}, {1, 9}, {1, 1}}) {
    auto [one, bare] = make_bare();
    const unsigned char header[] = {0,
                                    0,
                                    0,
                                    0,
                                    1,
                                    0,
                                    static_cast<unsigned char>(version),
                                    static_cast<unsigned char>(descriptors)};
    ASSERT_EQ(::write(bare.get(), header, sizeof header), 8);
    const auto frame = one.receive();
    ASSERT_FALSE(frame);
    EXPECT_EQ(frame.error().code, Code::kInvalid);
  }
}

TEST(Channel, BytesOneByOneStillMakeFrames) {
  auto [one, bare] = make_bare();
  std::string bytes;
  PayloadWriter(bytes).number(std::uint32_t{3}).number(std::uint16_t{7}).number(kFrameVersion);
  bytes += '\0';
  bytes += "abc";
  for (std::size_t i = 0; i + 1 < bytes.size(); ++i) {
    ASSERT_EQ(::write(bare.get(), &bytes[i], 1), 1);
    const auto frame = one.receive();
    ASSERT_TRUE(frame);
    ASSERT_FALSE(*frame);
  }
  ASSERT_EQ(::write(bare.get(), &bytes.back(), 1), 1);
  const auto frame = one.receive();
  ASSERT_TRUE(frame);
  ASSERT_TRUE(*frame);
  EXPECT_EQ((*frame)->type, 7);
  EXPECT_EQ((*frame)->payload, "abc");
}

TEST(Payload, ReaderStopsAtTheEnd) {
  std::string bytes;
  PayloadWriter(bytes).text("abc").number(std::int64_t{-5}).number(true);
  PayloadReader good(bytes);
  EXPECT_EQ(good.text(), "abc");
  EXPECT_EQ(good.number<std::int64_t>(), -5);
  EXPECT_TRUE(good.number<bool>());
  EXPECT_TRUE(good.done());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    PayloadReader cut(std::string_view(bytes).substr(0, size));
    cut.text();
    cut.number<std::int64_t>();
    cut.number<bool>();
    EXPECT_FALSE(cut.done()) << size;
  }
  PayloadReader longer(bytes);
  EXPECT_EQ(longer.text(), "abc");
  EXPECT_FALSE(longer.done());
}

TEST(Payload, CountMustFit) {
  std::string bytes;
  PayloadWriter(bytes).number(std::uint32_t{0xffffffff}).text("only one");
  PayloadReader reader(bytes);
  EXPECT_EQ(reader.count(4), 0U);
  EXPECT_TRUE(reader.failed());
}

}  // namespace
}  // namespace coff::agent
