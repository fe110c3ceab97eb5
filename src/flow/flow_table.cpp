// Ends of connections in, edges with both sides out.
#include "flow/flow_table.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

namespace coff::flow {

namespace {

bool has_ended(std::uint8_t state) { return state == COFF_FLOW_CLOSED; }

bool same(const Endpoint& a, const Endpoint& b) {
  return a.port == b.port && a.address == b.address;
}

Party party_of(const Event& event, const FlowInfo& flow) {
  Party party{.container = event.container, .address = flow.local, .is_here = true};
  // A worker that another process accepted for is who really talks.
  const Process* process = flow.worker != nullptr ? flow.worker.get() : event.process.get();
  party.uid = event.credentials.uid;
  party.process = event.thread_name;
  if (process == nullptr) return party;
  party.pid = process->pid;
  party.process_id = process->id;
  party.uid = process->credentials.uid;
  if (!process->name.empty()) party.process = process->name;
  if (process->program != nullptr) party.exe = process->program->exe;
  return party;
}

Party elsewhere(const Endpoint& address) { return Party{.address = address}; }

}  // namespace

FlowTable::End FlowTable::make_end(const Event& event, const FlowInfo& flow) {
  return {.party = party_of(event, flow),
          .remote = flow.remote,
          .state = flow.state,
          .bytes_out = flow.bytes_out,
          .bytes_in = flow.bytes_in,
          .unreported = flow.unreported,
          .retransmits = flow.retransmits,
          .rtt_us = flow.rtt_us,
          .error = static_cast<std::int32_t>(-event.result)};
}

Edge& FlowTable::find_or_add(Edge&& candidate) {
  const std::string key = candidate.client.identity(candidate.v6) + '\n' +
                          candidate.server.identity(candidate.v6) + '\n' +
                          std::to_string(candidate.port);
  const auto found = edges_.find(key);
  if (found != edges_.end()) {
    Edge& edge = found->second;
    edge.last_wall_ns = std::max(edge.last_wall_ns, candidate.last_wall_ns);
    edge.client = std::move(candidate.client);
    edge.server = std::move(candidate.server);
    edge.via = candidate.via;
    return edge;
  }
  make_room();
  candidate.number = next_number_++;
  Edge& edge = edges_.emplace(key, std::move(candidate)).first->second;
  if (on_edge_) on_edge_(edge);
  return edge;
}

// The oldest eighth goes at once, so that a scan of all ports does not cost a search for each.
void FlowTable::make_room() {
  if (edges_.size() < kEdgesMax) return;
  std::vector<std::int64_t> times;
  times.reserve(edges_.size());
  for (const auto& [key, edge] : edges_) times.push_back(edge.last_wall_ns);
  const auto cut = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 8);
  std::nth_element(times.begin(), cut, times.end());
  const std::int64_t oldest = *cut;
  for (auto& [key, connection] : connections_) {
    if (connection.edge != nullptr && connection.edge->last_wall_ns <= oldest) {
      connection.edge = nullptr;
    }
  }
  counters_.edges_evicted +=
      std::erase_if(edges_, [&](const auto& each) { return each.second.last_wall_ns <= oldest; });
}

Edge& FlowTable::edge_of(const Connection& connection) {
  const auto& client = connection.client;
  const auto& server = connection.server;
  Edge edge{.client = client ? client->party : elsewhere(server->remote),
            .server = server ? server->party : elsewhere(client->remote),
            .port = client ? client->remote.port : server->party.address.port,
            .v6 = connection.v6,
            .first_wall_ns = connection.wall_ns,
            .last_wall_ns = connection.wall_ns};
  // A client's own port is another one each time, and says nothing.
  if (client && server && !same(client->remote, server->party.address)) edge.via = client->remote;
  edge.existed_before =
      (client && client->state == COFF_FLOW_SEEN) || (server && server->state == COFF_FLOW_SEEN);
  return find_or_add(std::move(edge));
}

// What an ended connection adds to its edge. The client's account is the better one: it also knows
// of the round trip.
void FlowTable::account(Connection& connection) {
  Edge& edge = *connection.edge;
  const auto& client = connection.client;
  const auto& server = connection.server;
  const End& end = client ? *client : *server;
  edge.bytes_to_server += client ? end.bytes_out : end.bytes_in;
  edge.bytes_to_client += client ? end.bytes_in : end.bytes_out;
  edge.connections += end.unreported;
  counters_.unreported += end.unreported;
  if (client) edge.retransmits += client->retransmits;
  if (server) edge.retransmits += server->retransmits;
  if (end.rtt_us != 0) edge.rtt_us = end.rtt_us;
  if (end.error != 0) edge.last_error = end.error;
  edge.last_wall_ns = std::max(edge.last_wall_ns, connection.wall_ns);
}

