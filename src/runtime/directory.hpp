// Every container of this host by its id: what the sensor sees and what the engines tell, joined.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "runtime/cgroup.hpp"
#include "runtime/engine.hpp"
#include "runtime/left_right.hpp"
#include "schema/event.hpp"

namespace coff::runtime {

struct DirectoryOptions {
  size_t containers_max = 16'384;  ///< Beyond it new ones are known by their id only.
  size_t removed_max = 1024;       ///< Removed containers that are still remembered,…
  std::int64_t removed_kept_ns = 600'000'000'000;  ///< …and for how long.
  std::int64_t settle_ns_max = 2'000'000'000;      ///< Longest wait for an engine's answer.
  /// After every engine has denied a container: how long its events may still be under way.
  std::int64_t denied_grace_ns = 500'000'000;
};

struct DirectoryCounters {
  size_t present = 0;            ///< Containers that exist.
  size_t removed = 0;            ///< Those that are only remembered.
  std::uint64_t over_limit = 0;  ///< Containers that were not taken in, see containers_max.
};

/// Receives lifecycle events (Kind::container_*, with ContainerInfo and no process) in the
/// engine's order, on the engine's thread. Must not block and must not call back.
using LifecycleSink = std::function<void(Event)>;

/// Thread-safe. Containers are immutable values: each change publishes a new one, so a pointer
/// that was found stays true for its time. find() is wait-free; nothing here waits for an engine.
class Directory final : public EngineListener {
 public:
  Directory(DirectoryOptions options, LifecycleSink sink);
  ~Directory() override;
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  /// Engines to ask from now on. An engine is detached before it is destroyed.
  void attach(Engine& engine);
  void detach(const Engine& engine);

  /// The container as it is known now; null when the id was never seen or is forgotten.
  [[nodiscard]] ContainerPtr find(std::string_view id) const;
  /// To be called when the sensor sees a container's control group: makes the container known
  /// at once (kPending) and has every engine asked about it right away, though at most once a
  /// second: who makes groups inside a container must not make work. Never null.
  ContainerPtr learn(const CgroupContainer& seen);
  /// To be called when a container's own control group is gone, not one below it: ends what no
  /// engine reports on.
  void gone(std::string_view id);
  /// True when nothing more is to be expected soon about the container: its metadata is complete
  /// and from after its start, or nobody has more, or the wait has been long enough. A record
  /// that is held until then should take find() again. True for unknown ids.
  bool settled(std::string_view id);

  /// All that exist now, in no order.
  [[nodiscard]] std::vector<ContainerPtr> present() const;
  /// Those of them that run, as an event or their control group says; in no order.
  [[nodiscard]] std::vector<ContainerPtr> running() const;
  [[nodiscard]] DirectoryCounters counters() const;

  void on_container(const Engine& engine, Container container) override;
  void on_event(const Engine& engine, const EngineEvent& event) override;
  void on_unknown(const Engine& engine, const std::string& id, const Error& why) override;
  void on_list(const Engine& engine, const std::vector<std::string>& ids,
               std::uint64_t asked_boot_ns) override;
  void on_state(const Engine& engine, bool connected) override;

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  using Published = std::unordered_map<std::string, ContainerPtr, Hash, std::equal_to<>>;

  struct Entry {
    ContainerPtr container;
    const Engine* owner = nullptr;      // whose word counts while it is connected
    std::vector<const Engine*> denied;  // who has said that it has nothing
    bool runs = false;                  // started, as an event or its control group says
    bool inspected = false;
    bool inspected_running = false;     // by an answer from after the start
    std::uint64_t touched_boot_ns = 0;  // last event or first sight
    std::uint64_t asked_boot_ns = 0;    // when learn() last had the engines asked
    std::uint64_t waiting_boot_ns = 0;  // since when an answer is awaited
    std::uint64_t denied_boot_ns = 0;   // when the last engine said no
    std::uint64_t removed_boot_ns = 0;  // 0 = exists
    bool destroyed = false;             // removed by an engine's word
  };
  struct Attached {
    Engine* engine = nullptr;
    bool connected = false;
  };

  // All below need mutex_.
  Entry* entry_of(const std::string& id, std::uint64_t now_ns);
  void publish(Entry& entry, Container container);
  bool listens_to(Entry& entry, const Engine& engine);
  [[nodiscard]] bool all_denied(const Entry& entry) const;
  void apply(Entry& entry, const EngineEvent& event, const std::string& kind, std::uint64_t now_ns);
  void remove(const std::string& id, Entry& entry, std::uint64_t now_ns);
  void revive(Entry& entry);
  void prune(std::uint64_t now_ns);

  const DirectoryOptions options_;
  const LifecycleSink sink_;
  LeftRight<Published> published_;

  mutable std::mutex mutex_;
  std::unordered_map<std::string, Entry, Hash, std::equal_to<>> entries_;
  std::deque<std::pair<std::string, std::uint64_t>> removed_;  // oldest first
  std::vector<Attached> engines_;
  size_t present_ = 0;
  std::uint64_t over_limit_ = 0;
};

}  // namespace coff::runtime
