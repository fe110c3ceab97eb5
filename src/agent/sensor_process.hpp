// The sensor process: what its main loop gets from the agent, and the frame around it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "agent/calls.hpp"
#include "agent/engine_bridge.hpp"
#include "agent/live_feed.hpp"
#include "agent/loop.hpp"
#include "agent/messages.hpp"
#include "agent/trail_writer.hpp"
#include "base/json_writer.hpp"
#include "config/config.hpp"
#include "trail/entries.hpp"

namespace coff::agent {

/// Everything that the sensor's main loop may use of the agent. All of it belongs to the thread
/// that runs the loop; reader threads hand their events over through a queue with an eventfd that
/// the loop watches. Set the handlers before the loop runs.
class SensorContext {
 public:
  using ConfigHandler = std::function<void(const config::Config&)>;
  /// Adds members to the heartbeat's JSON object, which is open.
  using CounterWriter = std::function<void(JsonWriter&)>;

  SensorContext(Loop& loop, config::Config settings, std::string config_file = {});
  SensorContext(const SensorContext&) = delete;
  SensorContext& operator=(const SensorContext&) = delete;

  /// The configuration in force; changes only while the loop dispatches.
  [[nodiscard]] const config::Config& settings() const { return settings_; }
  /// The recording profile in force: the configured one, and changes of the agent's own files.
  [[nodiscard]] config::ProfileSettings profile() const;
  /// Where descriptors and timers of the sensor itself are watched too.
  Loop& loop() { return loop_; }
  /// The trail: append entries; counters for loss accounting.
  TrailWriter& trail() { return trail_; }
  /// Followers: ask wanted() before making JSON.
  LiveFeed& live() { return live_; }
  /// Answers to control calls: "ps", "doctor", and whatever else needs the sensor's state.
  CallHandlers& calls() { return calls_; }

  /// The engines behind the engine worker: give it the sensor's Directory, which must outlive the
  /// context's loop, and everything that engines tell arrives there.
  EngineBridge& engines() { return engines_; }

  void on_config(ConfigHandler handler) { config_handler_ = std::move(handler); }
  /// Called for each heartbeat entry and for the sensor's part of `status`.
  void on_counters(CounterWriter writer) { counter_writer_ = std::move(writer); }

  /// Gives up the capabilities that only loading needs. Call it once all is attached.
  Result<void> loading_is_done();
  /// Records that watching begins now.
  void watching_begins();
  /// Called when the watching begins.
  void on_watching(std::function<void()> told) { on_watching_ = std::move(told); }
  /// Records that it ended at `time`: what came later may be missing.
  void watching_ended(const trail::EntryTime& time);

  // For the frame in sensor_process.cpp.
  Result<void> attach(Link link, Channel channel);
  void replace_settings(config::Config settings);
  /// The counters of this process as members of an open JSON object.
  void write_counters(JsonWriter& json);
  /// Starts the bridge to the engines, and a heartbeat entry now and every 10 s.
  Result<void> start();
  /// After the main loop: a last heartbeat, and waits for 5 s at most until the trail has
  /// everything.
  Result<void> drain();

 private:
  Result<void> handle_keeper(Frame&& frame);
  Result<void> handle_control(Frame&& frame);
  Result<void> heartbeat();

  Loop& loop_;
  config::Config settings_;
  std::string config_file_;
  Peer keeper_;
  Peer control_;
  Peer engine_;
  TrailWriter trail_;
  LiveFeed live_;
  CallHandlers calls_;
  EngineBridge engines_;
  std::uint64_t malformed_frames_ = 0;
  bool watching_ = false;
  ConfigHandler config_handler_;
  CounterWriter counter_writer_;
  std::function<void()> on_watching_;
};

/// The sensor's main loop: sets the handlers, loads, and runs context.loop().run(). It returns when
/// the loop was stopped (the order to stop came, or the agent is gone) and the trail has what was
/// queued.
Result<void> run_sensor(SensorContext& context);

}  // namespace coff::agent
