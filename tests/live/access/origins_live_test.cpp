// Where actions come from beside ssh: consoles, cron jobs, podman's Docker-compatible socket, and
// connections that are handed to another process.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "live/access/logins.hpp"
#include "live/agent/product.hpp"
#include "live/support/dockerd.hpp"
#include "live/support/podman.hpp"
#include "live/support/require.hpp"

namespace coff::live {
namespace {

namespace json = boost::json;

std::optional<std::string> program_missing(const char* path) {
  if (::access(path, X_OK) == 0) return {};
  return std::string("there is no ") + path;
}

/// One agent beside an engine, podman where it can run, and people who can log in.
class Origins : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (docker_missing() || ebpf_missing() || logins_missing()) return;
    auto engine = Dockerd::start();
    ASSERT_TRUE(engine) << engine.error().message();
    engine_ = std::move(*engine);
    ::chmod(engine_->socket_path().c_str(), 0666);
    std::vector<std::string> sockets = {engine_->socket_path()};
    if (!podman_missing()) {
      auto podman = PodmanService::start();
      ASSERT_TRUE(podman) << podman.error().message();
      podman_ = std::move(*podman);
      sockets.push_back(podman_->socket_path());
    }
    auto product = Product::start(sockets);
    ASSERT_TRUE(product) << product.error().message();
    product_ = std::move(*product);
    auto logins = Logins::start();
    ASSERT_TRUE(logins) << logins.error().message();
    logins_ = std::move(*logins);
  }
  static void TearDownTestSuite() {
    logins_.reset();
    product_.reset();
    podman_.reset();
    engine_.reset();
  }
  void SetUp() override {
    COFF_NEED("ebpf", ebpf_missing());
    COFF_NEED("docker", docker_missing());
    COFF_NEED("logins", logins_missing());
    ASSERT_NE(logins_, nullptr);
    ASSERT_TRUE(product_->running()) << product_->told();
  }

  static const std::string& user(size_t number) { return logins_->users()[number]; }

  /// The newest entry of the filter that fits, looked for until it is there.
  static json::value wait_for(const std::vector<std::string>& filter,
                              const std::function<bool(const json::value&)>& fits) {
    json::value found;
    EXPECT_TRUE(eventually([&] {
      std::vector<std::string> arguments = {"--limit", "10000"};
      arguments.insert(arguments.end(), filter.begin(), filter.end());
      for (json::value& entry : product_->events(std::move(arguments))) {
        if (fits(entry)) found = std::move(entry);
      }
      return found.is_object();
    })) << product_->told();
    return found;
  }
  static json::value exec_with(const std::string& word) {
    return wait_for({"--kind", "exec", "--text", word}, [&](const json::value& event) {
      return text_at(event, {"process", "name"}) == "true" &&
             text_at(event, {"process", "args"}).find(word) != std::string::npos;
    });
  }

  static inline std::unique_ptr<Dockerd> engine_;
  static inline std::unique_ptr<PodmanService> podman_;
  static inline std::unique_ptr<Product> product_;
  static inline std::unique_ptr<Logins> logins_;
};

