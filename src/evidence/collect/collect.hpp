// Collecting evidence of one target into a bundle, what vanishes first coming first (RFC 3227).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "evidence/bundle/open_bundle.hpp"
#include "evidence/memory/core.hpp"
#include "evidence/process.hpp"
#include "evidence/reader.hpp"

namespace coff::evidence {

/// Something that only the caller can get: events of the trail, flows. Its text goes into an item.
struct Supplied {
  std::string path;    ///< Of the item, e.g. "events/events.jsonl".
  std::string source;  ///< For people: "trail, the last 60 minutes".
  std::function<Result<void>(const Sink& sink)> write;
};

struct CollectOptions {
  bool memory = true;
  bool volumes = false;               ///< Folders mounted from outside of the image, too.
  std::int64_t capture_ms = 0;        ///< Packets are captured for so long; 0: not at all.
  std::uint32_t snap_bytes = 65'535;  ///< Kept of each packet.
  std::uint64_t file_bytes_max = std::uint64_t{4} << 30U;   ///< Of one file of the container.
  std::uint64_t log_bytes_max = std::uint64_t{256} << 20U;  ///< Of the container's log: its end.
  std::uint64_t entries_max = 2'000'000;                    ///< Files of one tree.
  std::string engine_socket;  ///< Of a Docker engine; "" = none is asked.
  std::vector<Supplied> supplied;
  std::int64_t stall_ms = kStallMs;
  /// Called often; must be quick. `total` is 0 where it isn't known.
  std::function<void(std::string_view step, std::uint64_t done, std::uint64_t total)> progress;
};

/// What collectors learn on the way for those who seal.
struct Collected {
  std::string container_name;
  std::string image;
  std::uint64_t processes = 0;
  std::uint64_t cores = 0;
  std::int64_t longest_stop_ns = 0;
};

/// Runs every step that the bundle does not have yet. The only way in: frozen or running, from the
/// command line or as an action. What can't be read becomes a gap; an Error is a bundle that can't
/// be written. Nothing in the container is executed, nothing outside of the bundle is written.
/// Needs SYS_PTRACE, SYS_ADMIN, DAC_READ_SEARCH, and NET_RAW and NET_ADMIN for packets.
Result<Collected> collect(OpenBundle& bundle, const Target& target, const CollectOptions& options);

/// The id of the container that an engine knows by this name or beginning of its id.
Result<std::string> ask_container_id(const std::string& engine_socket, const std::string& name);

}  // namespace coff::evidence
