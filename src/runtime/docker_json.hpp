// Answers of the Docker Engine API (v1.40 and later, and podman's imitation of it) as values.
//
// Pure functions over hostile text: every limit is stated here, a member of a wrong type or a
// missing id makes the whole answer an Error (kInvalid), unknown members are ignored, and what a
// limit cut is named in Container::metadata_reason.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "schema/event.hpp"

namespace coff::runtime {

/// Largest answers that are read, in bytes.
inline constexpr size_t kInspectBytesMax = 4U << 20U;
inline constexpr size_t kListBytesMax = 16U << 20U;
inline constexpr size_t kEventBytesMax = 1U << 20U;
/// Memory that parsing one answer may take, in bytes.
inline constexpr size_t kParseMemoryBytesMax = 64U << 20U;
/// Most entries that are kept of one container.
inline constexpr size_t kLabelsMax = 256;
inline constexpr size_t kArgumentsMax = 256;
inline constexpr size_t kMountsMax = 256;
inline constexpr size_t kNetworksMax = 64;
inline constexpr size_t kPortsMax = 256;
/// Most containers that are read from one list.
inline constexpr size_t kListedMax = 16'384;

/// GET /version.
struct EngineVersion {
  std::string engine;  ///< "docker" or "podman".
  std::string version;
  std::string api_version;
};
Result<EngineVersion> parse_version(std::string_view text);

/// GET /info: the engine's own id, for telling two sockets of one engine; "" when it has none.
Result<std::string> parse_engine_id(std::string_view text);

/// GET /containers/json: ids of the containers, newest first.
struct ListedContainers {
  std::vector<std::string> ids;
  bool cut = false;  ///< There were more than kListedMax.
};
Result<ListedContainers> parse_list(std::string_view text);

/// GET /containers/ID/json. Metadata is kComplete; `engine` stays empty; image_digest is not in
/// this answer. started_wall_ns is 0 for a container that was only created.
Result<Container> parse_inspect(std::string_view text);

/// GET /images/ID/json: the repository digest "sha256:…", "" for an image without one.
Result<std::string> parse_image_digest(std::string_view text);

/// One line of GET /events.
struct EngineEvent {
  std::string type;    ///< "container", "network", …
  std::string action;  ///< The engine's own words, e.g. "exec_create: sh -c id".
  std::string id;      ///< Of the container concerned, also where the type is "network".
  std::int64_t wall_ns = 0;
  Labels attributes;  ///< What the event adds, e.g. exitCode, signal, execID, oldName.
  std::string name;   ///< Of the container.
  std::string image;
  Labels labels;  ///< Of the container; only as far as the engine tells them apart: a label
                  ///< with the name of an attribute (image, name, exitCode, …) is not in it.
  std::vector<std::string> cuts;  ///< Members that a limit shortened.

  /// The action without its argument: "exec_create".
  [[nodiscard]] std::string_view verb() const;
};
Result<EngineEvent> parse_event(std::string_view line);

/// What kind of event a container's action is; both engines' words.
Kind kind_of_action(std::string_view verb);

/// A container known only by an event about it: kPartial, with name, image and labels.
Container container_from(const EngineEvent& event);

/// True for ids as engines make them: 1 to 128 letters, digits, '.', '_' and '-', not starting
/// with a sign. Anything else would not be safe in a request's path.
bool is_engine_id(std::string_view id);

}  // namespace coff::runtime
