// Tests of what an event says about a service, of generalised paths and of names of services.
#include "baseline/feature.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>

#include "baseline/testing/acts.hpp"

namespace coff::baseline {
namespace {

using testing::Act;

std::vector<std::string> texts(const Event& event) {
  std::vector<std::string> out;
  for (const Feature& feature : features_of(event)) {
    out.push_back(std::string(kWhatNames[static_cast<std::size_t>(feature.what)]) + ' ' +
                  (feature.outside_image ? "!" : "") + feature.value);
  }
  return out;
}

using Texts = std::vector<std::string>;

TEST(GeneralisedPath, TakesOutWhatChanges) {
  const std::pair<const char*, const char*> kCases[] = {
      {"/proc/4711/oom_score_adj", "/proc/#/oom_score_adj"},
      {"/proc/7/x", "/proc/#/x"},
      {"/var/log/app-20261124.log", "/var/log/app-#.log"},
      {"/tmp/tmp.aX3kQz9b", "/tmp/tmp.#"},
      {"/tmp/sess_d41d8cd98f00b204e9800998ecf8427e", "/tmp/sess_#"},
      {"/run/123e4567-e89b-12d3-a456-426614174000/x", "/run/#/x"},
      {"/data/*/x", "/data/#/x"},
      // What does not change from run to run stays.
      {"/usr/lib/x86_64-linux-gnu/libssl.so.1.1", "/usr/lib/x86_64-linux-gnu/libssl.so.1.1"},
      {"/usr/bin/python3.11", "/usr/bin/python3.11"},
      {"/usr/bin/sha256sum", "/usr/bin/sha256sum"},
      {"/app/MyClassName.class", "/app/MyClassName.class"},
      {"/README", "/README"},
      {"/decade/facade", "/decade/facade"},
      {"", ""},
      {"/", "/"},
      {"//a//b", "//a//b"},
  };
  for (const auto& [path, expected] : kCases) EXPECT_EQ(generalised_path(path), expected) << path;
  EXPECT_EQ(generalised_path("/a\x1b\xff"), "/a\\x1b\\xff");
}

TEST(GeneralisedPath, IsStable) {
  for (const char* path :
       {"/tmp/aX3kQz/1234/b-99999", "/x/*", "/run/123e4567-e89b-12d3-a456-4266"}) {
    const std::string once = generalised_path(path);
    EXPECT_EQ(generalised_path(once), once);
  }
}

TEST(Features, OfAProgram) {
  EXPECT_EQ(texts(Act::exec("/bin/sh").from("/usr/sbin/nginx").user(33).event()),
            (Texts{"executable /bin/sh", "child /usr/sbin/nginx > /bin/sh", "user 33"}));
  EXPECT_EQ(texts(Act::exec("/tmp/x").upper().event()),
            (Texts{"executable !/tmp/x", "child !(outside) > /tmp/x", "user 0"}));
  EXPECT_EQ(texts(Act::exec("/bin/sh").capable(1).event())[2], "capability CAP_CHOWN");
  EXPECT_TRUE(texts(Act::exec("/bin/sh").failed(ENOENT).event()).empty());
}

TEST(Features, AScriptIsNamedBesideItsInterpreter) {
  const auto found = texts(Act::exec("/bin/bash").script("run.sh", "/srv").event());
  EXPECT_EQ(found[0], "executable /bin/bash");
  EXPECT_EQ(found[1], "executable /srv/run.sh");
}

TEST(Features, TheRuntimesOwnStepsAreNone) {
  EXPECT_TRUE(texts(Act::call(COFF_KIND_unshare).by("/usr/bin/runc", 0).event()).empty());
  EXPECT_TRUE(texts(Act::call(COFF_KIND_mount)
                        .by("/memfd:runc_cloned (deleted)", COFF_EXE_MEMFD)
                        .from("/usr/bin/runc", 0)
                        .event())
                  .empty());
  // Nobody becomes the runtime by a name alone.
  EXPECT_FALSE(texts(Act::call(COFF_KIND_mount)
                         .by("/memfd:runc_cloned", COFF_EXE_MEMFD)
                         .from("/bin/sh")
                         .event())
                   .empty());
  EXPECT_FALSE(
      texts(Act::call(COFF_KIND_mount).by("/usr/bin/runc", COFF_EXE_OVERLAY).event()).empty());
}

TEST(Features, CallsCountWhenTheyFailToo) {
  EXPECT_EQ(texts(Act::call(COFF_KIND_unshare).namespaces(CLONE_NEWUSER).failed(EPERM).event()),
            (Texts{"call unshare CLONE_NEWUSER"}));
  EXPECT_EQ(texts(Act::call(COFF_KIND_bpf).event()), (Texts{"call bpf"}));
}

TEST(Features, OfWrittenFiles) {
  EXPECT_EQ(texts(Act::open("/var/log/a.log", O_WRONLY | O_APPEND).event()),
            (Texts{"file /var/log/a.log"}));
  EXPECT_TRUE(texts(Act::open("/etc/passwd", O_RDONLY).event()).empty());
  EXPECT_TRUE(texts(Act::open("/dev/null", O_WRONLY).mode(S_IFCHR | 0666).event()).empty());
  EXPECT_TRUE(texts(Act::open("pipe:[77]", O_WRONLY).event()).empty());
  EXPECT_EQ(texts(Act::file(COFF_KIND_mkdir, "/srv/new").event()), (Texts{"file /srv/new"}));
}

TEST(Features, OfPorts) {
  EXPECT_EQ(texts(Act::socket(COFF_KIND_listen, SOCK_STREAM, 80).event()), (Texts{"port tcp/80"}));
  EXPECT_EQ(texts(Act::socket(COFF_KIND_listen, SOCK_STREAM, 40123).event()),
            (Texts{"port tcp/ephemeral"}));
  EXPECT_EQ(texts(Act::socket(COFF_KIND_bind, SOCK_DGRAM, 53).event()), (Texts{"port udp/53"}));
  EXPECT_TRUE(texts(Act::socket(COFF_KIND_bind, SOCK_STREAM, 80).event()).empty());
}

TEST(Features, TheHostHasNone) {
  Event event = Act::exec("/bin/sh").event();
  event.container = nullptr;
  EXPECT_TRUE(features_of(event).empty());
  event = Act::exec("/bin/sh").event();
  event.process = nullptr;
  EXPECT_TRUE(features_of(event).empty());
}

TEST(Service, IsNamedByWhatRunsIt) {
  Container c;
  c.metadata = Metadata::kComplete;
  EXPECT_EQ(service_of(c), "");
  c.image_id = "sha256:77";
  EXPECT_EQ(service_of(c), "image:sha256:77");
  c.image = "registry:5000/shop/web:1.2@sha256:aa";
  EXPECT_EQ(service_of(c), "image:registry:5000/shop/web");
  c.image = "registry:5000/shop/web";
  EXPECT_EQ(service_of(c), "image:registry:5000/shop/web");
  c.ecs_service = "shop";
  c.ecs_container = "web";
  EXPECT_EQ(service_of(c), "ecs:shop/web");
  c.k8s_namespace = "prod";
  c.k8s_container = "app";
  const std::pair<const char*, const char*> kPods[] = {{"web-7d4b9c6f5-x2x8z", "web"},
                                                       {"node-agent-x2x8z", "node-agent"},
                                                       {"db-0", "db"},
                                                       {"job-28331230-x2x8z", "job"},
                                                       {"plain", "plain"},
                                                       {"my-shop", "my-shop"}};
  for (const auto& [pod, owner] : kPods) {
    c.k8s_pod = pod;
    EXPECT_EQ(service_of(c), "k8s:prod/" + std::string(owner) + "/app") << pod;
  }
  c.compose_project = "shop";
  c.compose_service = "web\x1b";
  EXPECT_EQ(service_of(c), "compose:shop/web\\x1b");
  c.compose_service.assign(5000, 'a');
  EXPECT_LE(service_of(c).size(), 200U);
  c.engine = "buildkit";
  EXPECT_EQ(service_of(c), "");
  c.engine = "docker";
  c.metadata = Metadata::kPending;
  EXPECT_EQ(service_of(c), "");
}

TEST(Clauses, AskForContainersAlone) {
  for (const Files files : {Files::kAll, Files::kForwarded, Files::kNone}) {
    const auto clauses = kernel_clauses(files);
    EXPECT_EQ(clauses.size(), files == Files::kAll ? 2U : 1U);
    for (const FilterClause& clause : clauses) {
      EXPECT_FALSE(clause.on_host);
      const bool opens =
          std::ranges::find(clause.kinds, unsigned{COFF_KIND_open}) != clause.kinds.end();
      if (opens) {
        EXPECT_EQ(clause.open_flags_any, unsigned{COFF_OPEN_WRITE | COFF_OPEN_CREATE});
      }
      for (const unsigned kind : clause.kinds) {
        EXPECT_TRUE(is_learned_from(static_cast<Kind>(kind)));
      }
    }
  }
}

}  // namespace
}  // namespace coff::baseline
