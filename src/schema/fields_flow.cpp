// Fields of TCP connections (flow.*), as one of their ends saw them.
#include <sys/socket.h>

#include "schema/constants.hpp"
#include "schema/field_get.hpp"

namespace coff::schema {

namespace {

const FlowInfo* flow_of(const Subject& subject) {
  return std::get_if<FlowInfo>(&subject.event.detail);
}

enum class End : unsigned char { kLocal, kRemote, kClient, kServer };

const Endpoint& end_of(const FlowInfo& flow, End end) {
  const bool is_client = flow.role == COFF_FLOW_CLIENT;
  const bool local = end == End::kLocal || (end == End::kClient && is_client) ||
                     (end == End::kServer && !is_client);
  return local ? flow.local : flow.remote;
}

template <End Which>
Value address(const Subject& subject, const Argument&) {
  const FlowInfo* flow = flow_of(subject);
  if (flow == nullptr) return {};
  return Address{.bytes = end_of(*flow, Which).address, .v6 = flow->family == AF_INET6};
}
template <End Which>
Value port(const Subject& subject, const Argument&) {
  const FlowInfo* flow = flow_of(subject);
  return flow == nullptr ? Value{} : Value{std::uint64_t{end_of(*flow, Which).port}};
}

Value state(const Subject& subject, const Argument&) {
  const FlowInfo* flow = flow_of(subject);
  return flow == nullptr ? Value{} : text_value(flow_state_name(flow->state));
}
Value role(const Subject& subject, const Argument&) {
  const FlowInfo* flow = flow_of(subject);
  return flow == nullptr ? Value{} : text_value(flow_role_name(flow->role));
}
Value duration(const Subject& subject, const Argument&) {
  const FlowInfo* flow = flow_of(subject);
  if (flow == nullptr || flow->opened_boot_ns == 0) return {};
  return subject.event.boot_ns - flow->opened_boot_ns;
}
Value worker(const Subject& subject, const Argument&) {
  const FlowInfo* flow = flow_of(subject);
  return flow == nullptr || flow->worker_pid == 0 ? Value{} : Value{std::int64_t{flow->worker_pid}};
}

using enum Type;
constexpr Field kFields[] = {
    {"flow.state", kText, state, "", "",
     "open (told for the first connection of an edge), closed, failed, or seen: older than the "
     "agent."},
    {"flow.role", kText, role, "network.direction", "connection_info.direction",
     "client or server: which end the process is."},
    {"flow.cip", kAddress, address<End::kClient>, "client.ip", "", "Address of the client."},
    {"flow.sip", kAddress, address<End::kServer>, "server.ip", "",
     "Address of the server, as this end knows it."},
    {"flow.lip", kAddress, address<End::kLocal>, "source.ip", "src_endpoint.ip",
     "Address of this end."},
    {"flow.rip", kAddress, address<End::kRemote>, "destination.ip", "dst_endpoint.ip",
     "Address of the other end."},
    {"flow.cnet", kNetwork, address<End::kClient>, "", "",
     "Address of the client, matched against networks."},
    {"flow.snet", kNetwork, address<End::kServer>, "", "",
     "Address of the server, matched against networks."},
    {"flow.rnet", kNetwork, address<End::kRemote>, "", "",
     "Address of the other end, matched against networks."},
    {"flow.cport", kPort, port<End::kClient>, "client.port", "", "Port of the client."},
    {"flow.sport", kPort, port<End::kServer>, "server.port", "",
     "Port of the server: which service it is."},
    {"flow.lport", kPort, port<End::kLocal>, "source.port", "src_endpoint.port",
     "Port of this end."},
    {"flow.rport", kPort, port<End::kRemote>, "destination.port", "dst_endpoint.port",
     "Port of the other end."},
    {"flow.duration", kDuration, duration, "event.duration", "duration",
     "Time since it was opened; not known of connections older than the agent."},
    {"flow.bytes_out", kUnsigned, of_detail<FlowInfo, &FlowInfo::bytes_out>, "source.bytes",
     "traffic.bytes_out", "Bytes that this end sent and the other acknowledged."},
    {"flow.bytes_in", kUnsigned, of_detail<FlowInfo, &FlowInfo::bytes_in>, "destination.bytes",
     "traffic.bytes_in", "Bytes that this end received."},
    {"flow.retransmits", kInteger, of_detail<FlowInfo, &FlowInfo::retransmits>, "", "",
     "Segments that this end sent again."},
    {"flow.rtt_us", kInteger, of_detail<FlowInfo, &FlowInfo::rtt_us>, "", "",
     "Smoothed round trip time in microseconds; 0 when not measured."},
    {"flow.unreported", kUnsigned, of_detail<FlowInfo, &FlowInfo::unreported>, "", "",
     "Connections of the same program with the same service that were counted and had no event."},
    {"flow.worker", kInteger, worker, "", "",
     "Process id of the worker that closed a connection which another process had accepted."},
};

}  // namespace

std::span<const Field> flow_fields() { return kFields; }

}  // namespace coff::schema
