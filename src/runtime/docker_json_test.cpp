// Engine answers as values: recorded ones of Docker and podman, and hostile ones.
#include "runtime/docker_json.hpp"

#include <algorithm>
#include <map>
#include <sstream>

#include <gtest/gtest.h>

#include "base/fd.hpp"

namespace coff::runtime {
namespace {

std::string fixture(const std::string& name) {
  const auto text =
      read_file(std::string(COFF_SOURCE_DIR "/tests/fixtures/runtime/") + name, 4U << 20U);
  EXPECT_TRUE(text) << text.error().message();
  return text.value_or("");
}

TEST(ParseInspect, ReadsEverythingOfAComposeContainer) {
  const auto container = parse_inspect(fixture("docker_inspect_web.json"));
  ASSERT_TRUE(container) << container.error().message();
  EXPECT_EQ(container->id, "4be5e9997962d1c14376ccf6c052e09e8bd6d0ea00a3034be9a337c2aa6d5520");
  EXPECT_EQ(container->metadata, Metadata::kComplete);
  EXPECT_EQ(container->metadata_reason, "");
  EXPECT_EQ(container->name, "shop_web_1");
  EXPECT_EQ(container->image, "shop/web:1.2");
  EXPECT_TRUE(container->image_id.starts_with("sha256:74e4eb22"));
  EXPECT_EQ(container->command, (std::vector<std::string>{"sh", "-c", "sleep 61"}));
  EXPECT_EQ(container->created_wall_ns, 1795500264520112297);
  EXPECT_EQ(container->started_wall_ns, 1795500264806040648);
  EXPECT_EQ(container->init_pid, 10290U);
  EXPECT_FALSE(container->privileged);
  EXPECT_FALSE(container->host_network);
  EXPECT_EQ(container->user, "1000:1000");
  EXPECT_EQ(container->capabilities_added, std::vector<std::string>{"CAP_NET_ADMIN"});
  EXPECT_EQ(container->capabilities_dropped, std::vector<std::string>{"CAP_CHOWN"});
  EXPECT_EQ(container->restart_policy, "unless-stopped");
  EXPECT_EQ(container->health_check, "true");
  EXPECT_EQ(container->compose_project, "shop");
  EXPECT_EQ(container->compose_service, "web");
  const Labels::value_type note{"note", "line one\nline two \"quoted\""};
  EXPECT_NE(std::ranges::find(container->labels, note), container->labels.end());

  ASSERT_EQ(container->networks.size(), 2U);
  EXPECT_EQ(container->networks[0].name, "bridge");
  EXPECT_EQ(container->networks[0].ipv4, "10.131.77.2");
  EXPECT_EQ(container->networks[1].name, "shop_back");
  EXPECT_EQ(container->networks[1].mac, "02:42:0a:83:4e:02");
  ASSERT_EQ(container->ports.size(), 1U);
  EXPECT_EQ(container->ports[0].host_address, "127.0.0.1");
  EXPECT_EQ(container->ports[0].host_port, 18080);
  EXPECT_EQ(container->ports[0].container_port, 8080);
  EXPECT_EQ(container->ports[0].protocol, "tcp");
}

TEST(ParseInspect, ReadsBindsVolumesAndTmpfs) {
  const auto container = parse_inspect(fixture("docker_inspect_web.json"));
  ASSERT_TRUE(container) << container.error().message();
  ASSERT_EQ(container->mounts.size(), 3U);
  EXPECT_EQ(container->mounts[0].type, "bind");
  EXPECT_EQ(container->mounts[0].source, "/srv/shop/conf");
  EXPECT_EQ(container->mounts[0].destination, "/etc/shop");
  EXPECT_FALSE(container->mounts[0].writable);
  EXPECT_EQ(container->mounts[1].type, "volume");
  EXPECT_EQ(container->mounts[1].source, "shop_data");
  EXPECT_TRUE(container->mounts[1].writable);
  EXPECT_EQ(container->mounts[2].type, "tmpfs");
  EXPECT_EQ(container->mounts[2].destination, "/scratch");
}

TEST(ParseInspect, DerivesKubernetesAndEcsFromLabels) {
  const auto pod = parse_inspect(fixture("docker_inspect_k8s.json"));
  ASSERT_TRUE(pod) << pod.error().message();
  EXPECT_EQ(pod->name, "api_renamed");
  EXPECT_EQ(pod->k8s_namespace, "shop");
  EXPECT_EQ(pod->k8s_pod, "api-7c9");
  EXPECT_EQ(pod->k8s_pod_uid, "7a1b2c3d-0000-4000-8000-00000000abcd");
  EXPECT_EQ(pod->k8s_container, "api");
  const auto task = parse_inspect(fixture("docker_inspect_ecs.json"));
  ASSERT_TRUE(task) << task.error().message();
  EXPECT_EQ(task->ecs_cluster, "prod");
  EXPECT_EQ(task->ecs_task, "0123456789abcdef0123456789abcdef");
  EXPECT_EQ(task->ecs_service, "billing");
  EXPECT_EQ(task->ecs_container, "job");
  EXPECT_TRUE(task->host_network);
  EXPECT_TRUE(task->host_pid);
  EXPECT_EQ(task->restart_policy, "no");
}

TEST(ParseInspect, ReadsPodman) {
  const auto container = parse_inspect(fixture("podman_inspect.json"));
  ASSERT_TRUE(container) << container.error().message();
  EXPECT_EQ(container->name, "shop_db_1");
  EXPECT_EQ(container->image, "localhost/shop/db:1");
  EXPECT_TRUE(container->image_id.starts_with("sha256:"));
  EXPECT_EQ(container->capabilities_added, std::vector<std::string>{"CAP_NET_ADMIN"});
  EXPECT_EQ(container->user, "1000");
  EXPECT_EQ(container->compose_service, "db");
  EXPECT_EQ(container->command, (std::vector<std::string>{"sleep", "60"}));
  EXPECT_GT(container->started_wall_ns, container->created_wall_ns);
  ASSERT_EQ(container->mounts.size(), 1U);
  EXPECT_TRUE(container->networks.empty());
}

TEST(ParseInspect, RefusesWhatIsMalformed) {
  const std::string id = "\"Id\":\"4be5e9997962\"";
  for (const std::string& text : std::vector<std::string>{
           "",
           "{",
           "null",
           "[]",
           "\"x\"",
           "{}",
           R"({"Id":""})",
           R"({"Id":"../../x"})",
           R"({"Id":"a b"})",
           R"({"Id":1})",
           "{" + id + R"(,"State":[]})",
           "{" + id + R"(,"State":{"Pid":-1}})",
           "{" + id + R"(,"State":{"Pid":1e99}})",
           "{" + id + R"(,"State":{"StartedAt":"soon"}})",
           "{" + id + R"(,"Config":{"Labels":[1]}})",
           "{" + id + R"(,"Config":{"Labels":{"a":1}}})",
           "{" + id + R"(,"Mounts":{}})",
           "{" + id + R"(,"NetworkSettings":{"Ports":{"x/tcp":null}}})",
           "{" + id + R"(,"NetworkSettings":{"Ports":{"70000/tcp":null}}})",
           "{" + id + ",\"Name\":\"\xff\"}",
           "{" + id + "}trailing",
           "{" + id + ",\"X\":" + std::string(40, '[') + std::string(40, ']') + "}"}) {
    const auto container = parse_inspect(text);
    ASSERT_FALSE(container) << text;
    EXPECT_EQ(container.error().code, Code::kInvalid) << text;
  }
}

TEST(ParseInspect, BoundsMemoryAndSize) {
  const auto long_answer = parse_inspect(std::string(kInspectBytesMax + 1, ' '));
  ASSERT_FALSE(long_answer);
  EXPECT_EQ(long_answer.error().code, Code::kLimit);
  std::string dense = "{\"x\":[";
  while (dense.size() < kInspectBytesMax - 64) dense += "[],";
  dense += "[]]}";
  const auto bounded = parse_inspect(dense);
  ASSERT_FALSE(bounded);
}

TEST(ParseInspect, SaysWhatALimitCut) {
  std::string labels;
  for (size_t number = 0; number < kLabelsMax + 10; ++number)
    labels += "\"l" + std::to_string(number) + "\":\"v\",";
  labels += "\"last\":\"v\"";
  const std::string name = std::string(4094, 'n') + "\u20ac" + "tail";
  const auto container = parse_inspect(R"({"Id":"abc","Name":")" + name +
                                       R"(","Config":{"Labels":{)" + labels + "}}}");
  ASSERT_TRUE(container) << container.error().message();
  EXPECT_EQ(container->labels.size(), kLabelsMax);
  EXPECT_EQ(container->name, std::string(4094, 'n'));
  EXPECT_NE(container->metadata_reason.find("Labels"), std::string::npos);
  EXPECT_NE(container->metadata_reason.find("Name"), std::string::npos);
}

