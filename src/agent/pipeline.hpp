// From the sensor's events to entries of the trail and to followers: recording profile, hold for
// late metadata, redaction, losses.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "agent/detector.hpp"
#include "agent/event_window.hpp"
#include "agent/own_files.hpp"
#include "agent/sensor_process.hpp"
#include "config/profile.hpp"
#include "runtime/directory.hpp"
#include "schema/event_json.hpp"
#include "schema/redact.hpp"
#include "schema/user_names.hpp"
#include "sensor/sensor.hpp"
#include "trail/commit.hpp"

namespace coff::agent {

/// What happened to events, since start.
struct PipelineCounters {
  std::uint64_t seen = 0;             ///< Events from the kernel and the engines.
  std::uint64_t recorded = 0;         ///< Became entries, or are about to.
  std::uint64_t live_only = 0;        ///< Offered to followers only, as the profile says.
  std::uint64_t unwanted = 0;         ///< Forwarded by the kernel, but no clause matched.
  std::uint64_t held = 0;             ///< Waited for their container's metadata.
  std::uint64_t held_too_long = 0;    ///< Released without it.
  std::uint64_t without_process = 0;  ///< Nothing known of the process but its pid.
  std::uint64_t entries_refused = 0;  ///< Lost on the way to the trail.
};

/// Belongs to the loop's thread; only take_lifecycle() may be called from others. Not movable.
class Pipeline {
 public:
  /// Longest wait of an event for its container's metadata.
  static constexpr std::uint64_t kHoldNs = 60'000'000;
  /// Longest wait of a lifecycle record, which is where the metadata stands.
  static constexpr std::uint64_t kLifecycleHoldNs = 2'000'000'000;
  /// Events held at a time; beyond it they go on as they are.
  static constexpr size_t kHeldMax = 20'000;

  Pipeline(SensorContext& context, runtime::Directory& directory);
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  /// An event of the kernel.
  void take(Event&& event);
  /// An event of an engine, from any thread.
  void take_lifecycle(Event&& event);
  /// Releases what was held long enough or is settled now. Call it every few milliseconds.
  void release();
  /// Tells repeated findings whose time is over. Call it every second.
  void tell_repeats();
  /// Releases everything, settled or not: nothing comes after.
  void finish();
  /// Writes a gap entry when something was lost.
  void report_losses(sensor::Losses&& losses);
  void use_settings(const config::Config& settings);
  /// What the kernel has to forward: for the recording profile, and for the rules.
  [[nodiscard]] KernelFilter kernel_filter() const;
  void write_counters(JsonWriter& json) const;
  [[nodiscard]] const PipelineCounters& counters() const { return counters_; }
  [[nodiscard]] const Detector& detector() const { return detector_; }
  [[nodiscard]] const schema::UserNames& names() const { return names_; }
  void read_names();

 private:
  struct Held {
    Event event;
    config::Recording recording = config::Recording::kTrail;
    std::uint64_t until_boot_ns = 0;
  };

  [[nodiscard]] bool is_own_work(const Event& event) const;
  void emit(const Event& event, config::Recording recording);
  /// The number of its entry, where it became one.
  std::optional<std::uint64_t> record(const Event& event, config::Recording recording);
  void load_rules(const config::Config& settings, bool keep);
  FindingEntry finding_entry(const Found& found, const std::optional<std::uint64_t>& number);
  void tell_finding(const FindingEntry& entry);
  std::optional<std::uint64_t> append(std::string_view entry,
                                      std::span<const trail::Disclosure> redacted = {},
                                      std::span<const EntryReference> references = {});
  std::string redact(std::string_view secret, bool recorded);
  bool refresh(Held& held, std::uint64_t now_ns);

  SensorContext& context_;
  runtime::Directory& directory_;
  OwnProcesses own_;
  config::RecordingProfile profile_;
  schema::Redactor redactor_;
  schema::UserNames names_;
  Detector detector_;
  EventWindow window_;
  std::string json_;                         ///< Reused for every event.
  std::vector<trail::Disclosure> redacted_;  ///< Values that json_ holds commitments to.
  std::string sentence_;                     ///< Likewise, for followers.
  std::deque<Held> held_;
  std::mutex lifecycle_mutex_;
  std::vector<Event> arrived_;  ///< Guarded by lifecycle_mutex_.
  std::vector<Held> lifecycle_;
  bool finishing_ = false;
  PipelineCounters counters_;
};

}  // namespace coff::agent
