// Graphs of edges: walking, drawing, hostile names.
#include "flow/graph.hpp"

#include <gtest/gtest.h>

namespace coff::flow {
namespace {

Graph shop() {
  Graph graph;
  graph.add("visitor", "web", 80, {.connections = 3, .bytes = 2048, .first = "a", .last = "b"});
  graph.add("web", "app", 8080, {.connections = 2});
  graph.add("app", "database", 6379, {.connections = 2});
  graph.add("app", "192.0.2.9", 443, {.failed = 4});
  return graph;
}

using Ways = std::vector<std::vector<std::string>>;

TEST(Graph, ReachFollowsConnectionsAndNotAttempts) {
  const Graph graph = shop();
  EXPECT_EQ(graph.reach("web"), (Ways{{"web", "app"}, {"web", "app", "database"}}));
  EXPECT_EQ(graph.reached_by("app"), (Ways{{"web", "app"}, {"visitor", "web", "app"}}));
  EXPECT_EQ(graph.path("visitor", "database"),
            (std::vector<std::string>{"visitor", "web", "app", "database"}));
  EXPECT_TRUE(graph.path("database", "visitor").empty());
  EXPECT_TRUE(graph.path("app", "192.0.2.9").empty());
}

TEST(Graph, CirclesEnd) {
  Graph graph;
  graph.add("a", "b", 1, {.connections = 1});
  graph.add("b", "a", 1, {.connections = 1});
  graph.add("a", "a", 1, {.connections = 1});
  EXPECT_EQ(graph.reach("a"), (Ways{{"a", "b"}}));
}

TEST(Graph, LinksAddUp) {
  Graph graph;
  graph.add("a", "b", 80, {.connections = 1, .bytes = 10, .first = "2026-02", .last = "2026-03"});
  graph.add("a", "b", 443, {.connections = 2, .bytes = 5, .first = "2026-01", .last = "2026-02"});
  const Link& link = graph.links().at("a").at("b");
  EXPECT_EQ(link.connections, 3U);
  EXPECT_EQ(link.bytes, 15U);
  EXPECT_EQ(link.first, "2026-01");
  EXPECT_EQ(link.last, "2026-03");
  EXPECT_EQ(link.connections_by_port.size(), 2U);
}

TEST(Graph, Drawings) {
  const Graph graph = shop();
  EXPECT_NE(graph.dot().find("\"visitor\" -> \"web\" [label=\"80, 3 x, 2.0 KiB\"];"),
            std::string::npos)
      << graph.dot();
  EXPECT_NE(graph.dot().find("style=dashed"), std::string::npos);
  EXPECT_NE(graph.mermaid().find("-.->|\"443, 0 x, 4 failed\"|"), std::string::npos)
      << graph.mermaid();
  EXPECT_NE(graph.json().find(R"({"from":"web","to":"app","ports":[8080],"connections":2)"),
            std::string::npos)
      << graph.json();
}

TEST(Graph, HostileNamesStayNames) {
  Graph graph;
  graph.add("a\"]; evil [x=\"", "b\n\x1b[31m</a>\\", 1, {.connections = 1});
  for (const std::string& drawing : {graph.dot(), graph.mermaid()}) {
    EXPECT_EQ(drawing.find("evil ["), std::string::npos) << drawing;
    EXPECT_EQ(drawing.find('\x1b'), std::string::npos);
    EXPECT_EQ(drawing.find("</a>"), std::string::npos);
  }
  EXPECT_EQ(graph.dot().find("a\"]"), std::string::npos);
}

TEST(Graph, Bytes) {
  EXPECT_EQ(bytes_text(0), "0 B");
  EXPECT_EQ(bytes_text(1023), "1023 B");
  EXPECT_EQ(bytes_text(1536), "1.5 KiB");
  EXPECT_EQ(bytes_text(3ULL << 40U), "3.0 TiB");
}

}  // namespace
}  // namespace coff::flow
