// Two people, three clients, one container: who did what, asked of the trail afterwards.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <map>
#include <set>
#include <thread>

#include "live/access/logins.hpp"
#include "live/agent/product_suite.hpp"

namespace coff::live {
namespace {

namespace json = boost::json;

/// Each person logs in so often, and runs so many commands of each client each time.
constexpr int kLoginsEach = 5;
constexpr int kDockerEach = 6;
constexpr int kCurlEach = 3;
constexpr int kComposeEach = 1;
constexpr int kCommands = 2 * kLoginsEach * (kDockerEach + kCurlEach + kComposeEach);
static_assert(kCommands == 100);

class Access : public ProductSuite {
 protected:
  static void SetUpTestSuite() {
    ProductSuite::SetUpTestSuite();
    if (product_ == nullptr || logins_missing()) return;
    ::chmod(engine_->socket_path().c_str(), 0666);
    auto logins = Logins::start();
    ASSERT_TRUE(logins) << logins.error().message();
    logins_ = std::move(*logins);
  }
  static void TearDownTestSuite() {
    logins_.reset();
    ProductSuite::TearDownTestSuite();
  }
  void SetUp() override {
    ProductSuite::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    COFF_NEED("logins", logins_missing());
    ASSERT_NE(logins_, nullptr);
  }

  static std::vector<json::value> ask(std::vector<std::string> filter) {
    filter.insert(filter.begin(), {"--limit", "10000"});
    return product_->events(std::move(filter));
  }
  static std::string host() { return "unix://" + engine_->socket_path(); }
  static std::string program_text(const json::value& event) {
    return text_at(event, {"process", "args"});
  }