TEST(ParseInspect, KeepsHostileTextAsItIs) {
  const auto container =
      parse_inspect(R"({"Id":"abc","Name":"/a\u0000b\u001b[2J\n","Config":null,"Mounts":null})");
  ASSERT_TRUE(container) << container.error().message();
  EXPECT_EQ(container->name, std::string("a\0b\x1b[2J\n", 8));
}

TEST(ParseList, ReadsDockerAndPodman) {
  const auto docker = parse_list(fixture("docker_list.json"));
  ASSERT_TRUE(docker) << docker.error().message();
  EXPECT_EQ(docker->ids.size(), 3U);
  EXPECT_FALSE(docker->cut);
  const auto podman = parse_list(fixture("podman_list.json"));
  ASSERT_TRUE(podman) << podman.error().message();
  EXPECT_EQ(podman->ids.size(), 1U);
  EXPECT_FALSE(parse_list(fixture("docker_not_found.json")));
  EXPECT_FALSE(parse_list("[{}]"));
  EXPECT_FALSE(parse_list("[{\"Id\":\"a/../b\"}]"));
}

TEST(ParseVersion, TellsDockerFromPodman) {
  const auto docker = parse_version(fixture("docker_version.json"));
  ASSERT_TRUE(docker) << docker.error().message();
  EXPECT_EQ(docker->engine, "docker");
  EXPECT_EQ(docker->version, "20.10.24+dfsg1");
  const auto podman =
      parse_version(R"({"Components":[{"Name":"Podman Engine"}],"Version":"4.3.1"})");
  ASSERT_TRUE(podman) << podman.error().message();
  EXPECT_EQ(podman->engine, "podman");
  EXPECT_FALSE(parse_version(fixture("docker_not_found.json")));
}

TEST(ParseImage, FindsTheRepositoryDigest) {
  EXPECT_EQ(parse_image_digest(R"({"RepoDigests":["shop/web@sha256:abcd"]})").value_or("?"),
            "sha256:abcd");
  EXPECT_EQ(parse_image_digest(R"({"RepoDigests":[]})").value_or("?"), "");
  EXPECT_FALSE(parse_image_digest(R"({"RepoDigests":7})"));
}

struct Recorded {
  std::map<std::string, int> verbs;
  std::map<std::string, EngineEvent> last;
};

Recorded read_events(const std::string& name) {
  Recorded recorded;
  std::istringstream lines(fixture(name));
  for (std::string line; std::getline(lines, line);) {
    auto event = parse_event(line);
    EXPECT_TRUE(event) << line << event.error().message();
    if (!event || event->type != "container") continue;
    ++recorded.verbs[std::string(event->verb())];
    recorded.last[event->name + " " + std::string(event->verb())] = *event;
  }
  return recorded;
}

TEST(ParseEvent, ReadsEveryRecordedDockerEvent) {
  Recorded recorded = read_events("docker_events.jsonl");
  EXPECT_EQ(recorded.verbs["create"], 7);
  EXPECT_EQ(recorded.verbs["die"], 6);
  EXPECT_EQ(recorded.verbs["destroy"], 7);
  EXPECT_EQ(recorded.verbs["oom"], 1);
  const EngineEvent& create = recorded.last["brief create"];
  EXPECT_EQ(create.image, "shop/web:1.2");
  EXPECT_EQ(create.labels, (Labels{{"maintainer", "shop-team"}, {"tier", "job"}}));
  EXPECT_TRUE(create.attributes.empty());
  EXPECT_EQ(recorded.last["brief die"].attributes, (Labels{{"exitCode", "0"}}));
  EXPECT_EQ(recorded.last["held kill"].attributes.front().first, "signal");
  EXPECT_EQ(recorded.last["api_renamed rename"].attributes, (Labels{{"oldName", "/k8s_api_pod"}}));
  EXPECT_EQ(recorded.last["shop_web_1 exec_create"].action, "exec_create: /bin/sh -c true");
}

TEST(ParseEvent, ReadsEveryRecordedPodmanEvent) {
  Recorded recorded = read_events("podman_events.jsonl");
  EXPECT_EQ(recorded.verbs["create"], 2);
  EXPECT_EQ(recorded.verbs["remove"], 2);
  EXPECT_EQ(recorded.verbs["die"], 2);
  EXPECT_EQ(recorded.last["brief create"].image, "localhost/shop/db:1");
  EXPECT_EQ(recorded.last["brief create"].labels, (Labels{{"tier", "job"}}));
}

TEST(ParseEvent, NamesTheContainerOfANetworkEvent) {
  const auto event =
      parse_event(R"({"Type":"network","Action":"connect","Actor":{"ID":"n1","Attributes":)"
                  R"({"container":"c1","name":"back"}},"timeNano":5})");
  ASSERT_TRUE(event) << event.error().message();
  EXPECT_EQ(event->id, "c1");
  EXPECT_EQ(event->wall_ns, 5);
}

TEST(ParseEvent, RefusesWhatIsMalformed) {
  for (const char* line :
       {"", "{", "[]", "null", R"({"Type":"container"})",
        R"({"Type":"container","Action":"die","Actor":{"ID":"../x"}})",
        R"({"Type":"container","Action":"","Actor":{"ID":"x"}})",
        R"({"Type":"container","Action":"die","timeNano":"1","Actor":{"ID":"x"}})",
        R"({"Type":"container","Action":"die","timeNano":-1,"Actor":{"ID":"x"}})"})
    EXPECT_FALSE(parse_event(line)) << line;
}

TEST(KindOfAction, KnowsBothEnginesWords) {
  EXPECT_EQ(kind_of_action("create"), Kind::container_create);
  EXPECT_EQ(kind_of_action("start"), Kind::container_start);
  EXPECT_EQ(kind_of_action("die"), Kind::container_stop);
  EXPECT_EQ(kind_of_action("died"), Kind::container_stop);
  EXPECT_EQ(kind_of_action("destroy"), Kind::container_remove);
  EXPECT_EQ(kind_of_action("remove"), Kind::container_remove);
  EXPECT_EQ(kind_of_action("exec_create"), Kind::container_other);
  EXPECT_EQ(kind_of_action("cleanup"), Kind::container_other);
}

}  // namespace
}  // namespace coff::runtime
