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
  const std::string bytes = *encode(ContainerMessage{"/run/docker.sock", full_container()});
  const auto back = decode<ContainerMessage>(bytes);
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(back->engine, "/run/docker.sock");
  // Byte for byte the same again: no member was left out on either side…
  EXPECT_EQ(*encode(*back), bytes);
  // …and none on both: each member of the original that differs from a fresh one arrived.
  const Container& c = back->container;
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
  const std::string bytes = *encode(ContainerMessage{"e", full_container()});
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode<ContainerMessage>(std::string_view(bytes).substr(0, size))) << size;
  }
  EXPECT_FALSE(decode<ContainerMessage>(bytes + "x"));
}

TEST(ContainerCodec, AnyFlippedByteIsSafe) {
  const std::string bytes = *encode(ContainerMessage{"e", full_container()});
  std::size_t refused = 0;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (const int mask : {0x01, 0x80, 0xff}) {
      std::string changed = bytes;
      changed[at] = static_cast<char>(changed[at] ^ mask);
      if (!decode<ContainerMessage>(changed)) ++refused;
    }
  }
  EXPECT_GT(refused, 0U);
}

TEST(ContainerCodec, EventsListsAndStatesRoundTrip) {
  EngineEventMessage event;
  event.engine = "e";
  event.event = {.type = "container",
                 .action = "exec_create: sh -c id",
                 .id = "abc",
                 .wall_ns = 5,
                 .attributes = {{"execID", "1"}},
                 .name = "web",
                 .image = "i",
                 .labels = {{"l", "v"}},
                 .cuts = {"labels"}};
  const auto event_back = decode<EngineEventMessage>(*encode(event));
  ASSERT_TRUE(event_back);
  EXPECT_EQ(event_back->event.action, event.event.action);
  EXPECT_EQ(event_back->event.cuts, event.event.cuts);
  EXPECT_EQ(event_back->event.attributes, event.event.attributes);

  const ListMessage list{.engine = "e", .ids = {"a", "b"}, .asked_boot_ns = 9};
  const auto list_back = decode<ListMessage>(*encode(list));
  ASSERT_TRUE(list_back);
  EXPECT_EQ(list_back->ids, list.ids);
  EXPECT_EQ(list_back->asked_boot_ns, 9U);

  const UnknownMessage unknown{.engine = "e", .id = "x", .code = Code::kNotFound, .why = "no"};
  const auto unknown_back = decode<UnknownMessage>(*encode(unknown));
  ASSERT_TRUE(unknown_back);
  EXPECT_EQ(unknown_back->code, Code::kNotFound);

  StateMessage state;
  state.status.name = "/run/docker.sock";
  state.status.connected = true;
  state.status.requests_refused = 3;
  const auto state_back = decode<StateMessage>(*encode(state));
  ASSERT_TRUE(state_back);
  EXPECT_TRUE(state_back->status.connected);
  EXPECT_EQ(state_back->status.requests_refused, 3U);
}

TEST(ContainerCodec, TooMuchIsRefusedWhenSent) {
  Container many;
  many.labels.resize(kListMax + 1);
  EXPECT_EQ(encode(ContainerMessage{"e", many}).error().code, Code::kLimit);
  Container long_one;
  long_one.name.assign(kPayloadBytesMax, 'x');
  EXPECT_EQ(encode(ContainerMessage{"e", long_one}).error().code, Code::kLimit);
}

}  // namespace
}  // namespace coff::agent
