// Fields of descriptors (fd.*): files that are open, and sockets with their two ends.
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "schema/address.hpp"
#include "schema/constants.hpp"
#include "schema/field_get.hpp"

namespace coff::schema {

namespace {

const SocketInfo* socket_of(const Subject& subject) {
  return std::get_if<SocketInfo>(&subject.event.detail);
}

// The file of an event that has a descriptor, or tried to get one.
const FileInfo* open_file_of(const Subject& subject) {
  const auto* file = std::get_if<FileInfo>(&subject.event.detail);
  if (file == nullptr) return nullptr;
  return acting_kind(subject.event) == Kind::open || file->fd >= 0 ? file : nullptr;
}

bool is_ip(const SocketInfo& socket) {
  return socket.family == AF_INET || socket.family == AF_INET6;
}

// In these the subject is the server: it was called.
bool is_server(Kind kind) {
  return kind == Kind::accept || kind == Kind::bind || kind == Kind::listen ||
         kind == Kind::recvfrom;
}
bool has_one_end(Kind kind) { return kind == Kind::bind || kind == Kind::listen; }

enum class End : unsigned char { kLocal, kRemote, kClient, kServer };

const Endpoint* end_of(const Subject& subject, End end) {
  const SocketInfo* socket = socket_of(subject);
  const Kind kind = acting_kind(subject.event);
  if (socket == nullptr || !is_ip(*socket) || kind == Kind::socket) return nullptr;
  bool local = end == End::kLocal;
  if (end == End::kClient) local = !is_server(kind);
  if (end == End::kServer) local = is_server(kind);
  if (!local && has_one_end(kind)) return nullptr;
  return local ? &socket->local : &socket->remote;
}

Address address_of(const SocketInfo& socket, const Endpoint& end) {
  return {.bytes = end.address, .v6 = socket.family == AF_INET6};
}

template <End Which>
Value address(const Subject& subject, const Argument&) {
  const Endpoint* end = end_of(subject, Which);
  return end == nullptr ? Value{} : Value{address_of(*socket_of(subject), *end)};
}
template <End Which>
Value port(const Subject& subject, const Argument&) {
  const Endpoint* end = end_of(subject, Which);
  return end == nullptr ? Value{} : Value{std::uint64_t{end->port}};
}

Value both_addresses(const Subject& subject, const Argument&) {
  AddressList list;
  for (const End which : {End::kClient, End::kServer}) {
    if (const Endpoint* end = end_of(subject, which)) {
      list.push_back(address_of(*socket_of(subject), *end));
    }
  }
  return list.empty() ? Value{} : Value{std::move(list)};
}

Value both_ports(const Subject& subject, const Argument&) {
  NumberList list;
  for (const End which : {End::kClient, End::kServer}) {
    if (const Endpoint* end = end_of(subject, which)) list.push_back(end->port);
  }
  return list.empty() ? Value{} : Value{std::move(list)};
}

std::string end_text(const SocketInfo& socket, const Endpoint& end) {
  return address_text(end.address, socket.family == AF_INET6) + ':' + std::to_string(end.port);
}

Value name(const Subject& subject, const Argument&) {
  if (const FileInfo* file = open_file_of(subject)) return value_of(file->path.name);
  const SocketInfo* socket = socket_of(subject);
  if (socket == nullptr) return {};
  if (!is_ip(*socket)) return text_value(unix_path_text(socket->unix_path));
  const Endpoint* client = end_of(subject, End::kClient);
  const Endpoint* server = end_of(subject, End::kServer);
  if (server == nullptr) return {};
  if (client == nullptr) return end_text(*socket, *server);
  return end_text(*socket, *client) + "->" + end_text(*socket, *server);
}

Value raw_name(const Subject& subject, const Argument&) {
  const FileInfo* file = open_file_of(subject);
  return file == nullptr ? Value{} : value_of(file->path.raw);
}

Value directory(const Subject& subject, const Argument&) {
  const FileInfo* file = open_file_of(subject);
  if (file == nullptr || file->path.name.empty()) return {};
  const std::string_view path = file->path.name;
  if ((file->open_flags & O_DIRECTORY) != 0) return path;
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos || slash == 0) return std::string_view("/");
  return path.substr(0, slash);
}

Value file_name(const Subject& subject, const Argument&) {
  const FileInfo* file = open_file_of(subject);
  if (file == nullptr || (file->open_flags & O_DIRECTORY) != 0) return {};
  const std::string_view path = file->path.name;
  return text_value(path.substr(path.rfind('/') + 1));
}

struct DescriptorType {
  std::string_view name;
  std::string_view letter;
};

DescriptorType type_of(const Subject& subject) {
  if (const FileInfo* file = open_file_of(subject)) {
    if ((file->file_flags & COFF_FILE_MEMFD) != 0) return {"memfd", "m"};
    // By the flag and not by the inode, as libsinsp.
    return (file->open_flags & O_DIRECTORY) != 0 ? DescriptorType{"directory", "d"}
                                                 : DescriptorType{"file", "f"};
  }
  const SocketInfo* socket = socket_of(subject);
  if (socket == nullptr) return {};
  switch (socket->family) {
    case AF_INET: return {"ipv4", "4"};
    case AF_INET6: return {"ipv6", "6"};
    case AF_UNIX: return {"unix", "u"};
    case AF_NETLINK: return {"netlink", "n"};
    default: return {"unknown", "o"};
  }
}

Value number(const Subject& subject, const Argument&) {
  std::int64_t fd = -1;
  if (const auto* file = std::get_if<FileInfo>(&subject.event.detail)) fd = file->fd;
  if (const SocketInfo* socket = socket_of(subject)) {
    fd = socket->stdio >= 0 ? socket->stdio : socket->fd;
  }
  if (fd >= 0) return fd;
  const bool wanted_one = open_file_of(subject) != nullptr ||
                          acting_kind(subject.event) == Kind::accept ||
                          acting_kind(subject.event) == Kind::socket;
  return wanted_one && subject.event.failed() ? Value{std::int64_t{-1}} : Value{};
}

Value protocol(const Subject& subject, const Argument&) {
  const SocketInfo* socket = socket_of(subject);
  if (socket == nullptr || !is_ip(*socket)) return {};
  constexpr unsigned kTypeMask = 15;
  const bool icmp = socket->protocol == IPPROTO_ICMP || socket->protocol == IPPROTO_ICMPV6;
  switch (socket->type & kTypeMask) {
    case SOCK_STREAM: return std::string_view("tcp");
    case SOCK_DGRAM: return std::string_view(icmp ? "icmp" : "udp");
    case SOCK_RAW: return std::string_view(icmp ? "icmp" : "raw");
    default: return {};
  }
}

Value socket_family(const Subject& subject, const Argument&) {
  const SocketInfo* socket = socket_of(subject);
  if (socket == nullptr) return {};
  if (is_ip(*socket)) return std::string_view("ip");
  return socket->family == AF_UNIX ? Value{std::string_view("unix")} : Value{};
}

Value connected(const Subject& subject, const Argument&) {
  const SocketInfo* socket = socket_of(subject);
  if (socket == nullptr || !is_ip(*socket)) return {};
  const Kind kind = acting_kind(subject.event);
  return !subject.event.failed() &&
         (kind == Kind::connect || kind == Kind::accept || kind == Kind::dup_stdio);
}

Value name_changed(const Subject& subject, const Argument&) {
  const SocketInfo* socket = socket_of(subject);
  if (socket == nullptr) return {};
  const Kind kind = acting_kind(subject.event);
  return kind == Kind::connect || kind == Kind::sendto || kind == Kind::recvfrom;
}

using enum Type;
constexpr Field kFields[] = {
    {"fd.num", kInteger, number, "", "",
     "Number of the descriptor; the standard descriptor for a duplicated socket; -1 for calls that "
     "failed to make one."},
    {"fd.type", kText,
     [](const Subject& s, const Argument&) -> Value { return text_value(type_of(s).name); }, "", "",
     "file, directory, memfd, ipv4, ipv6, unix, netlink or unknown."},
    {"fd.typechar", kText,
     [](const Subject& s, const Argument&) -> Value { return text_value(type_of(s).letter); }, "",
     "", "f, d, m, 4, 6, u, n or o: the letter of fd.type."},
    {"fd.name", kPath, name, "", "",
     "Of a file its path made absolute by text alone; of a socket client->server as address:port, "
     "of a listening one its own address, of a unix socket its path (\"@name\" when abstract; "
     "libsinsp adds kernel addresses)."},
    {"fd.nameraw", kPath, raw_name, "", "", "Path of the file as given."},
    {"fd.directory", kPath, directory, "file.directory", "file.parent_folder",
     "Directory of the file."},
    {"fd.filename", kText, file_name, "file.name", "file.name",
     "Name of the file without its directory."},
    {"fd.ip", kAddress, both_addresses, "", "", "Either address.", Takes::kNothing, true},
    {"fd.cip", kAddress, address<End::kClient>, "client.ip", "", "Address of the client."},
    {"fd.sip", kAddress, address<End::kServer>, "server.ip", "", "Address of the server."},
    {"fd.lip", kAddress, address<End::kLocal>, "source.ip", "src_endpoint.ip",
     "Address of this end. By the socket; libsinsp compares with the host's interfaces."},
    {"fd.rip", kAddress, address<End::kRemote>, "destination.ip", "dst_endpoint.ip",
     "Address of the other end."},
    {"fd.port", kPort, both_ports, "", "", "Either port.", Takes::kNothing, true},
    {"fd.cport", kPort, port<End::kClient>, "client.port", "", "Port of the client."},
    {"fd.sport", kPort, port<End::kServer>, "server.port", "", "Port of the server."},
    {"fd.lport", kPort, port<End::kLocal>, "source.port", "src_endpoint.port", "Port of this end."},
    {"fd.rport", kPort, port<End::kRemote>, "destination.port", "dst_endpoint.port",
     "Port of the other end."},
    {"fd.net", kNetwork, both_addresses, "", "", "Either address, matched against networks.",
     Takes::kNothing, true},
    {"fd.cnet", kNetwork, address<End::kClient>, "", "",
     "Address of the client, matched against networks."},
    {"fd.snet", kNetwork, address<End::kServer>, "", "",
     "Address of the server, matched against networks."},
    {"fd.lnet", kNetwork, address<End::kLocal>, "", "",
     "Address of this end, matched against networks."},
    {"fd.rnet", kNetwork, address<End::kRemote>, "", "",
     "Address of the other end, matched against networks."},
    {"fd.l4proto", kText, protocol, "network.transport", "connection_info.protocol_name",
     "tcp, udp, icmp or raw."},
    {"fd.sockfamily", kText, socket_family, "", "", "ip or unix."},
    {"fd.is_server", kBool,
     [](const Subject& s, const Argument&) -> Value {
       return socket_of(s) == nullptr ? Value{} : Value{is_server(acting_kind(s.event))};
     },
     "", "", "Whether the process is the server: accept, bind, listen, receive."},
    {"fd.connected", kBool, connected, "", "", "Whether the call left the socket connected."},
    {"fd.name_changed", kBool, name_changed, "", "",
     "True for connect, sendto and recvfrom: without a table of descriptors every use of an "
     "address counts as new."},
    {"socket.path", kPath,
     [](const Subject& s, const Argument&) -> Value {
       const SocketInfo* socket = socket_of(s);
       return socket == nullptr ? Value{} : text_value(unix_path_text(socket->unix_path));
     },
     "", "", "Path of a unix socket, \"@name\" when abstract."},
    {"socket.family", kText,
     [](const Subject& s, const Argument&) -> Value {
       const SocketInfo* socket = socket_of(s);
       return socket == nullptr ? Value{} : text_value(family_name(socket->family));
     },
     "", "", "Address family, e.g. AF_INET."},
    {"socket.type", kText,
     [](const Subject& s, const Argument&) -> Value {
       const SocketInfo* socket = socket_of(s);
       return socket == nullptr ? Value{} : text_value(socket_type_name(socket->type));
     },
     "", "", "Socket type, e.g. SOCK_STREAM."},
    {"socket.bytes", kUnsigned, of_detail<SocketInfo, &SocketInfo::bytes>, "network.bytes", "",
     "Bytes that the call transferred."},
    {"socket.repeats", kUnsigned, of_detail<SocketInfo, &SocketInfo::repeats>, "", "",
     "Connections or datagrams of this process with the same other end that were not reported "
     "since "
     "the last that was (profile.repeat_seconds)."},
    {"socket.stdio", kInteger,
     [](const Subject& s, const Argument&) -> Value {
       const SocketInfo* socket = socket_of(s);
       return socket == nullptr || socket->stdio < 0 ? Value{} : Value{std::int64_t{socket->stdio}};
     },
     "", "", "0, 1 or 2 when a socket became standard input, output or error."},
};

}  // namespace

std::span<const Field> socket_fields() { return kFields; }

}  // namespace coff::schema
