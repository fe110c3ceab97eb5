// Learned behaviour at work in the sensor: events in, departures out, profiles kept and shown.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agent/calls.hpp"
#include "agent/profile_store.hpp"
#include "base/json_writer.hpp"
#include "baseline/baseline.hpp"
#include "config/config.hpp"
#include "runtime/directory.hpp"

namespace coff::agent {

/// Belongs to the thread of the sensor's loop. Not movable.
class Learner {
 public:
  /// Takes an event with its departure: complete, Kind::departure.
  using Tell = std::function<void(const Event&)>;
  /// Takes the members of a `baseline` entry.
  using Record = std::function<void(std::string_view members)>;
  /// Events that wait for their container's metadata; beyond it they are judged without.
  static constexpr std::size_t kWaitingMax = 4096;
  /// Longest such wait.
  static constexpr std::uint64_t kWaitNs = 5'000'000'000;
  /// A profile is written once in so many seconds at most.
  static constexpr std::uint64_t kWriteEverySeconds = 10;

  Learner(const config::Config& settings, runtime::Directory& directory, Tell tell, Record record);
  Learner(const Learner&) = delete;
  Learner& operator=(const Learner&) = delete;

  void use_settings(const config::Config& settings);
  [[nodiscard]] bool wants(const Event& event) const { return baseline_.wants(event); }
  [[nodiscard]] std::vector<FilterClause> kernel_clauses() const;
  /// Learns from an event, or tells in what it departs.
  void see(const Event& event);
  /// Call it every second.
  void tick();
  /// Judges what waits and writes every profile that has changed.
  void finish();
  void write_counters(JsonWriter& json) const;
  /// Adds the calls baseline.*.
  void answer_calls(CallHandlers& calls);

 private:
  struct Import {
    std::uint64_t next = 0;
    std::uint64_t of = 0;
    std::string text;
  };

  void judge(const Event& event);
  void write_changed(bool all);
  void record(std::string_view action, std::string_view service, std::string_view detail);
  Result<void> list(Answer& answer) const;
  Result<void> show(std::string_view arguments, Answer& answer);
  Result<void> import(std::string_view arguments, Answer& answer);
  Result<void> change(std::string_view call, std::string_view arguments, Answer& answer);

  runtime::Directory& directory_;
  Tell tell_;
  Record record_;
  baseline::Baseline baseline_;
  ProfileStore store_;
  std::deque<Event> waiting_;
  std::set<std::string> unwritten_;
  std::uint64_t written_boot_ns_ = 0;
  std::optional<Import> import_;
  std::uint64_t unsettled_ = 0;  ///< Judged without their container's metadata.
};

}  // namespace coff::agent
