// Edges as a graph: grouped, walked, drawn.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace coff::flow {

/// What two nodes have to do with each other, all services together.
struct Link {
  std::map<std::uint16_t, std::uint64_t> connections_by_port;
  std::uint64_t connections = 0;
  std::uint64_t failed = 0;
  std::uint64_t bytes = 0;  ///< Both ways.
  std::string first;        ///< RFC 3339; equal formats compare as text.
  std::string last;
};

/// Directed: from who connects to who is connected to. Nodes are names, taken as they are; drawing
/// escapes them. Not thread-safe.
class Graph {
 public:
  /// Adds to the link between two names; a link from a name to itself counts too.
  void add(const std::string& from, const std::string& to, std::uint16_t port, const Link& link);

  [[nodiscard]] const std::map<std::string, std::map<std::string, Link>>& links() const {
    return links_;
  }
  [[nodiscard]] std::vector<std::string> nodes() const;
  /// Nodes that can be reached from one by following links, each with the shortest way to it, the
  /// start and itself included. Nearest first.
  [[nodiscard]] std::vector<std::vector<std::string>> reach(const std::string& from) const;
  /// The same against the direction of links: who can reach it.
  [[nodiscard]] std::vector<std::vector<std::string>> reached_by(const std::string& to) const;
  /// Shortest way; empty when there is none.
  [[nodiscard]] std::vector<std::string> path(const std::string& from, const std::string& to) const;

  [[nodiscard]] std::string dot() const;      ///< Graphviz.
  [[nodiscard]] std::string mermaid() const;  ///< Mermaid flowchart.
  [[nodiscard]] std::string json() const;     ///< {"nodes":[…],"links":[…]}

 private:
  [[nodiscard]] std::vector<std::vector<std::string>> walk(const std::string& start,
                                                           bool forward) const;

  std::map<std::string, std::map<std::string, Link>> links_;
};

/// "1.2 MiB", "3 B".
std::string bytes_text(std::uint64_t bytes);

}  // namespace coff::flow
