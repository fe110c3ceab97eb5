// Ordinary work in containers: services, databases, jobs, packages, builds, the demo. The shipped
// rules raise nothing above notice; what they raise is printed.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/fd.hpp"
#include "live/rules/stage.hpp"
#include "live/support/require.hpp"

namespace coff::live {
namespace {

namespace fs = std::filesystem;

constexpr const char* kImage = "coff/corpus:1";
constexpr std::int64_t kFullNs = 12 * 60 * std::int64_t{1'000'000'000};
constexpr int kStepMsMax = 150'000;
// How long the demo application is watched: a minute and its health checks only under --full.
constexpr int kDemoSeconds = 5;
constexpr int kDemoSecondsFull = 70;

// One container each.
constexpr std::array<std::string_view, 2> kWork[] = {
    {"nginx",
     "nginx; for at in 1 2 3 4 5 6 7 8; do curl -s http://localhost/ >/dev/null; done; "
     "nginx -s reload; sleep 1; nginx -s quit; sleep 1"},
    {"postgresql",
     "set -e; mkdir -p /srv/data /var/run/postgresql; chown postgres /srv/data "
     "/var/run/postgresql; "
     "cd /srv; p=$(echo /usr/lib/postgresql/*/bin); run() { su postgres -s /bin/sh -c \"$1\"; }; "
     "run \"$p/initdb -D /srv/data\" >/dev/null; "
     "run \"$p/pg_ctl -D /srv/data -l /srv/data/log -w start\"; "
     "run 'psql -c \"create table t as select generate_series(1, 100000) n\"'; "
     "run 'psql -c \"select sum(n) from t\"'; run 'pg_dump postgres' | wc -c; "
     "run \"$p/pg_ctl -D /srv/data -m fast stop\""},
    {"redis",
     "set -e; redis-server --daemonize yes --dir /tmp; sleep 1; "
     "for at in $(seq 50); do redis-cli set k$at v >/dev/null; done; redis-cli bgsave; "
     "redis-cli bgrewriteaof; sleep 1; redis-cli shutdown"},
    {"cron", "cron; sleep $((62 - $(date +%-S))); pgrep cron"},
    {"packages",
     "set -e; cd /srv/packages; dpkg -i libpopt0*.deb adduser*.deb tree*.deb iputils*.deb; "
     "dpkg -i sudo*.deb logrotate*.deb at*.deb || true; dpkg -r tree; "
     "id; sudo -V | head -n 1"},
    {"build",
     "set -e; mkdir -p /srv/build; cd /srv/build; "
     "printf '#include <stdio.h>\\nint main(void) { puts(\"hello\"); return 0; }\\n' > a.c; "
     "printf 'all: a\\na: a.c\\n\\tgcc -O2 -o a a.c\\ninstall: a\\n\\tinstall a "
     "/usr/local/bin/\\n' "
     "> Makefile; make all install; ./a; tar -czf /tmp/a.tar.gz .; rm -rf /srv/build"},
};

constexpr const char* kDockerfile =
    "FROM coff/corpus:1\n"
    "RUN cd /srv/packages && dpkg -i libpopt0*.deb adduser*.deb tree*.deb\n"
    "RUN useradd --system --no-create-home app && mkdir -p /app && chown app /app\n"
    "RUN printf 'int main(void) { return 0; }\\n' > /app/a.c && gcc -o /app/a /app/a.c\n"
    "RUN rm -rf /srv/packages /var/lib/apt/lists /var/log/dpkg.log /var/cache/apt\n"
    "USER app\n"
    "CMD [\"/app/a\"]\n";

// The packed image, made once for a recipe.
Result<std::string> corpus_archive() {
  const std::string recipe = COFF_SOURCE_DIR "/tests/live/rules/corpus.sh";
  const std::string text = TRY(read_file(recipe, 1U << 16U));
  const std::string folder = COFF_BINARY_DIR "/../corpus";
  const Hash hash = sha256(text);
  const std::string name = to_hex(std::span(hash).first(8)) + ".tar";
  const std::string path = folder + "/" + name;
  std::error_code problem;
  if (fs::exists(path, problem)) return path;
  fs::create_directories(folder, problem);
  TRY(run_ok({recipe, path}, {.time_ms_max = 600'000}));
  return path;
}

// Of a container, or of the engine itself: whatever else runs on this host is not the work here.
bool is_about_the_work(const MarkedFinding& finding) {
  if (!text_at(finding.entry, {"container", "id"}).empty()) return true;
  for (const char* name : {"dockerd", "containerd", "containerd-shim", "runc", "docker"}) {
    if (finding.marks.contains(name)) return true;
  }
  return false;
}

class BenignLive : public ::testing::Test {
 protected:
  void SetUp() override {
    COFF_NEED("ebpf", ebpf_missing());
    COFF_NEED("docker", docker_missing());
  }

  void start_engine(Bridge bridge) {
    auto engine = Dockerd::start({.bridge = bridge, .arguments = {}});
    ASSERT_TRUE(engine) << engine.error().message();
    engine_ = std::move(*engine);
  }

  void start_product() {
    auto product =
        Product::start({engine_->socket_path()}, "rules:\n  files: [" COFF_SOURCE_DIR "/rules]\n");
    ASSERT_TRUE(product) << product.error().message();
    product_ = std::move(*product);
  }

  void start() {
    const auto archive = corpus_archive();
    ASSERT_TRUE(archive) << archive.error().message();
    start_engine(Bridge::kNone);
    if (HasFatalFailure()) return;
    const auto imported = engine_->docker({"import", *archive, kImage}, {.time_ms_max = 120'000});
    ASSERT_TRUE(imported) << imported.error().message();
    start_product();
  }

  /// What was found so far, by priority and rule; what is above notice fails the test.
  std::map<std::string, size_t> raised() {
    std::map<std::string, size_t> raised;
    for (const MarkedFinding& each : findings_of(*product_)) {
      if (!is_about_the_work(each)) continue;
      const std::string priority = text_at(each.entry, {"finding", "priority"});
      ++raised[priority + ": " + text_at(each.entry, {"finding", "rule"})];
      const bool quiet = priority == "Notice" || priority == "Informational" || priority == "Debug";
      EXPECT_TRUE(quiet) << text_at(each.entry, {"container", "name"}) << " " << priority << " "
                         << text_at(each.entry, {"finding", "output"});
    }
    return raised;
  }
  static void print(const std::map<std::string, size_t>& raised, std::int64_t begun) {
    std::printf("%lld s; raised:\n",
                static_cast<long long>((boot_now_ns() - begun) / 1'000'000'000));
    for (const auto& [rule, count] : raised) std::printf("%6zu %s\n", count, rule.c_str());
  }

  void work_once(int round) {
    for (const auto& [name, script] : kWork) {
      const auto ran = engine_->docker({"run", "--rm", "--network", "none", "--name",
                                        std::string(name) + "-" + std::to_string(round), kImage,
                                        "sh", "-c", std::string(script)},
                                       {.time_ms_max = kStepMsMax});
      EXPECT_TRUE(ran) << name << ": " << ran.error().message();
    }
    const Workspace folder = *Workspace::create();
    std::ofstream(folder / "Dockerfile") << kDockerfile;
    const auto built = engine_->docker(
        {"build", "--no-cache", "--network", "none", "--tag", "coff/built:1", folder.path()},
        {.time_ms_max = kStepMsMax, .environment = {"DOCKER_BUILDKIT=0"}});
    EXPECT_TRUE(built) << built.error().message();
    EXPECT_TRUE(engine_->docker({"run", "--rm", "--network", "none", "coff/built:1"}));
  }

  std::unique_ptr<Dockerd> engine_;
  std::unique_ptr<Product> product_;
};

TEST_F(BenignLive, OrdinaryWorkRaisesNothingAboveNotice) {
  start();
  if (HasFatalFailure()) return;
  const bool full = std::getenv("COFF_FULL") != nullptr;
  const std::int64_t begun = boot_now_ns();
  int round = 0;
  do work_once(round++);
  while (full && boot_now_ns() - begun < kFullNs && !HasFailure());
  // A container's end comes last, and what came before it has been judged then.
  ASSERT_TRUE(eventually([&] {
    const auto ends = product_->events({"--kind", "container_stop", "--limit", "10000"});
    return ends.size() >= std::size(kWork) * static_cast<size_t>(round);
  })) << product_->told();
  const auto found = raised();
  std::printf("%d rounds, ", round);
  print(found, begun);
  EXPECT_FALSE(found.empty()) << "not even a package manager was noticed";
}

// What scripts/demo starts, without the intrusion that it can play.
TEST_F(BenignLive, TheDemoApplicationRaisesNothingAboveNotice) {
  start_engine(Bridge::kPrivate);
  if (HasFatalFailure()) return;
  start_product();
  if (HasFatalFailure()) return;
  const std::int64_t begun = boot_now_ns();
  const auto demo = [&](const char* what) {
    return run_ok(
        {COFF_SOURCE_DIR "/scripts/demo", what},
        {.time_ms_max = 600'000, .environment = {"DOCKER_HOST=unix://" + engine_->socket_path()}});
  };
  const auto opened = demo("start");
  ASSERT_TRUE(opened) << opened.error().message();
  const bool full = std::getenv("COFF_FULL") != nullptr;
  std::this_thread::sleep_for(std::chrono::seconds(full ? kDemoSecondsFull : kDemoSeconds));
  // As the engine's own health check does.
  EXPECT_TRUE(engine_->docker(
      {"exec", "shop-app-1", "bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8000; true last-word"}));
  EXPECT_TRUE(eventually([&] {
    const auto seen = product_->events({"--container", "shop-app-1", "--text", "last-word"});
    return !seen.empty();
  })) << product_->told();
  print(raised(), begun);
  // The same agent is no stranger to what somebody else does there.
  const auto broken = demo("intrude");
  EXPECT_TRUE(broken) << broken.error().message();
  EXPECT_TRUE(eventually([&] {
    const auto findings = findings_of(*product_);
    return std::ranges::any_of(findings, [](const MarkedFinding& each) {
      return text_at(each.entry, {"finding", "priority"}) == "Critical" &&
             text_at(each.entry, {"container", "name"}) == "shop-app-1";
    });
  })) << product_->told();
  EXPECT_TRUE(engine_->docker(
      {"rm", "-f", "shop-app-1", "shop-web-1", "shop-database-1", "shop-visitors-1"}));
  EXPECT_TRUE(engine_->docker({"network", "rm", "shop_default"}));
}

}  // namespace
}  // namespace coff::live
