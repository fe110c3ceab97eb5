// Edges as text and as JSON.
#include "flow/edge.hpp"

#include <fmt/format.h>

#include "base/clock.hpp"
#include "schema/address.hpp"
#include "schema/constants.hpp"

namespace coff::flow {

namespace {

std::string end_text(const Endpoint& end, bool v6) {
  const std::string ip = schema::address_text(end.address, v6);
  return (v6 ? '[' + ip + ']' : ip) + ':' + std::to_string(end.port);
}

void write_party(JsonWriter& json, std::string_view key, const Party& party, bool v6) {
  json.key(key).begin_object();
  json.member("here", party.is_here);
  if (const Container* container = party.container.get()) {
    json.key("container")
        .begin_object()
        .member("id", container->id)
        .member("name", container->name)
        .member("image", container->image)
        .member("project", container->compose_project)
        .member("service", container->compose_service)
        .end_object();
  }
  if (party.is_here) {
    json.member("exe", party.exe)
        .member("process", party.process)
        .member("pid", party.pid)
        .member("uid", party.uid)
        .member("process_id", fmt::format("{:016x}", party.process_id));
  }
  json.member("address", end_text(party.address, v6)).end_object();
}

std::string party_text(const Party& party, bool v6) {
  const std::string program = party.process.empty() ? "" : " (" + party.process + ")";
  if (const Container* container = party.container.get()) {
    return (container->name.empty() ? container->id.substr(0, 12) : container->name) + program;
  }
  if (party.is_here) return "host" + program;
  return schema::address_text(party.address.address, v6);
}

}  // namespace

std::string Party::identity(bool v6) const {
  if (!is_here) return "@" + schema::address_text(address.address, v6);
  return (container == nullptr ? std::string() : container->id) + '/' + exe;
}

void write_edge(JsonWriter& json, const Edge& edge) {
  json.member("edge", edge.number);
  write_party(json, "client", edge.client, edge.v6);
  write_party(json, "server", edge.server, edge.v6);
  json.member("protocol", std::string_view("tcp")).member("port", edge.port);
  if (edge.via.port != 0) json.member("via", end_text(edge.via, edge.v6));
  json.member("first", format_time(edge.first_wall_ns))
      .member("last", format_time(edge.last_wall_ns))
      .member("connections", edge.connections)
      .member("failed", edge.failed)
      .member("bytes_to_server", edge.bytes_to_server)
      .member("bytes_to_client", edge.bytes_to_client)
      .member("retransmits", edge.retransmits)
      .member("rtt_us", edge.rtt_us);
  if (edge.last_error != 0) json.member("last_error", schema::errno_name(edge.last_error));
  if (edge.existed_before) json.member("existed_before", true);
}

std::string edge_text(const Edge& edge) {
  std::string text = party_text(edge.client, edge.v6) + " -> " + party_text(edge.server, edge.v6) +
                     ':' + std::to_string(edge.port);
  if (edge.via.port != 0) text += " via " + end_text(edge.via, edge.v6);
  return text;
}

}  // namespace coff::flow