TEST_F(Origins, AConsoleLoginIsASession) {
  COFF_NEED("console", program_missing("/usr/bin/login"));
  // What getty does, on a terminal that the test holds the other end of.
  const std::string script =
      "import os, sys, time\n"
      "pid, fd = os.forkpty()\n"
      "if pid == 0: os.execv('/usr/bin/login', ['login', '-f', sys.argv[1]])\n"
      "end = time.time() + 20\n"
      "os.set_blocking(fd, False)\n"
      "said = False\n"
      "while time.time() < end and os.waitpid(pid, os.WNOHANG)[0] == 0:\n"
      "  time.sleep(0.2)\n"
      "  try: text = os.read(fd, 4096)\n"
      "  except OSError: text = b''\n"
      "  if b'$' in text and not said:\n"
      "    said = True; os.write(fd, b'/bin/true console-word; exit\\n')\n";
  const auto ran = run_ok({"python3", "-c", script, user(0)}, {.time_ms_max = 30'000});
  ASSERT_TRUE(ran) << ran.error().message();
  const json::value event = exec_with("console-word");
  EXPECT_EQ(text_at(event, {"by", "user"}), user(0)) << json::serialize(event);
  EXPECT_EQ(text_at(event, {"by", "via"}), "console");
  EXPECT_EQ(text_at(event, {"by", "terminal"}).substr(0, 4), "pts/");
  EXPECT_EQ(text_at(event, {"by", "component"}), "");
  const json::value end = wait_for({"--kind", "session_end"}, [&](const json::value& entry) {
    return text_at(entry, {"by", "via"}) == "console" && text_at(entry, {"by", "user"}) == user(0);
  });
  EXPECT_NE(text_at(end, {"session", "commands"}).find("console-word"), std::string::npos);
}

TEST_F(Origins, ACronJobIsTheComponentsAndNamesItsUser) {
  COFF_NEED("cron", program_missing("/usr/sbin/cron"));
  // A cron of the test's own: it sees no table of the host, and begins with its @reboot jobs.
  const Workspace folder = *Workspace::create();
  std::ofstream(folder / "table") << "@reboot " << user(1) << " /bin/true cron-word\n";
  const std::string script =
      "set -e; for at in /etc/cron.d /var/spool/cron /run; do mount -t tmpfs none $at; done; "
      "mkdir -p /var/spool/cron/crontabs; cp \"$1\" /etc/cron.d/coff; "
      "chmod 644 /etc/cron.d/coff; : >/run/empty; mount --bind /run/empty /etc/crontab; "
      "exec /usr/sbin/cron -f";
  auto cron = Child::start({"unshare", "--mount", "sh", "-c", script, "sh", folder / "table"},
                           folder / "log");
  ASSERT_TRUE(cron) << cron.error().message();
  const json::value event = exec_with("cron-word");
  EXPECT_EQ(text_at(event, {"by", "component"}), "cron") << json::serialize(event);
  EXPECT_EQ(text_at(event, {"by", "via"}), "cron");
  EXPECT_EQ(text_at(event, {"by", "user"}), user(1));
  EXPECT_EQ(text_at(event, {"user", "login", "name"}), user(1));
  cron->stop(5000);
  // By the component and by the person, in their places.
  const auto shown = product_->cofferdam({"access", "--user", "cron", "--since", "5m"});
  ASSERT_TRUE(shown);
  EXPECT_NE(shown->out.find("session begins"), std::string::npos) << shown->out;
}

TEST_F(Origins, AConnectionThatIsHandedOnBelongsToWhoSends) {
  const std::string place = engine_->workspace() / "handed";
  // One person connects, another gets the open connection and asks for something.
  const std::string give =
      "import socket, sys\n"
      "s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])\n"
      "h = socket.socket(socket.AF_UNIX); h.connect(sys.argv[2])\n"
      "socket.send_fds(h, [b'x'], [s.fileno()]); h.recv(1)\n";
  const std::string take =
      "import os, socket, sys\n"
      "h = socket.socket(socket.AF_UNIX); h.bind(sys.argv[1]); os.chmod(sys.argv[1], 0o666)\n"
      "h.listen(1); c = h.accept()[0]\n"
      "fd = socket.recv_fds(c, 1, 1)[1][0]; s = socket.socket(fileno=fd)\n"
      "s.sendall(b'POST /containers/handed-word/kill HTTP/1.1\\r\\nHost: d\\r\\n\\r\\n')\n"
      "s.recv(4096); c.send(b'y')\n";
  const std::string folder = place + ".d";
  ::mkdir(folder.c_str(), 0777);
  ::chmod(folder.c_str(), 0777);
  std::ofstream(place + ".give.py") << give;
  std::ofstream(place + ".take.py") << take;
  const std::string meeting = folder + "/s";
  std::jthread taker([&] {
    const auto in = logins_->log_in(user(1), "python3 " + place + ".take.py " + meeting);
    EXPECT_TRUE(in && in->status == 0) << (in ? in->err : in.error().message());
  });
  ASSERT_TRUE(eventually([&] { return ::access(meeting.c_str(), W_OK) == 0; }));
  const auto given = logins_->log_in(
      user(0), "python3 " + place + ".give.py " + engine_->socket_path() + " " + meeting);
  EXPECT_TRUE(given && given->status == 0) << (given ? given->err : given.error().message());
  taker.join();
  const json::value entry = wait_for({"--kind", "access"}, [](const json::value& each) {
    return text_at(each, {"api", "target"}) == "handed-word";
  });
  EXPECT_EQ(text_at(entry, {"by", "user"}), user(1)) << json::serialize(entry);
  EXPECT_EQ(text_at(entry, {"api", "action"}), "kill");
  EXPECT_NE(text_at(entry, {"client", "args"}).find("take.py"), std::string::npos);
}

TEST_F(Origins, AnExecThroughPodmansSocketHasItsPerson) {
  COFF_NEED("podman", podman_missing());
  const std::string& socket = podman_->socket_path();
  ASSERT_TRUE(podman_->import_busybox_image());
  ASSERT_TRUE(podman_->podman({"run", "-d", "--name", "pod", kBusyboxImage, "sleep", "1000"}));
  ::chmod(socket.substr(0, socket.rfind('/')).c_str(), 0711);
  ::chmod(socket.c_str(), 0666);
  const std::string curl =
      "curl -s --unix-socket " + socket + " -H 'Content-Type: application/json' ";
  const auto in = logins_->log_in(
      user(0), "id=$(" + curl +
                   "-d '{\"AttachStdout\":true,\"Cmd\":[\"true\",\"podman-word\"]}' "
                   "http://d/v1.40/containers/pod/exec | "
                   "sed 's/.*\"Id\":\"\\([0-9a-f]*\\)\".*/\\1/')\n" +
                   curl + "-d '{\"Detach\":false}' http://d/v1.40/exec/$id/start\n");
  ASSERT_TRUE(in && in->status == 0) << (in ? in->err : in.error().message());
  const json::value asked = wait_for({"--kind", "access"}, [](const json::value& each) {
    return text_at(each, {"api", "action"}) == "exec_create" &&
           text_at(each, {"api", "command"}).find("podman-word") != std::string::npos;
  });
  EXPECT_EQ(text_at(asked, {"by", "user"}), user(0)) << json::serialize(asked);
  const json::value event =
      wait_for({"--kind", "exec", "--container", "pod"}, [](const json::value& each) {
        return text_at(each, {"process", "args"}).find("podman-word") != std::string::npos;
      });
  EXPECT_EQ(text_at(event, {"by", "user"}), user(0)) << json::serialize(event);
  EXPECT_EQ(text_at(event, {"by", "address"}), "127.0.0.1");
  EXPECT_EQ(text_at(event, {"by", "client"}), "curl");
}

}  // namespace
}  // namespace coff::live
