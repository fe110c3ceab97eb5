// Evidence of real containers: what is in it, what strangers' tools say of it, what damage shows.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/bytes.hpp"
#include "base/fd.hpp"
#include "live/support/dockerd.hpp"
#include "live/support/require.hpp"

namespace coff::live {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

std::string whole(const std::string& path) {
  return read_file(path, std::size_t{1} << 30U).value_or("");
}

class EvidenceLive : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (docker_missing() || ::geteuid() != 0) return;
    auto started = Dockerd::start();
    ASSERT_TRUE(started) << started.error().message();
    dockerd_ = std::move(*started);
    const std::string root = dockerd_->workspace() / "root";
    for (const char* folder : {"/bin", "/tmp", "/proc", "/sys", "/dev", "/etc"}) {
      fs::create_directories(root + folder);
    }
    fs::copy_file(COFF_VICTIM, root + "/bin/victim");
    fs::copy_file("/bin/busybox", root + "/bin/busybox");
    fs::create_symlink("busybox", root + "/bin/sh");
    std::ofstream(root + "/etc/removed") << "of the image\n";
    std::ofstream(root + "/etc/changed") << "of the image\n";
    ASSERT_TRUE(run_ok({"tar", "-C", root, "-cf", root + ".tar", "."}));
    ASSERT_TRUE(dockerd_->docker({"import", root + ".tar", "coff/victim:1"}));
    const std::string key = dockerd_->workspace() / "examiner.key";
    ASSERT_TRUE(run_ok({"openssl", "genpkey", "-algorithm", "ed25519", "-out", key}));
  }
  static void TearDownTestSuite() { dockerd_.reset(); }
  void SetUp() override {
    COFF_NEED("docker", docker_missing());
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    ASSERT_TRUE(dockerd_);
  }

  static std::string at(const std::string& name) { return dockerd_->workspace() / name; }
  static std::string start(const std::string& name, std::vector<std::string> command) {
    std::vector<std::string> call = {"run",  "-d",           "--name", name,           "--network",
                                     "none", "--pids-limit", "200",    "coff/victim:1"};
    call.insert(call.end(), command.begin(), command.end());
    const auto id = dockerd_->docker(std::move(call));
    EXPECT_TRUE(id) << id.error().message();
    for (int tries = 0; tries < 100; ++tries) {
      const auto logs = dockerd_->docker({"logs", name});
      if (logs && logs->find("ready") != std::string::npos) break;
      ::usleep(50'000);
    }
    return id.value_or("");
  }
  static Outcome cofferdam(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {COFF_PROGRAM, "evidence"});
    arguments.insert(arguments.end(), {"--store", at("store")});
    const auto outcome = run(arguments, {.time_ms_max = 120'000});
    EXPECT_TRUE(outcome) << outcome.error().message();
    return outcome.value_or(Outcome{});
  }
  static json::object collect(const std::string& container, std::vector<std::string> more = {}) {
    std::vector<std::string> call = {
        "collect",  container,          "--json", "--engine", dockerd_->socket_path(),
        "--socket", at("no-agent.sock")};
    call.insert(call.end(), more.begin(), more.end());
    const Outcome outcome = cofferdam(call);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    json::error_code problem;
    const json::value value = json::parse(outcome.out, problem);
    EXPECT_FALSE(problem) << outcome.out;
    return problem ? json::object() : value.as_object();
  }
  static std::string text(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->as_string().c_str()) : "";
  }

  static inline std::unique_ptr<Dockerd> dockerd_;
};

