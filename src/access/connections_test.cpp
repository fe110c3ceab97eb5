// Requests to engines with their answers, as clients really send them, and as they should not.
#include "access/connections.hpp"

#include <gtest/gtest.h>

#include <map>

namespace coff::access {
namespace {

class Followed : public ::testing::Test {
 protected:
  Connections connections_{{.on_request = [this](Exchange&) { ++begun_; },
                            .on_done = [this](Exchange& exchange) { done_.push_back(exchange); },
                            .on_raw = [this](std::uint64_t id) { raw_.push_back(id); }}};
  std::vector<Exchange> done_;
  std::vector<std::uint64_t> raw_;
  size_t begun_ = 0;
  std::map<std::pair<std::uint64_t, bool>, std::uint64_t> offsets_;

  void carry(std::uint64_t connection, bool answer, std::string_view bytes,
             std::uint64_t missing = 0) {
    std::uint64_t& offset = offsets_[{connection, answer}];
    connections_.take({.connection = connection,
                       .socket = "/run/docker.sock",
                       .answer = answer,
                       .offset = offset,
                       .count = bytes.size() + missing,
                       .bytes = bytes,
                       .boot_ns = ++clock_,
                       .client = {.pid = 7}});
    offset += bytes.size() + missing;
  }
  void ask(std::string_view bytes) { carry(1, false, bytes); }
  void answer(std::string_view bytes) { carry(1, true, bytes); }

