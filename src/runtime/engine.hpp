// A container engine as this room sees it: whom to ask, and what it tells.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/docker_json.hpp"
#include "schema/event.hpp"

namespace coff::runtime {

/// State of the connection to one engine, for `doctor` and the trail.
struct EngineStatus {
  std::string name;    ///< What the configuration calls it, usually its socket's path.
  std::string engine;  ///< "docker", "podman"; "" before the first answer.
  std::string version;
  std::string id;  ///< The engine's own id; "" when it has none.
  bool connected = false;
  std::string problem;            ///< Why it is not connected, a sentence; "" when it is.
  std::uint64_t connections = 0;  ///< How often the event stream was opened.
  std::uint64_t events = 0;
  std::uint64_t events_unread = 0;  ///< Malformed or longer than the limit.
  std::uint64_t inspections = 0;    ///< Answered with metadata.
  std::uint64_t inspections_failed = 0;
  std::uint64_t requests_refused = 0;  ///< request() beyond the queue's limit.
};

class Engine;

/// Receives what engines tell. Called on the engines' threads, each engine from its own; must
/// not block.
class EngineListener {
 public:
  virtual ~EngineListener() = default;
  /// Everything about one container, from inspect.
  virtual void on_container(const Engine& engine, Container container) = 0;
  /// An event about one container, in the engine's order.
  virtual void on_event(const Engine& engine, const EngineEvent& event) = 0;
  /// The engine was asked about `id` and gave nothing: it does not know it (kNotFound), or its
  /// answers are of no use (kInvalid, kLimit, kTimeout, …).
  virtual void on_unknown(const Engine& engine, const std::string& id, const Error& why) = 0;
  /// The complete list of ids that the engine had at `asked_boot_ns`, after each (re)connection:
  /// what was known before and is not in it went away unseen.
  virtual void on_list(const Engine& engine, const std::vector<std::string>& ids,
                       std::uint64_t asked_boot_ns) = 0;
  /// The connection came up, or went down.
  virtual void on_state(const Engine& engine, bool connected) = 0;
};

/// One engine. Thread-safe; no call blocks.
class Engine {
 public:
  virtual ~Engine() = default;
  /// Name of the kind of engine, for Container::engine; "" before the first answer.
  [[nodiscard]] virtual std::string kind() const = 0;
  [[nodiscard]] virtual EngineStatus status() const = 0;
  /// Asks for everything about `id` as soon as possible, ahead of what is only refreshed. The
  /// answer is on_container() or on_unknown(). Kept while the connection is down, up to a limit.
  virtual void request(const std::string& id) = 0;
};

}  // namespace coff::runtime
