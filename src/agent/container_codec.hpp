// What the engine worker tells the sensor, as messages: containers, events, lists, states.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "runtime/engine.hpp"
#include "schema/event.hpp"

namespace coff::agent {

/// Most elements of any list in a message; as many containers as one list of an engine has.
inline constexpr std::uint32_t kListMax = runtime::kListedMax;

// One struct for each call of runtime::EngineListener. `engine` is EngineStatus::name.
struct ContainerMessage {
  std::string engine;
  Container container;
};
struct EngineEventMessage {
  std::string engine;
  runtime::EngineEvent event;
};
struct UnknownMessage {
  std::string engine;
  std::string id;
  Code code = Code::kInternal;
  std::string why;
};
struct ListMessage {
  std::string engine;
  std::vector<std::string> ids;
  std::uint64_t asked_boot_ns = 0;
};
struct StateMessage {
  runtime::EngineStatus status;
};

/// Instantiated for the five structs above. kLimit when a list or the whole is too long.
template <typename T>
Result<std::string> encode(const T& message);
/// Strict: every byte must be used; enumerators, booleans and lists must be in range.
template <typename T>
Result<T> decode(std::string_view payload);

}  // namespace coff::agent
