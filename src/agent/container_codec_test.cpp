// Containers between processes: nothing is lost on the way, nothing malformed is believed.
#include "agent/container_codec.hpp"

#include <gtest/gtest.h>

#include "agent/channel.hpp"

namespace coff::agent {
namespace {

Container full_container() {
  Container c;
  c.id = std::string(64, 'a');
  c.engine = "docker";
  c.metadata = Metadata::kPartial;
  c.metadata_reason = "gone too soon";
  c.name = "web\n\x1b[31m";
  c.image = "shop/web:1.2";
  c.image_id = "sha256:1";
  c.image_digest = "sha256:2";
  c.labels = {{"a", "b"}, {"", std::string("\0x", 2)}};
  c.command = {"nginx", "-g", "daemon off;"};
  c.created_wall_ns = -1;
  c.started_wall_ns = 1'700'000'000'000'000'000;
  c.init_pid = 77;
  c.privileged = true;
  c.host_network = false;
  c.host_pid = true;
  c.user = "1000:1000";
  c.capabilities_added = {"NET_ADMIN"};
  c.capabilities_dropped = {"ALL"};
  c.mounts = {{"bind", "/etc", "/host", "rw", "rprivate", true}};
  c.networks = {{"bridge", "172.17.0.2", "fe80::1", "02:42"}};
  c.ports = {{"0.0.0.0", "tcp", 8080, 80}};
  c.restart_policy = "always";
  c.health_check = "CMD-SHELL true";
  c.compose_project = "shop";
  c.compose_service = "web";
  c.k8s_cluster = "c";
  c.k8s_namespace = "n";
  c.k8s_pod = "p";
  c.k8s_pod_uid = "u";
  c.k8s_container = "k";
  c.ecs_cluster = "e";
  c.ecs_task = "t";
  c.ecs_service = "s";
  c.ecs_container = "ec";
  return c;
}

TEST(ContainerCodec, RoundTripKeepsEveryMember) {
  const std::string bytes = *encode_container(full_container());
  const auto back = decode_container(bytes);
  ASSERT_TRUE(back) << back.error().message();
  // Byte for byte the same again: no member was left out on either side…
  EXPECT_EQ(*encode_container(*back), bytes);
  // …and none on both: each member of the original that differs from a fresh one arrived.
  const Container& c = *back;
  EXPECT_EQ(c.name, "web\n\x1b[31m");
  EXPECT_EQ(c.labels, full_container().labels);
  EXPECT_EQ(c.command.size(), 3U);
  EXPECT_EQ(c.created_wall_ns, -1);
  EXPECT_EQ(c.init_pid, 77U);
  EXPECT_TRUE(c.privileged && c.host_pid && !c.host_network);
  EXPECT_EQ(c.mounts.at(0).propagation, "rprivate");
  EXPECT_TRUE(c.mounts.at(0).writable);
  EXPECT_EQ(c.networks.at(0).mac, "02:42");
  EXPECT_EQ(c.ports.at(0).host_port, 8080);
  EXPECT_EQ(c.health_check, "CMD-SHELL true");
  EXPECT_EQ(c.ecs_container, "ec");
  EXPECT_EQ(c.k8s_pod_uid, "u");
  EXPECT_EQ(c.metadata, Metadata::kPartial);
}

TEST(ContainerCodec, EveryCutIsRefused) {
  const std::string bytes = *encode_container(full_container());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_container(std::string_view(bytes).substr(0, size))) << size;
  }
  EXPECT_FALSE(decode_container(bytes + "x"));
}

TEST(ContainerCodec, AnyFlippedByteIsSafe) {
  const std::string bytes = *encode_container(full_container());
  std::size_t refused = 0;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (const int mask : {0x01, 0x80, 0xff}) {
      std::string changed = bytes;
      changed[at] = static_cast<char>(changed[at] ^ mask);
      if (!decode_container(changed)) ++refused;
    }
  }
  EXPECT_GT(refused, 0U);
}

TEST(ContainerCodec, TooMuchIsRefusedWhenSent) {
  Container many;
  many.labels.resize(kListMax + 1);
  EXPECT_EQ(encode_container(many).error().code, Code::kLimit);
  Container long_one;
  long_one.name.assign(kPayloadBytesMax, 'x');
  EXPECT_EQ(encode_container(long_one).error().code, Code::kLimit);
}

}  // namespace
}  // namespace coff::agent