 private:
  std::uint64_t clock_ = 1000;
};

constexpr std::string_view kMade =
    "HTTP/1.1 201 Created\r\nContent-Length: 15\r\n\r\n{\"Id\":\"abc123\"}";

TEST_F(Followed, ReadsAnExecFromCreationToHijack) {
  ask("POST /v1.41/containers/web/exec HTTP/1.1\r\nUser-Agent: Docker\r\nContent-Length: "
      "108\r\n\r\n"
      R"({"User":"root","Privileged":true,"Env":["A=1"],"cmd":["old"],"Cmd":["sh","-c","id"],"Padding":"..........."})");
  answer(kMade);
  ask("POST /v1.41/exec/abc123/start HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"
      "Content-Length: 2\r\n\r\n{}");
  answer("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\n\r\n");
  ask("POST /containers/none/kill HTTP/1.1\r\n\r\n");
  answer("HTTP/1.1 204 No Content\r\n\r\n");
  ASSERT_EQ(done_.size(), 2U);
  const ApiRequest& made = done_[0].request;
  EXPECT_EQ(made.action, "exec_create");
  EXPECT_EQ(made.target, "web");
  EXPECT_TRUE(made.on_container);
  EXPECT_EQ(made.command, (std::vector<std::string>{"sh", "-c", "id"}));
  EXPECT_EQ(made.user, "root");
  EXPECT_TRUE(made.privileged);
  EXPECT_EQ(made.environment, (std::vector<std::string>{"A=1"}));
  EXPECT_EQ(made.made_id, "abc123");
  EXPECT_EQ(made.status, 201U);
  EXPECT_FALSE(made.body_unread);
  EXPECT_EQ(done_[1].request.action, "exec_start");
  EXPECT_EQ(done_[1].request.target, "abc123");
  EXPECT_TRUE(done_[1].request.on_exec);
  EXPECT_TRUE(done_[1].request.hijacked);
  EXPECT_EQ(raw_, (std::vector<std::uint64_t>{1}));
}

TEST_F(Followed, HijacksWithoutAnUpgrade) {
  ask("POST /exec/ab/start HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}");
  answer("HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n");
  EXPECT_EQ(raw_.size(), 1U);
  ASSERT_EQ(done_.size(), 1U);
  EXPECT_TRUE(done_[0].request.hijacked);
}

TEST_F(Followed, GivesPipelinedRequestsTheirOwnAnswers) {
  ask("HEAD /_ping HTTP/1.1\r\n\r\nPOST /containers/create?name=a%20b HTTP/1.1\r\n"
      "Content-Length: 13\r\n\r\n{\"Image\":\"x\"}DELETE /containers/z?force=1 HTTP/1.1\r\n\r\n");
  EXPECT_EQ(begun_, 3U);
  answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
  answer("HTTP/1.1 100 Continue\r\n\r\n");
  answer(kMade);
  answer("HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone");
  ASSERT_EQ(done_.size(), 3U);
  EXPECT_EQ(done_[0].request.status, 200U);
  EXPECT_EQ(done_[1].request.action, "create");
  EXPECT_EQ(done_[1].request.name, "a b");
  EXPECT_EQ(done_[1].request.image, "x");
  EXPECT_EQ(done_[1].request.made_id, "abc123");
  EXPECT_EQ(done_[2].request.action, "remove");
  EXPECT_EQ(done_[2].request.status, 404U);
}

TEST_F(Followed, IsNotFooledByWhatAContainerPrints) {
  ask("GET /containers/a/logs?stdout=1 HTTP/1.1\r\n\r\n");
  ask("POST /containers/a/exec HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}");
  answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n33\r\n");
  answer("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n........\r\n0\r\n\r\n");
  answer("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
  ASSERT_EQ(done_.size(), 2U);
  EXPECT_EQ(done_[1].request.action, "exec_create");
  EXPECT_EQ(done_[1].request.status, 403U);
}

TEST_F(Followed, TellsThatARequestWasNotSeen) {
  ask("POST /build HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
  carry(1, false, "", 500'000);
  answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  answer("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
  ASSERT_EQ(done_.size(), 2U);
  EXPECT_EQ(done_[0].request.action, "build");
  EXPECT_TRUE(done_[0].request.cut);
  EXPECT_EQ(done_[1].request.action, "unseen");
  EXPECT_EQ(done_[1].request.status, 201U);
}

TEST_F(Followed, NamesProtocolsThatItDoesNotRead) {
  ask("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  ASSERT_EQ(done_.size(), 1U);
  EXPECT_EQ(done_[0].request.action, "http2");
  EXPECT_EQ(raw_.size(), 1U);
}

TEST_F(Followed, ForgetsTheLeastUsedConnection) {
  for (std::uint64_t id = 1; id <= Connections::kConnectionsMax + 5; ++id) {
    carry(id, false, "GET /info HTTP/1.1\r\n\r\n");
  }
  EXPECT_EQ(connections_.size(), Connections::kConnectionsMax);
  EXPECT_EQ(done_.size(), 5U);
  connections_.finish();
  EXPECT_EQ(done_.size(), Connections::kConnectionsMax + 5);
  EXPECT_EQ(connections_.size(), 0U);
}

TEST_F(Followed, EndsWithItsClient) {
  ask("GET /info HTTP/1.1\r\n\r\n");
  answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(connections_.size(), 1U);
  ask("");
  EXPECT_EQ(connections_.size(), 0U);
}

TEST(ApiRequest, KnowsTheActions) {
  struct Case {
    std::string_view line, action, target;
  };
  constexpr Case kCases[] = {
      {"POST /v1.41/containers/w%65b/exec HTTP/1.1", "exec_create", "web"},
      {"POST http://d/v1.24/containers/a/kill?signal=9 HTTP/1.1", "kill", "a"},
      {"PUT /containers/a/archive?path=/etc HTTP/1.1", "archive_put", "a"},
      {"DELETE /v1.41/images/shop/web:1.2 HTTP/1.1", "image_remove", "shop/web:1.2"},
      {"POST /images/reg:5/shop/web/push HTTP/1.1", "push", "reg:5/shop/web"},
      {"POST /images/create?fromImage=busybox&tag=1 HTTP/1.1", "pull", ""},
      {"POST /images/create?fromSrc=- HTTP/1.1", "image_import", ""},
      {"POST /commit?container=a&repo=r HTTP/1.1", "commit", "a"},
      {"POST /v4.0.0/libpod/containers/a/start HTTP/1.1", "start", "a"},
      {"GET /containers/json HTTP/1.1", "read", ""},
      {"GET /containers/a/json HTTP/1.1", "read", "a"},
      {"POST /swarm/init HTTP/1.1", "other", ""},
      {"DELETE /networks/n HTTP/1.1", "network_remove", "n"},
  };
  for (const Case& each : kCases) {
    const ApiRequest request = request_of({.start = std::string(each.line)});
    EXPECT_EQ(request.action, each.action) << each.line;
    EXPECT_EQ(request.target, each.target) << each.line;
  }
}

TEST(ApiRequest, SaysWhenABodyIsUnread) {
  Message head{.start = "POST /containers/a/exec HTTP/1.1"};
  for (const std::string body : {"{", "[]", "nonsense", "\xFF"}) {
    ApiRequest request = request_of(head);
    take_body(request, {.body = body, .body_bytes = body.size()});
    EXPECT_TRUE(request.body_unread) << body;
  }
}

}  // namespace
}  // namespace coff::access