  static inline std::unique_ptr<Logins> logins_;
};

/// One command of a person, named by a word that only it has.
std::string docker_line(const std::string& host, const std::string& word) {
  return "docker -H " + host + " exec web true " + word + "\n";
}
std::string compose_line(const std::string& host, const std::string& file,
                         const std::string& word) {
  return "DOCKER_HOST=" + host + " COMPOSE_INTERACTIVE_NO_CLI=1 docker-compose -f " + file +
         " -p people exec -T web true " + word + " </dev/null\n";
}
std::string curl_line(const std::string& socket, const std::string& word) {
  const std::string curl =
      "curl -s --unix-socket " + socket + " -H 'Content-Type: application/json' ";
  return "id=$(" + curl + "-d '{\"Cmd\":[\"true\",\"" + word +
         "\"]}' http://d/containers/web/exec | sed 's/.*\"Id\":\"\\([0-9a-f]*\\)\".*/\\1/')\n" +
         curl + "-d '{}' http://d/exec/$id/start\n";
}

TEST_F(Access, AttributesEachOfAHundredCommandsToItsPerson) {
  const std::string file = engine_->workspace() / "people.yml";
  std::ofstream(file) << "version: '2.4'\nservices:\n  web:\n    image: " << kBusyboxImage
                      << "\n    container_name: web\n    command: sleep 1000\n"
                      << "    network_mode: none\n    init: false\n";
  ::chmod(file.c_str(), 0644);
  const auto up = run_ok({"docker-compose", "-f", file, "-p", "people", "up", "-d"},
                         {.time_ms_max = 60'000, .environment = {"DOCKER_HOST=" + host()}});
  ASSERT_TRUE(up) << up.error().message();

  std::map<std::string, std::pair<std::string, std::string>> wanted;  // word: user, client
  std::vector<std::jthread> people;
  for (const auto& user : logins_->users()) {
    std::vector<std::string> scripts;
    for (int login = 0; login < kLoginsEach; ++login) {
      std::string script;
      const auto add = [&](int count, const std::string& client, const auto& line) {
        for (int at = 0; at < count; ++at) {
          const std::string word =
              user + "-" + std::to_string(login) + "-" + client + std::to_string(at);
          wanted[word] = {user, client};
          script += line(word);
        }
      };
      add(kDockerEach, "docker", [&](const auto& word) { return docker_line(host(), word); });
      add(kCurlEach, "curl",
          [&](const auto& word) { return curl_line(engine_->socket_path(), word); });
      add(kComposeEach, "docker-compose",
          [&](const auto& word) { return compose_line(host(), file, word); });
      scripts.push_back(std::move(script));
    }
    people.emplace_back([user, scripts] {
      for (const auto& script : scripts) {
        const auto in = logins_->log_in(user, script);
        EXPECT_TRUE(in && in->status == 0) << (in ? in->err : in.error().message());
      }
    });
  }
  people.clear();
  ASSERT_EQ(wanted.size(), size_t{kCommands});

  std::map<std::string, json::value> ran, asked;
  const auto collect = [&] {
    for (const auto& event : ask({"--kind", "exec", "--container", "web"})) {
      for (const auto& [word, who] : wanted) {
        if (program_text(event).find("\"" + word + "\"") != std::string::npos) ran[word] = event;
      }
    }
    for (const auto& entry : ask({"--kind", "access"})) {
      if (text_at(entry, {"api", "action"}) != "exec_create") continue;
      for (const auto& [word, who] : wanted) {
        const std::string command = text_at(entry, {"api", "command"});
        if (command.find("\"" + word + "\"") != std::string::npos) asked[word] = entry;
      }
    }
    return ran.size() == wanted.size() && asked.size() == wanted.size();
  };
  EXPECT_TRUE(eventually(collect))
      << ran.size() << " ran, " << asked.size() << " were asked for; " << product_->told();
  const auto is_right = [](const json::value& told, const std::string& user,
                           const std::string& client) {
    return text_at(told, {"by", "user"}) == user && text_at(told, {"by", "client"}) == client &&
           text_at(told, {"by", "address"}) == "127.0.0.1" &&
           text_at(told, {"by", "via"}) == "docker exec";
  };
  int right = 0;
  for (const auto& [word, who] : wanted) {
    const bool both =
        is_right(ran[word], who.first, who.second) && is_right(asked[word], who.first, who.second);
    EXPECT_TRUE(both) << word << "\n"
                      << json::serialize(ran[word]) << "\n"
                      << json::serialize(asked[word]);
    right += both ? 1 : 0;
  }
  std::printf("%d of %d commands are attributed to the right person\n", right, kCommands);
  EXPECT_EQ(right, kCommands);
}

TEST_F(Access, TellsSessionsFromBeginToEnd) {
  const std::string& user = logins_->users()[0];
  const auto in = logins_->log_in("root", "true begin-of-it; su " + user + " -c 'ls /tmp'");
  ASSERT_TRUE(in && in->status == 0) << (in ? in->err : in.error().message());
  const auto told = [&] {
    const auto entries = ask({"--kind", "access", "--text", "root"});
    const bool login = any_of(entries, [](const json::value& entry) {
      return text_at(entry, {"kind"}) == "session_end" && text_at(entry, {"by", "via"}) == "ssh" &&
             text_at(entry, {"by", "address"}) == "127.0.0.1" &&
             text_at(entry, {"session", "commands"}).find("begin-of-it") != std::string::npos;
    });
    const bool switched = any_of(entries, [&](const json::value& entry) {
      return text_at(entry, {"kind"}) == "session_end" && text_at(entry, {"by", "via"}) == "su" &&
             text_at(entry, {"session", "as_user"}) == user &&
             text_at(entry, {"session", "commands"}).find("ls /tmp") != std::string::npos;
    });
    return login && switched;
  };
  EXPECT_TRUE(eventually(told)) << product_->told();
  const auto shown = product_->cofferdam({"access", "--user", "root", "--since", "5m"});
  ASSERT_TRUE(shown);
  EXPECT_NE(shown->out.find("root from 127.0.0.1 via ssh: session begins"), std::string::npos)
      << shown->out;
  EXPECT_EQ(shown->out.find(user + " from"), std::string::npos) << shown->out;
}

TEST_F(Access, NamesWhatStartedItWhereNoPersonDid) {
  ASSERT_TRUE(engine_->docker({"run", "-d", "--network", "none", "--name", "healthy",
                               "--health-cmd", "true health-word", "--health-interval", "1s",
                               kBusyboxImage, "sleep", "1000"}));
  ASSERT_TRUE(engine_->docker({"run", "-d", "--network", "none", "--name", "restless", "--restart",
                               "always", kBusyboxImage, "sh", "-c", "sleep 0.5; false word"}));
  const auto by = [](const std::string& container, const std::string& component) {
    return any_of(ask({"--kind", "exec", "--container", container}), [&](const json::value& event) {
      return text_at(event, {"by", "component"}) == component;
    });
  };
  EXPECT_TRUE(eventually([&] { return by("healthy", "health check"); })) << product_->told();
  EXPECT_TRUE(eventually([&] { return by("restless", "restart policy"); })) << product_->told();
  EXPECT_FALSE(by("healthy", "restart policy"));
  ASSERT_TRUE(engine_->docker({"rm", "-f", "restless", "healthy"}));
}

TEST_F(Access, ReadsWhatClientsSplitPipelineAndHide) {
  // Two requests in one segment, the second in pieces, with bare line feeds and an escaped name.
  const std::string script =
      "import socket, sys, time\n"
      "s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])\n"
      "s.sendall(b'GET /_ping HTTP/1.1\\r\\nHost: d\\r\\n\\r\\nPOST /containers/n%6fne/ki')\n"
      "time.sleep(0.2); s.sendall(b'll?signal=KILL HTTP/1.1\\nHost: d\\n'); time.sleep(0.2)\n"
      "s.sendall(b'\\n'); time.sleep(0.5); s.recv(4096); s.close()\n";
  const auto asked = run_ok({"python3", "-c", script, engine_->socket_path()});
  ASSERT_TRUE(asked) << asked.error().message();
  EXPECT_TRUE(eventually([] {
    return any_of(ask({"--kind", "access"}), [](const json::value& entry) {
      return text_at(entry, {"api", "action"}) == "kill" &&
             text_at(entry, {"api", "target"}) == "none" &&
             text_at(entry, {"api", "signal"}) == "KILL" &&
             text_at(entry, {"api", "status"}) == "404" &&
             text_at(entry, {"client", "name"}) == "python3";
    });
  })) << product_->told();
}

TEST_F(Access, KeepsSecretsOfRequestsAsCommitments) {
  ASSERT_TRUE(engine_->docker({"create", "--network", "none", "--name", "keeper", "-e",
                               "DB_PASSWORD=geheim-word", "-e", "PLAIN=open-word", kBusyboxImage,
                               "sh", "-c", "mysql --password=geheim-word"}));
  json::value made;
  EXPECT_TRUE(eventually([&] {
    const auto entries = ask({"--kind", "access"});
    const auto found = std::find_if(entries.begin(), entries.end(), [](const json::value& entry) {
      return text_at(entry, {"api", "name"}) == "keeper" &&
             text_at(entry, {"api", "action"}) == "create";
    });
    if (found != entries.end()) made = *found;
    return found != entries.end();
  })) << product_->told();
  const std::string api = json::serialize(made.is_object() ? made.at("api") : json::value());
  EXPECT_NE(api.find("DB_PASSWORD=[redacted:"), std::string::npos) << api;
  EXPECT_NE(api.find("\"PLAIN\""), std::string::npos) << api;
  EXPECT_EQ(json::serialize(made).find("geheim-word"), std::string::npos) << json::serialize(made);
  ASSERT_TRUE(engine_->docker({"rm", "-f", "keeper"}));
}

}  // namespace
}  // namespace coff::live
