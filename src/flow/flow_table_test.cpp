// Ends of connections become edges: joined through translation, late, alone, evicted.
#include "flow/flow_table.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "base/json_writer.hpp"

namespace coff::flow {
namespace {

constexpr std::uint64_t kSecondNs = 1'000'000'000;

Endpoint end(std::uint8_t last, std::uint16_t port) {
  return {.address = {10, 0, 0, last}, .port = port};
}

ContainerPtr container(const std::string& name) {
  return std::make_shared<const Container>(Container{.id = name + "-id", .name = name});
}

ProcessPtr process(const std::string& exe, std::uint32_t pid) {
  auto program = std::make_shared<const Program>(Program{.exe = exe});
  return std::make_shared<const Process>(
      Process{.id = pid, .pid = pid, .name = exe.substr(exe.rfind('/') + 1), .program = program});
}

struct Side {
  ContainerPtr in;
  ProcessPtr by;
};

Event event(const Side& side, FlowInfo flow, std::uint64_t at_ns, std::int64_t result = 0) {
  flow.family = AF_INET;
  Event made;
  made.kind = Kind::flow;
  made.wall_ns = static_cast<std::int64_t>(at_ns);
  made.boot_ns = at_ns;
  made.result = result;
  made.process = side.by;
  made.container = side.in;
  made.detail = flow;
  return made;
}

class Flows : public testing::Test {
 protected:
  Flows() : table([this](const Edge& edge) { told.push_back(edge_text(edge)); }) {}

