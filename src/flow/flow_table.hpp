// Ends of connections in, edges with both sides out.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "flow/edge.hpp"
#include "schema/event.hpp"

namespace coff::flow {

/// What became of connections, since start.
struct FlowCounters {
  std::uint64_t ends = 0;        ///< Events taken.
  std::uint64_t joined = 0;      ///< Connections with both sides on this host.
  std::uint64_t one_sided = 0;   ///< The other side is elsewhere, or was never told of.
  std::uint64_t failed = 0;      ///< Never established.
  std::uint64_t unreported = 0;  ///< Counted by the kernel alone: the sample left them out.
  std::uint64_t connections_evicted = 0;  ///< Forgotten before their end: too many at a time.
  std::uint64_t edges_evicted = 0;        ///< Edges forgotten for newer ones.
};

/// Joins the two ends of each connection by the numbers that both know, so that neither address
/// translation nor a proxy in the kernel's path matters, and keeps edges. Memory is bounded.
/// Not thread-safe.
class FlowTable {
 public:
  /// An end waits so long for the other; then the other is elsewhere.
  static constexpr std::uint64_t kJoinNs = 2'000'000'000;
  static constexpr size_t kConnectionsMax = 65'536;
  static constexpr size_t kEdgesMax = 16'384;

  /// Told of each edge when it has both sides, or the wait for the other is over.
  using OnEdge = std::function<void(const Edge&)>;
  explicit FlowTable(OnEdge on_edge = {}) : on_edge_(std::move(on_edge)) {}

  /// An event of Kind::flow.
  void take(const Event& event);
  /// Ends waits that are over. Call it about once a second.
  void tick(std::uint64_t boot_ns);

  /// Puts what is known now of containers into edges that were made before it was.
  void refresh(const std::function<ContainerPtr(std::string_view id)>& find);

  /// Edges used since `wall_ns`, the newest first. Borrowed until the next take() or tick().
  [[nodiscard]] std::vector<const Edge*> edges(std::int64_t since_wall_ns = 0) const;
  [[nodiscard]] const FlowCounters& counters() const { return counters_; }
  [[nodiscard]] size_t open_connections() const { return connections_.size(); }

 private:
  /// What one end told last.
  struct End {
    Party party;
    Endpoint remote;
    std::uint8_t state = 0;
    std::uint64_t bytes_out = 0;
    std::uint64_t bytes_in = 0;
    std::uint64_t unreported = 0;
    std::uint32_t retransmits = 0;
    std::uint32_t rtt_us = 0;
    std::int32_t error = 0;
  };
  struct Connection {
    std::optional<End> client;
    std::optional<End> server;
    bool v6 = false;
    std::int64_t wall_ns = 0;
    std::uint64_t until_boot_ns = 0;  ///< Of the wait for the other end.
    Edge* edge = nullptr;             ///< Null while it waits.
  };

  static End make_end(const Event& event, const FlowInfo& flow);
  void take_failure(const Event& event, const FlowInfo& flow);
  void settle(Connection& connection, bool wait_is_over);
  Edge& edge_of(const Connection& connection);
  Edge& find_or_add(Edge&& candidate);
  void account(Connection& connection);
  void make_room();

  OnEdge on_edge_;
  std::unordered_map<std::uint64_t, Connection> connections_;  ///< By FlowInfo::key().
  std::unordered_map<std::string, Edge> edges_;                ///< By both identities and the port.
  std::uint64_t next_number_ = 1;
  FlowCounters counters_;
};

}  // namespace coff::flow
