// A plan: exactly what an action would change, what stays open afterwards, and what it needs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "response/target.hpp"

namespace coff::response {

/// One change, as a sentence; `undo` is what release does about it, "" when nothing can.
struct Step {
  std::string change;
  std::string undo;
};

/// A way by which the container could still reach others.
struct Channel {
  std::string kind;  ///< "docker_socket", "shared_mount", "host_network", "netns_peer", …
  std::string what;  ///< A sentence.
};

struct Plan {
  std::string action;
  std::string container_id;
  std::string container_name;
  std::string image;
  std::int64_t init_pid = 0;
  std::uint64_t start_ticks = 0;
  std::uint64_t netns_inode = 0;
  char approval_class = 'B';  ///< A: automatic, B: one person, C: two.
  std::string rate_class;
  std::vector<Step> steps;
  std::vector<std::string> warnings;
  std::vector<Channel> open_channels;
  std::vector<std::string> refusals;  ///< Guard rails that forbid it; only break-glass passes them.
};

/// One JSON object, equal for equal plans; `sha256` is the hash of all that stands before it.
std::string to_json(const Plan& plan);
/// The same without what guard rails say and without the hash: what people approve. It changes when
/// anything that would be done changes, or the container does.
std::string facts_of(const Plan& plan);
/// For a terminal, safe to print.
std::string to_text(const Plan& plan);

/// What is open whatever is done to the network: shared mounts, sockets of engines, host
/// namespaces, published ports, capabilities that make more of it.
void add_open_channels(const Target& target, Plan& plan);
/// What restart policy and health check would do while the container can't answer.
void add_restart_warnings(const Target& target, bool stops_answering, Plan& plan);
/// True when its capabilities let it make packet sockets.
bool has_raw_sockets(const Container& container);

}  // namespace coff::response
