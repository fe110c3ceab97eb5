// Quarantine on real containers: what gets out before, during and after, by every way there is.
#include <gtest/gtest.h>
#include <unistd.h>

#include "live/response/stage.hpp"

namespace coff::live {
namespace {

/// From the command to the last byte out. The promise is 100 ms on a quiet machine.
constexpr std::int64_t kLastByteUsMax = 1'000'000;
/// Long enough for anything that was on its way.
constexpr useconds_t kSettleUs = 300'000;

class QuarantineLive : public ResponseLive {
 protected:
  /// What the suspect gets through to the tunnel by datagrams of IPv4 and IPv6 and by raw frames.
  struct Heard {
    std::size_t plain = 0;
    std::size_t frames = 0;
    bool operator==(const Heard&) const = default;
  };
  Heard speak() {
    const std::string peer = address_of("tunnel");
    EXPECT_EQ(talk("suspect", {"udp", peer, "7001"}), "sent 0");
    EXPECT_EQ(talk("suspect", {"udp", address_of("tunnel", true), "7001"}), "sent 0");
    EXPECT_EQ(talk("suspect", {"frame", "eth0", peer}), "taken 5");
    ::usleep(kSettleUs);
    return {heard("plain"), heard("frame")};
  }
  bool reaches_from_host(const std::string& container, const std::string& port) {
    const auto tried = run(
        {"timeout", "2", "bash", "-c", "exec 3<>/dev/tcp/" + address_of(container) + "/" + port});
    return tried && tried->status == 0;
  }
  void start_suspect() {
    start("suspect", {}, {"/talker", "listen", "7002"});
    const std::size_t before = heard("connected");
    docker({"exec", "-d", "suspect", "/talker", "stream", address_of("tunnel"), "7001"});
    ASSERT_TRUE(eventually([&] { return heard("connected") > before; }));
  }
};

TEST_F(QuarantineLive, NothingGetsOutAndReleaseRestoresIt) {
  start_suspect();
  const Heard before = speak();
  ASSERT_GE(before.plain, 2U);
  ASSERT_GE(before.frames, 5U);
  EXPECT_NE(talk("suspect", {"resolver", "53"}).find("answer"), std::string::npos);
  ASSERT_TRUE(reaches_from_host("suspect", "7002"));

  const Outcome planned = respond({"quarantine", "suspect", "--dry-run", "--reason", "drill"});
  EXPECT_NE(planned.out.find("nftables table netdev"), std::string::npos) << planned.out;
  EXPECT_GT(heard("plain"), 0U);
  EXPECT_EQ(speak().plain, before.plain + 2) << "a dry run changed something";

  const Heard last = {heard("plain"), heard("frame")};
  const std::int64_t command_us = now_us();
  const Outcome done = respond({"quarantine", "suspect", "--reason", "drill", "--json"});
  ::usleep(kSettleUs);
  const std::int64_t last_byte_us = last_bytes_us() - command_us;
  RecordProperty("last_byte_us", static_cast<int>(last_byte_us));
  std::printf("last byte %lld us after the command; all of it took %lld us\n",
              static_cast<long long>(last_byte_us),
              static_cast<long long>(now_us() - command_us - kSettleUs));
  EXPECT_LT(last_byte_us, kLastByteUsMax);
  EXPECT_NE(done.out.find("\"as_planned\":true"), std::string::npos) << done.out;
  EXPECT_NE(done.out.find("\"resolver_closed\":true"), std::string::npos) << done.out;
  EXPECT_EQ(speak(), last) << "something got out";
  EXPECT_EQ(talk("suspect", {"resolver", "53"}), "sent 0\nsilence");
  EXPECT_FALSE(reaches_from_host("suspect", "7002"));
  EXPECT_LT(last_bytes_us() - command_us, kLastByteUsMax) << "the stream went on";

  respond({"allow", "suspect", gateway()});
  EXPECT_TRUE(reaches_from_host("suspect", "7002"));
  EXPECT_EQ(speak(), last) << "the allow-list let something else out";
  respond({"allow", "suspect"});
  EXPECT_FALSE(reaches_from_host("suspect", "7002"));

  const std::int64_t released_us = now_us();
  const Outcome released = respond({"release", "suspect", "--json"});
  EXPECT_NE(released.out.find("\"table_gone\":true"), std::string::npos) << released.out;
  EXPECT_GT(speak().plain, last.plain);
  EXPECT_GT(heard("frame"), last.frames);
  EXPECT_NE(talk("suspect", {"resolver", "53"}).find("answer"), std::string::npos);
  EXPECT_TRUE(eventually([&] { return last_bytes_us() > released_us; })) << "no stream any more";
  for (const char* stage : {"planned", "started", "done", "verified", "released"}) {
    EXPECT_TRUE(in_trail("quarantine", "suspect", stage)) << stage;
  }
}

TEST_F(QuarantineLive, HoldsWhileTheAgentIsDeadAndForNetworksThatComeLater) {
  start_suspect();
  respond({"quarantine", "suspect", "--reason", "drill"});
  ::usleep(kSettleUs);
  const std::int64_t closed_us = now_us();
  product_->kill();
  const Heard last = speak();
  EXPECT_LT(last_bytes_us(), closed_us);
  const auto again = product_->start_again();
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(speak(), last);

  docker({"network", "create", "--subnet", "10.214.77.0/24", "coffnet2"});
  docker({"network", "connect", "coffnet2", "suspect"});
  EXPECT_TRUE(in_trail("quarantine", "suspect", "renewed"));
  const auto renewed = trail("quarantine", "suspect", "renewed");
  if (!renewed.empty()) std::printf("%s\n", boost::json::serialize(renewed.back()).c_str());
  EXPECT_EQ(talk("suspect", {"frame", "eth1", "10.214.77.1"}), "taken 5");

  docker({"restart", "-t", "1", "suspect"});
  ASSERT_TRUE(in_trail("quarantine", "suspect", "renewed", 2));
  EXPECT_EQ(speak(), last) << "after a restart";
  respond({"release", "suspect"});
  EXPECT_GT(speak().plain, last.plain);
  docker({"rm", "-f", "suspect"});
  started_.clear();
  docker({"network", "rm", "coffnet2"});
}

TEST_F(QuarantineLive, AContainerInASharedNetworkIsClosedAlone) {
  start("owner", {}, {"/talker", "listen", "7002"});
  start("suspect", {}, {"sleep", "1000"}, "container:owner");
  const std::string peer = address_of("tunnel");
  const std::size_t before = heard("plain");
  const Outcome planned = respond({"plan", "quarantine", "suspect"});
  EXPECT_NE(planned.out.find("netns_peer"), std::string::npos) << planned.out;
  EXPECT_NE(planned.out.find("packet_socket"), std::string::npos) << planned.out;
  const Outcome done = respond({"quarantine", "suspect", "--json"});
  EXPECT_NE(done.out.find("\"group_closed_outward\":true"), std::string::npos) << done.out;
  EXPECT_EQ(talk("suspect", {"udp", peer, "7001"}), "sent 0");
  EXPECT_EQ(talk("suspect", {"resolver", "53"}), "sent 0\nsilence");
  ::usleep(kSettleUs);
  EXPECT_EQ(heard("plain"), before);
  EXPECT_EQ(talk("owner", {"udp", peer, "7001"}), "sent 0");
  EXPECT_TRUE(eventually([&] { return heard("plain") == before + 1; })) << "the owner was cut off";
  respond({"release", "suspect"});
  EXPECT_EQ(talk("suspect", {"udp", peer, "7001"}), "sent 0");
  EXPECT_TRUE(eventually([&] { return heard("plain") == before + 2; }));
}

TEST_F(QuarantineLive, AContainerOfTheHostsNetworkIsClosedByItsGroup) {
  start("suspect", {}, {"sleep", "1000"}, "host");
  const std::string peer = address_of("tunnel");
  const std::size_t before = heard("plain");
  EXPECT_EQ(talk("suspect", {"udp", peer, "7001"}), "sent 0");
  ASSERT_TRUE(eventually([&] { return heard("plain") == before + 1; }));
  const std::size_t released = trail("quarantine", "suspect", "released").size();
  respond({"quarantine", "suspect", "--ttl", "6s"});
  EXPECT_EQ(talk("suspect", {"udp", peer, "7001"}), "sent 0");
  ::usleep(kSettleUs);
  EXPECT_EQ(heard("plain"), before + 1);
  EXPECT_TRUE(in_trail("quarantine", "suspect", "released", released + 1));
  // Datagrams may get lost: any of them says that it is open.
  EXPECT_TRUE(eventually([&] {
    talk("suspect", {"udp", peer, "7001"});
    return heard("plain") > before + 1;
  }));
  EXPECT_NE(respond({"list"}).out.find("nothing is in force"), std::string::npos);
}

}  // namespace
}  // namespace coff::live
