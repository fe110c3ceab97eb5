// Containers and engine events as messages from the engine worker to the sensor.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "schema/event.hpp"

namespace coff::agent {

/// Most elements of any list in a container (labels, mounts, …); the rest makes encoding fail.
inline constexpr std::uint32_t kListMax = 4096;

/// Something that an engine said happened to a container.
struct LifecycleEvent {
  Kind kind = Kind::container_other;  ///< One of the container_* kinds.
  std::int64_t wall_ns = 0;           ///< By the engine's clock.
  Container container;                ///< As known when it happened.
  ContainerInfo info;
};

/// kLimit when the container has lists or texts too long for one message.
Result<std::string> encode_container(const Container& container);
/// Strict: every byte must be used, kinds and booleans must be valid.
Result<Container> decode_container(std::string_view payload);

Result<std::string> encode_lifecycle(const LifecycleEvent& event);
Result<LifecycleEvent> decode_lifecycle(std::string_view payload);

}  // namespace coff::agent
