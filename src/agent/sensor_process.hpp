// The sensor process: what its main loop gets from the agent, and the frame around it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "agent/calls.hpp"
#include "agent/container_codec.hpp"
#include "agent/live_feed.hpp"
#include "agent/loop.hpp"
#include "agent/messages.hpp"
#include "agent/trail_writer.hpp"
#include "base/json_writer.hpp"
#include "config/config.hpp"
#include "schema/event.hpp"

namespace coff::agent {

/// What the engine worker knows about an engine's connection.
struct EngineStatus {
  std::string socket;
  bool connected = false;
  std::string reason;  ///< Why not, a sentence.
};

/// Everything that the sensor's main loop may use of the agent. All of it belongs to the thread
/// that runs the loop; reader threads hand their events over through a queue with an eventfd that
/// the loop watches. Set the handlers before the loop runs.
class SensorContext {
 public:
  using ContainerHandler = std::function<void(ContainerPtr)>;
  using LifecycleHandler = std::function<void(LifecycleEvent)>;
  using EngineHandler = std::function<void(const EngineStatus&)>;
  using ConfigHandler = std::function<void(const config::Config&)>;
  /// Adds members to the heartbeat's JSON object, which is open.
  using CounterWriter = std::function<void(JsonWriter&)>;

  SensorContext(Loop& loop, config::Config settings);
  SensorContext(const SensorContext&) = delete;
  SensorContext& operator=(const SensorContext&) = delete;

  /// The configuration in force; changes only while the loop dispatches.
  [[nodiscard]] const config::Config& settings() const { return settings_; }
  /// Where descriptors and timers of the sensor itself are watched too.
  Loop& loop() { return loop_; }
  /// The trail: append entries; counters for loss accounting.
  TrailWriter& trail() { return trail_; }
  /// Followers: ask wanted() before making JSON.
  LiveFeed& live() { return live_; }
  /// Answers to control calls: "ps", "doctor", and whatever else needs the sensor's state.
  CallHandlers& calls() { return calls_; }

  void on_container(ContainerHandler handler) { container_handler_ = std::move(handler); }
  void on_lifecycle(LifecycleHandler handler) { lifecycle_handler_ = std::move(handler); }
  void on_engine_status(EngineHandler handler) { engine_handler_ = std::move(handler); }
  void on_config(ConfigHandler handler) { config_handler_ = std::move(handler); }
  /// Called for each heartbeat entry and for the sensor's part of `status`.
  void on_counters(CounterWriter writer) { counter_writer_ = std::move(writer); }

  /// Gives up the capabilities that only loading needs. Call it once all is attached.
  Result<void> loading_is_done();

  // For the frame in sensor_process.cpp.
  Result<void> attach(Link link, Channel channel);
  void replace_settings(config::Config settings);
  /// The counters of this process as members of an open JSON object.
  void write_counters(JsonWriter& json);
  /// Writes a heartbeat entry now and every 10 s.
  Result<void> start_heartbeat();
  /// After the main loop: waits until the trail has everything, at most this long.
  Result<void> drain(int timeout_ms);

 private:
  Result<void> handle_keeper(Frame&& frame);
  Result<void> handle_control(Frame&& frame);
  Result<void> handle_engine(Frame&& frame);
  Result<void> heartbeat();

  Loop& loop_;
  config::Config settings_;
  Peer keeper_;
  Peer control_;
  Peer engine_;
  TrailWriter trail_;
  LiveFeed live_;
  CallHandlers calls_;
  std::vector<EngineStatus> engines_;
  std::uint64_t malformed_frames_ = 0;
  ContainerHandler container_handler_;
  LifecycleHandler lifecycle_handler_;
  EngineHandler engine_handler_;
  ConfigHandler config_handler_;
  CounterWriter counter_writer_;
};

/// The sensor's main loop: sets the handlers, loads, and runs context.loop().run(). It returns when
/// the loop was stopped (the order to stop came, or the agent is gone); the frame then waits for
/// the trail to take what is queued.
Result<void> run_sensor(SensorContext& context);

}  // namespace coff::agent