void FlowTable::settle(Connection& connection, bool wait_is_over) {
  const bool both = connection.client && connection.server;
  if (connection.edge == nullptr) {
    if (!both && !wait_is_over) return;
    connection.edge = &edge_of(connection);
    ++connection.edge->connections;
    ++(both ? counters_.joined : counters_.one_sided);
  }
}

void FlowTable::take_failure(const Event& event, const FlowInfo& flow) {
  const End end = make_end(event, flow);
  Edge edge{.client = end.party,
            .server = elsewhere(flow.remote),
            .port = flow.remote.port,
            .v6 = flow.family == AF_INET6,
            .first_wall_ns = event.wall_ns,
            .last_wall_ns = event.wall_ns,
            .last_error = end.error};
  Edge& known = find_or_add(std::move(edge));
  ++known.failed;
  known.last_error = end.error;
  ++counters_.failed;
}

void FlowTable::take(const Event& event) {
  const auto* flow = std::get_if<FlowInfo>(&event.detail);
  if (flow == nullptr) return;
  ++counters_.ends;
  if (flow->state == COFF_FLOW_FAILED || flow->key() == 0) return take_failure(event, *flow);
  if (connections_.size() >= kConnectionsMax && !connections_.contains(flow->key())) {
    counters_.connections_evicted += connections_.size();
    connections_.clear();
  }
  auto [at, is_new] = connections_.try_emplace(flow->key());
  Connection& connection = at->second;
  if (is_new) connection.until_boot_ns = event.boot_ns + kJoinNs;
  connection.v6 = flow->family == AF_INET6;
  connection.wall_ns = event.wall_ns;
  (flow->role == COFF_FLOW_CLIENT ? connection.client : connection.server) = make_end(event, *flow);
  // An end that comes to an edge which was settled without it makes a better one.
  if (!is_new && connection.edge != nullptr && connection.client && connection.server) {
    if (!connection.edge->client.is_here || !connection.edge->server.is_here) {
      if (connection.edge->connections > 0) --connection.edge->connections;
      --counters_.one_sided;
      connection.edge = nullptr;
    }
  }
  settle(connection, false);
  const bool client_ended = connection.client && has_ended(connection.client->state);
  const bool server_ended = connection.server && has_ended(connection.server->state);
  if (connection.edge != nullptr && client_ended && server_ended) {
    account(connection);
    connections_.erase(at);
  } else if (client_ended || server_ended) {
    connection.until_boot_ns = event.boot_ns + kJoinNs;
  }
}

void FlowTable::tick(std::uint64_t boot_ns) {
  for (auto at = connections_.begin(); at != connections_.end();) {
    Connection& connection = at->second;
    const bool ended = (connection.client && has_ended(connection.client->state)) ||
                       (connection.server && has_ended(connection.server->state));
    if (connection.until_boot_ns > boot_ns) {
      ++at;
      continue;
    }
    settle(connection, true);
    if (ended) account(connection);
    at = ended ? connections_.erase(at) : std::next(at);
  }
}

void FlowTable::refresh(const std::function<ContainerPtr(std::string_view id)>& find) {
  for (auto& [key, edge] : edges_) {
    for (Party* party : {&edge.client, &edge.server}) {
      if (party->container == nullptr || party->container->metadata == Metadata::kComplete)
        continue;
      if (ContainerPtr newest = find(party->container->id)) party->container = std::move(newest);
    }
  }
}

std::vector<const Edge*> FlowTable::edges(std::int64_t since_wall_ns) const {
  std::vector<const Edge*> list;
  for (const auto& [key, edge] : edges_) {
    // One whose only connection turned out to have both sides here stands elsewhere now.
    const bool is_empty = edge.connections == 0 && edge.failed == 0;
    if (edge.last_wall_ns >= since_wall_ns && !is_empty) list.push_back(&edge);
  }
  std::sort(list.begin(), list.end(), [](const Edge* a, const Edge* b) {
    return a->last_wall_ns != b->last_wall_ns ? a->last_wall_ns > b->last_wall_ns
                                              : a->number < b->number;
  });
  return list;
}

}  // namespace coff::flow
