// Runs programs under a real sensor and keeps every event, for tests to look through.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "live/support/process.hpp"
#include "sensor/sensor.hpp"

namespace coff::live {

/// Why the kernel programs cannot be loaded here; nothing when they can.
std::optional<std::string> ebpf_missing();

/// A filter that forwards every kind, everywhere.
KernelFilter everything();

/// A sensor whose events a test collects. Control groups are read as the agent reads them.
class Collector {
 public:
  static Result<Collector> open(KernelFilter filter = everything(), sensor::LoadOptions load = {});

  /// Runs `work` in a thread of its own while events are read, and then reads what is left.
  void during(const std::function<void()>& work);
  /// Runs a program and reads its events; any exit status.
  Result<Outcome> run(const std::vector<std::string>& argv, const RunOptions& options = {});
  /// Reads what waits now.
  void drain();

  [[nodiscard]] const std::vector<Event>& events() const { return events_; }
  void clear() { events_.clear(); }
  sensor::Sensor& sensor() { return *sensor_; }
  /// Events for which `wanted` holds.
  [[nodiscard]] std::vector<const Event*> select(
      const std::function<bool(const Event&)>& wanted) const;
  /// The first event of `kind` by a process of this name; null when there is none.
  [[nodiscard]] const Event* first(Kind kind, std::string_view process_name) const;

 private:
  explicit Collector(std::unique_ptr<sensor::Sensor> sensor) : sensor_(std::move(sensor)) {}
  std::unique_ptr<sensor::Sensor> sensor_;
  std::vector<Event> events_;
};

}  // namespace coff::live