  /// Both ends of a connection from the web server to the application, in one state.
  void both(std::uint8_t state, std::uint32_t number, std::uint64_t at_ns) {
    client_end(state, number, at_ns);
    server_end(state, number, at_ns);
  }
  void client_end(std::uint8_t state, std::uint32_t number, std::uint64_t at_ns) {
    table.take(event(web,
                     {.state = state,
                      .role = COFF_FLOW_CLIENT,
                      .local = end(2, static_cast<std::uint16_t>(40'000 + number)),
                      .remote = client_sees,
                      .bytes_out = 100,
                      .bytes_in = 5000,
                      .rtt_us = 40,
                      .isn_client = number,
                      .isn_server = number + 7},
                     at_ns));
  }
  void server_end(std::uint8_t state, std::uint32_t number, std::uint64_t at_ns) {
    table.take(event(app,
                     {.state = state,
                      .role = COFF_FLOW_SERVER,
                      .local = end(3, 8080),
                      .remote = end(2, static_cast<std::uint16_t>(40'000 + number)),
                      .bytes_out = 5000,
                      .bytes_in = 100,
                      .isn_client = number,
                      .isn_server = number + 7},
                     at_ns));
  }

  Side web{container("web"), process("/usr/sbin/nginx", 10)};
  Side app{container("app"), process("/usr/bin/python3", 20)};
  Endpoint client_sees = end(3, 8080);
  std::vector<std::string> told;
  FlowTable table;
};

TEST_F(Flows, BothEndsAreOneEdge) {
  both(COFF_FLOW_OPEN, 1, kSecondNs);
  ASSERT_EQ(told, std::vector<std::string>{"web (nginx) -> app (python3):8080"});
  both(COFF_FLOW_CLOSED, 1, 2 * kSecondNs);
  both(COFF_FLOW_CLOSED, 2, 3 * kSecondNs);  // only its end was told
  EXPECT_EQ(told.size(), 1U) << "an edge is told once";
  const auto edges = table.edges();
  ASSERT_EQ(edges.size(), 1U);
  EXPECT_EQ(edges[0]->connections, 2U);
  EXPECT_EQ(edges[0]->bytes_to_server, 200U);
  EXPECT_EQ(edges[0]->bytes_to_client, 10'000U);
  EXPECT_EQ(edges[0]->via.port, 0);
  EXPECT_EQ(edges[0]->rtt_us, 40U);
  EXPECT_EQ(table.counters().joined, 2U);
  EXPECT_EQ(table.open_connections(), 0U);
}

TEST_F(Flows, TranslatedAddressesJoinAndAreShown) {
  client_sees = end(99, 80);  // a published port of the host
  both(COFF_FLOW_OPEN, 1, kSecondNs);
  ASSERT_EQ(table.edges().size(), 1U);
  EXPECT_EQ(told.front(), "web (nginx) -> app (python3):80 via 10.0.0.99:80");
}

TEST_F(Flows, AnEndAloneIsToldWhenTheWaitIsOver) {
  client_end(COFF_FLOW_OPEN, 1, kSecondNs);
  table.tick(kSecondNs + FlowTable::kJoinNs - 1);
  EXPECT_TRUE(told.empty());
  table.tick(kSecondNs + FlowTable::kJoinNs);
  ASSERT_EQ(told, std::vector<std::string>{"web (nginx) -> 10.0.0.3:8080"});
  EXPECT_EQ(table.counters().one_sided, 1U);
  client_end(COFF_FLOW_CLOSED, 1, 9 * kSecondNs);
  table.tick(20 * kSecondNs);
  EXPECT_EQ(table.edges().front()->bytes_to_client, 5000U);
  EXPECT_EQ(table.open_connections(), 0U);
}

TEST_F(Flows, AnEndThatComesLateMakesTheEdgeWhole) {
  client_end(COFF_FLOW_OPEN, 1, kSecondNs);
  table.tick(5 * kSecondNs);
  both(COFF_FLOW_CLOSED, 1, 6 * kSecondNs);
  const auto edges = table.edges();
  ASSERT_EQ(edges.size(), 1U) << "the half edge has nothing left";
  EXPECT_TRUE(edges[0]->server.is_here);
  EXPECT_EQ(edges[0]->connections, 1U);
  EXPECT_EQ(table.counters().one_sided, 0U);
  EXPECT_EQ(table.counters().joined, 1U);
}

TEST_F(Flows, TheWorkerIsNamed) {
  Side master{app.in, process("/usr/sbin/master", 30)};
  client_end(COFF_FLOW_CLOSED, 1, kSecondNs);
  table.take(event(master,
                   {.state = COFF_FLOW_CLOSED,
                    .role = COFF_FLOW_SERVER,
                    .local = end(3, 8080),
                    .remote = end(2, 40'001),
                    .isn_client = 1,
                    .isn_server = 8,
                    .worker = process("/usr/sbin/worker", 31),
                    .worker_pid = 31},
                   kSecondNs));
  ASSERT_EQ(table.edges().size(), 1U);
  EXPECT_EQ(table.edges()[0]->server.pid, 31U);
  EXPECT_EQ(table.edges()[0]->server.exe, "/usr/sbin/worker");
}

TEST_F(Flows, NamesThatComeLateAreTaken) {
  web.in = std::make_shared<const Container>(Container{.id = "web-id"});
  both(COFF_FLOW_OPEN, 1, kSecondNs);
  ASSERT_EQ(table.edges().front()->client.container->name, "");
  table.refresh([](std::string_view id) {
    return std::make_shared<const Container>(
        Container{.id = std::string(id), .metadata = Metadata::kComplete, .name = "late"});
  });
  EXPECT_EQ(table.edges().front()->client.container->name, "late");
}

TEST_F(Flows, FailuresAreCountedWithTheirReason) {
  for (int attempt = 0; attempt < 3; ++attempt) {
    table.take(event(web,
                     {.state = COFF_FLOW_FAILED, .role = COFF_FLOW_CLIENT, .remote = end(4, 6379)},
                     kSecondNs, -ECONNREFUSED));
  }
  const auto edges = table.edges();
  ASSERT_EQ(edges.size(), 1U);
  EXPECT_EQ(edges[0]->failed, 3U);
  EXPECT_EQ(edges[0]->connections, 0U);
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  write_edge(json, *edges[0]);
  json.end_object();
  EXPECT_NE(text.find("\"last_error\":\"ECONNREFUSED\""), std::string::npos) << text;
}

TEST_F(Flows, WhatTheKernelOnlyCountedCounts) {
  client_end(COFF_FLOW_CLOSED, 1, kSecondNs);
  table.take(event(app,
                   {.state = COFF_FLOW_CLOSED,
                    .role = COFF_FLOW_SERVER,
                    .local = end(3, 8080),
                    .remote = end(2, 40'001),
                    .isn_client = 1,
                    .isn_server = 8},
                   kSecondNs));
  table.take(event(web,
                   {.state = COFF_FLOW_CLOSED,
                    .role = COFF_FLOW_CLIENT,
                    .local = end(2, 40'002),
                    .remote = client_sees,
                    .isn_client = 2,
                    .isn_server = 9,
                    .unreported = 41},
                   kSecondNs));
  table.tick(10 * kSecondNs);
  std::uint64_t connections = 0;
  for (const Edge* edge : table.edges()) connections += edge->connections;
  EXPECT_EQ(connections, 43U);
  EXPECT_EQ(table.counters().unreported, 41U);
}

TEST_F(Flows, MemoryIsBoundedAndWhatLeftIsCounted) {
  for (std::uint32_t port = 1; port <= 65'535; ++port) {
    table.take(event(web,
                     {.state = COFF_FLOW_FAILED,
                      .role = COFF_FLOW_CLIENT,
                      .remote = end(4, static_cast<std::uint16_t>(port))},
                     port * 1000, -ECONNREFUSED));
  }
  EXPECT_LE(table.edges().size(), FlowTable::kEdgesMax);
  EXPECT_EQ(table.edges().size() + table.counters().edges_evicted, 65'535U);
  for (std::uint32_t number = 1; number <= FlowTable::kConnectionsMax + 10; ++number) {
    client_end(COFF_FLOW_OPEN, number, kSecondNs);
  }
  EXPECT_LE(table.open_connections(), FlowTable::kConnectionsMax);
  EXPECT_EQ(table.counters().connections_evicted, FlowTable::kConnectionsMax);
  table.tick(10 * kSecondNs);
}

}  // namespace
}  // namespace coff::flow
