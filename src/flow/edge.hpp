// Who talks to whom: one program in one container that uses one service of another.
#pragma once

#include <cstdint>
#include <string>

#include "base/json_writer.hpp"
#include "schema/event.hpp"

namespace coff::flow {

/// One side of an edge. A side that is not on this host, or not known, has only an address.
struct Party {
  ContainerPtr container;        ///< Null on the host, and for what is elsewhere.
  std::string exe;               ///< Path of the program; "" when not known.
  std::string process;           ///< Its name.
  std::uint64_t process_id = 0;  ///< Of the newest process, stable id; 0: elsewhere.
  std::uint32_t pid = 0;
  std::uint32_t uid = 0;
  Endpoint address;      ///< As this side itself has it; as the other has it, when elsewhere.
  bool is_here = false;  ///< Seen on this host.

  /// What makes two sides the same one: container and program, or the address.
  [[nodiscard]] std::string identity(bool v6) const;
};

/// Connections of one program to one service, in either state. Times are wall clock.
struct Edge {
  std::uint64_t number = 0;  ///< In the order of being seen first; never given twice.
  Party client;
  Party server;
  std::uint16_t port = 0;  ///< Of the service, as the client knows it.
  bool v6 = false;
  /// Where the client sent to, when addresses are translated on the way; port 0: they are not.
  Endpoint via;
  std::int64_t first_wall_ns = 0;
  std::int64_t last_wall_ns = 0;
  std::uint64_t connections = 0;
  std::uint64_t failed = 0;
  std::uint64_t bytes_to_server = 0;
  std::uint64_t bytes_to_client = 0;
  std::uint64_t retransmits = 0;  ///< Of both sides.
  std::uint32_t rtt_us = 0;       ///< Newest, as the client measured it.
  std::int32_t last_error = 0;    ///< errno of the newest failure; 0: none.
  bool existed_before = false;    ///< Found at start: older than the agent.
};

/// Members of an edge, without the braces: "client", "server", "port", counts and times.
void write_edge(JsonWriter& json, const Edge& edge);
/// "shop-web-1 (nginx) -> shop-app-1 (python3):8080", for people; hostile names made visible.
std::string edge_text(const Edge& edge);

}  // namespace coff::flow