TEST_F(EvidenceLive, StrangersToolsReadAndVerifyIt) {
  const std::string id = start("hider", {"/bin/victim", "unlink"});
  ASSERT_TRUE(dockerd_->docker({"exec", "hider", "/bin/sh", "-c",
                                "/bin/busybox rm /etc/removed; echo new > /etc/changed; "
                                "/bin/busybox touch $'/etc/line\\nbreak'; "
                                "/bin/busybox ln -s ../../../../etc/passwd /etc/out"}));
  const std::string pid =
      dockerd_->docker({"inspect", "-f", "{{.State.Pid}}", "hider"}).value_or("");
  const json::object told = collect("hider", {"--examiner-key", at("examiner.key")});
  const std::string folder = text(told, "folder");
  ASSERT_FALSE(folder.empty());
  EXPECT_GE(told.at("cores").as_int64(), 1);

  // Verification as README.txt says, by a shell that knows nothing of us.
  const auto checked = run({"sh", "-ec",
                            "cd \"$1\"; sha256sum -c --quiet --strict SHA256SUMS; "
                            "for who in host examiner; do openssl pkeyutl -verify -rawin "
                            "-in manifest.json -pubin -inkey sig/$who.pub "
                            "-sigfile sig/manifest.$who; done; "
                            "test \"$(sha256sum < SHA256SUMS | cut -c1-64)\" = "
                            "\"$(grep -o '\"sums_sha256\":\"[0-9a-f]*\"' manifest.json | "
                            "cut -d'\"' -f4)\"; "
                            "p=0000000000000000000000000000000000000000000000000000000000000000; "
                            "while IFS= read -r l; do case \"$l\" in *\"\\\"prev\\\":\\\"$p\\\"}\")"
                            " ;; *) exit 7;; esac; "
                            "p=$(printf %s \"$l\" | sha256sum | cut -c1-64); "
                            "done < custody/custody.jsonl; grep -q \"$p\" manifest.json",
                            "sh", folder});
  ASSERT_TRUE(checked);
  EXPECT_EQ(checked->status, 0) << checked->out << checked->err;

  const auto gdb =
      run({"gdb", "-q", "-batch", "-nx", "-ex", "info threads", "-ex", "thread apply all bt 4",
           folder + "/files/" + pid + "/exe", folder + "/memory/" + pid + ".core"},
          {.time_ms_max = 60'000});
  ASSERT_TRUE(gdb);
  EXPECT_NE(gdb->out.find("Thread 4"), std::string::npos) << gdb->out << gdb->err;
  EXPECT_NE(gdb->out.find("sleeper"), std::string::npos) << gdb->out;

  const auto listed = run_ok({"tar", "tvf", folder + "/files/upper.tar"});
  ASSERT_TRUE(listed) << listed.error().message();
  EXPECT_NE(listed->find("etc/changed"), std::string::npos) << *listed;
  const std::string table = whole(folder + "/files/upper.jsonl");
  EXPECT_NE(table.find(R"("path":"etc/removed","change":"deleted")"), std::string::npos) << table;
  EXPECT_NE(table.find(R"("path":"etc/changed","change":"changed")"), std::string::npos) << table;
  EXPECT_NE(table.find(R"("path":"etc/out","change":"added")"), std::string::npos) << table;
  EXPECT_NE(whole(folder + "/runtime/inspect.json").find(id), std::string::npos);
  EXPECT_NE(whole(folder + "/runtime/logs.jsonl").find("ready"), std::string::npos);
  EXPECT_EQ(whole(folder + "/files/" + pid + "/exe"), whole(COFF_VICTIM)) << "a deleted program";

  for (const char* secret :
       {"HEAP-SECRET-4711", "SPARSE-SECRET-4711", "MEMFD-SECRET-4711", "DELETED-SECRET-4711"}) {
    const Outcome found = cofferdam({"search", text(told, "id"), secret});
    EXPECT_EQ(found.status, 1) << secret << found.err;
  }
  EXPECT_EQ(cofferdam({"search", text(told, "id"), "--regex", "HEAP-[A-Z]+-[0-9]{4}"}).status, 1);
  EXPECT_EQ(cofferdam({"search", text(told, "id"), "nowhere-to-be-found-9"}).status, 0);
  std::ofstream(at("rules.yar")) << "rule stage { strings: $a = \"MEMFD-SECRET\" condition: $a }\n";
  const Outcome yara = cofferdam({"search", text(told, "id"), "--yara", at("rules.yar")});
  EXPECT_EQ(yara.status, 1) << yara.err;
  EXPECT_NE(yara.out.find("rule stage"), std::string::npos) << yara.out;
  EXPECT_TRUE(dockerd_->docker({"rm", "-f", "hider"}));
}

TEST_F(EvidenceLive, EveryDamageShows) {
  start("plain", {"/bin/victim"});
  const json::object told = collect("plain");
  const std::string folder = text(told, "folder");
  const std::string id = text(told, "id");
  EXPECT_EQ(cofferdam({"verify", id}).status, 0);
  EXPECT_EQ(cofferdam({"list"}).status, 0);
  EXPECT_EQ(cofferdam({"show", id}).status, 0);

  const std::string item = folder + "/meta/clock.json";
  const std::string before = whole(item);
  std::string flipped = before;
  flipped[5] = static_cast<char>(flipped[5] ^ 1);
  std::ofstream(item, std::ios::binary) << flipped;
  EXPECT_EQ(cofferdam({"verify", id}).status, 1) << "a flipped byte";
  std::ofstream(item, std::ios::binary) << before;
  EXPECT_EQ(cofferdam({"verify", id}).status, 0);

  std::ofstream(folder + "/meta/extra") << "x";
  EXPECT_EQ(cofferdam({"verify", id}).status, 1) << "an extra file";
  fs::remove(folder + "/meta/extra");
  fs::rename(item, at("aside"));
  EXPECT_EQ(cofferdam({"verify", id}).status, 1) << "a missing file";
  fs::create_symlink(at("aside"), item);
  EXPECT_EQ(cofferdam({"verify", id}).status, 1) << "a link in its place";
  fs::remove(item);
  fs::rename(at("aside"), item);

  EXPECT_EQ(cofferdam({"transfer", id, "--to", "court", "--purpose", "order 7", "--socket",
                       at("no-agent.sock")})
                .status,
            0);
  const std::string custody = at("store/" + id + ".custody.jsonl");
  const std::string lines = whole(custody);
  EXPECT_EQ(cofferdam({"verify", id}).status, 0);
  std::ofstream(custody, std::ios::binary) << lines.substr(lines.find('\n') + 1);
  EXPECT_EQ(cofferdam({"verify", id}).status, 1) << "a cut custody line";
  std::ofstream(custody, std::ios::binary) << lines;

  const std::string key = at("recipient.key");
  ASSERT_TRUE(run_ok({"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key,
                      "-out", at("recipient.pem"), "-subj", "/CN=court", "-days", "2"}));
  EXPECT_EQ(cofferdam({"export", id, at("out.cms"), "--recipient", at("recipient.pem"), "--socket",
                       at("no-agent.sock")})
                .status,
            0);
  ASSERT_TRUE(run_ok({"openssl", "cms", "-decrypt", "-binary", "-inform", "DER", "-in",
                      at("out.cms"), "-inkey", key, "-out", at("out.tar")}));
  const auto listed = run_ok({"tar", "tf", at("out.tar")});
  ASSERT_TRUE(listed) << listed.error().message();
  EXPECT_NE(listed->find(id + ".evidence/manifest.json"), std::string::npos);
  EXPECT_EQ(cofferdam({"verify", id}).status, 0);
  EXPECT_TRUE(dockerd_->docker({"rm", "-f", "plain"}));
}

TEST_F(EvidenceLive, AContainerThatBreedsDoesNotEndIt) {
  start("breeder", {"/bin/victim", "breed"});
  const json::object told = collect("breeder");
  ASSERT_FALSE(text(told, "folder").empty());
  EXPECT_GE(told.at("cores").as_int64(), 1);
  EXPECT_GT(told.at("gaps").as_int64(), 0) << "processes ended while they were read";
  EXPECT_EQ(cofferdam({"verify", text(told, "id")}).status, 0);
  EXPECT_TRUE(dockerd_->docker({"rm", "-f", "breeder"}));
}

TEST_F(EvidenceLive, PacketsAreCapturedFromOutside) {
  start("talker", {"/bin/victim"});
  ASSERT_TRUE(
      dockerd_->docker({"exec", "-d", "talker", "/bin/busybox", "ping", "-i", "1", "127.0.0.1"}));
  const json::object told = collect("talker", {"--capture", "3", "--no-memory"});
  const std::string folder = text(told, "folder");
  json::error_code problem;
  const json::value counts = json::parse(whole(folder + "/pcap/capture.json"), problem);
  ASSERT_FALSE(problem);
  EXPECT_GT(counts.at("kept").as_int64(), 0);
  const auto read = run({"tcpdump", "-nr", folder + "/pcap/capture.pcap"});
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_NE(read->out.find("ICMP echo request"), std::string::npos) << read->out << read->err;
  EXPECT_TRUE(dockerd_->docker({"rm", "-f", "talker"}));
}

/// Answers one time-stamp request on a port of its own, as an authority does: openssl ts.
class Authority {
 public:
  explicit Authority(std::string dir) : dir_(std::move(dir)) {
    std::ofstream(dir_ + "/tsa.cnf")
        << "[req]\ndistinguished_name=dn\n[dn]\n[ext]\nextendedKeyUsage=critical,timeStamping\n"
           "[tsa]\ndefault_tsa=t\n[t]\nserial="
        << dir_ << "/serial\nsigner_cert=" << dir_ << "/tsa.pem\nsigner_key=" << dir_
        << "/tsa.key\nsigner_digest=sha256\n"
           "default_policy=1.2.3.4\ndigests=sha256\n";
    std::ofstream(dir_ + "/serial") << "01\n";
    EXPECT_TRUE(run_ok({"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout",
                        dir_ + "/tsa.key", "-out", dir_ + "/tsa.pem", "-subj", "/CN=authority",
                        "-days", "2", "-config", dir_ + "/tsa.cnf", "-extensions", "ext"}));
    listener_ = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    auto* plain = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(listener_.get(), plain, size), 0);
    EXPECT_EQ(::listen(listener_.get(), 1), 0);
    EXPECT_EQ(::getsockname(listener_.get(), plain, &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this] { answer(); });
  }
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  void answer() {
    const Fd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    std::string request(65536, '\0');
    std::size_t have = 0;
    std::size_t body = std::string::npos;
    // The request is small and comes with a length; its body has less than a hundred bytes.
    while (have < request.size() && (body == std::string::npos || have < body + 60)) {
      const ssize_t got = ::read(client.get(), request.data() + have, request.size() - have);
      if (got <= 0) return;
      have += static_cast<std::size_t>(got);
      const std::size_t end = request.substr(0, have).find("\r\n\r\n");
      if (end != std::string::npos) body = end + 4;
    }
    std::ofstream(dir_ + "/q.tsq", std::ios::binary) << request.substr(body, have - body);
    EXPECT_TRUE(run_ok({"openssl", "ts", "-reply", "-config", dir_ + "/tsa.cnf", "-queryfile",
                        dir_ + "/q.tsq", "-out", dir_ + "/q.tsr"}));
    const std::string reply = whole(dir_ + "/q.tsr");
    EXPECT_TRUE(
        write_all(client, "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(reply.size()) +
                              "\r\nConnection: close\r\n\r\n" + reply));
  }

  std::string dir_;
  Fd listener_;
  unsigned port_ = 0;
  std::jthread thread_;
};

TEST_F(EvidenceLive, AnAuthorityConfirmsTheTime) {
  start("stamped", {"/bin/victim"});
  const std::string dir = at("authority");
  fs::create_directory(dir);
  const Authority authority(dir);
  const json::object told = collect("stamped", {"--no-memory", "--timestamp-url", authority.url(),
                                                "--timestamp-ca", dir + "/tsa.pem"});
  EXPECT_EQ(text(told, "timestamp_problem"), "");
  const std::string folder = text(told, "folder");
  const auto checked = run_ok({"openssl", "ts", "-verify", "-data", folder + "/manifest.json",
                               "-in", folder + "/sig/manifest.tsr", "-CAfile", dir + "/tsa.pem"});
  EXPECT_TRUE(checked) << checked.error().message();
  EXPECT_EQ(cofferdam({"verify", text(told, "id")}).status, 0);
  EXPECT_TRUE(dockerd_->docker({"rm", "-f", "stamped"}));
}

TEST_F(EvidenceLive, AFrozenContainerGivesTheSameCoreTwice) {
  start("frozen", {"/bin/victim"});
  const std::string pid =
      dockerd_->docker({"inspect", "-f", "{{.State.Pid}}", "frozen"}).value_or("");
  ASSERT_TRUE(dockerd_->docker({"pause", "frozen"}));
  const json::object first = collect("frozen", {"--case", "first"});
  const json::object second = collect("frozen", {"--case", "second"});
  const auto core = [&](const json::object& told) {
    return to_hex(sha256(whole(text(told, "folder") + "/memory/" + pid + ".core")));
  };
  EXPECT_EQ(core(first), core(second));
  EXPECT_EQ(first.at("longest_stop_us").as_int64(), 0);
  EXPECT_TRUE(dockerd_->docker({"unpause", "frozen"}));
  EXPECT_TRUE(dockerd_->docker({"rm", "-f", "frozen"}));
}

}  // namespace
}  // namespace coff::live
