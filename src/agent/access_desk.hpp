// Who is behind each action: ties requests to engines, sessions and processes together.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "access/connections.hpp"
#include "access/entries.hpp"
#include "access/sessions.hpp"
#include "agent/own_files.hpp"
#include "agent/pipeline.hpp"
#include "runtime/directory.hpp"
#include "sensor/sensor.hpp"

namespace coff::agent {

/// What passed over the desk, since start.
struct AccessCounters {
  std::uint64_t requests = 0;      ///< Became entries.
  std::uint64_t own_requests = 0;  ///< Of the agent itself: not recorded.
  std::uint64_t tied = 0;          ///< Programs that an engine started for a known request.
  std::uint64_t untied = 0;        ///< Those without one.
  std::uint64_t sessions = 0;
};

/// Belongs to the thread of the sensor's loop. Not movable.
class AccessDesk {
 public:
  /// Requests that wait for the program that the engine starts for them; the oldest goes first.
  static constexpr size_t kWaitingMax = 4096;

  AccessDesk(Pipeline& pipeline, const runtime::Directory& directory);
  AccessDesk(const AccessDesk&) = delete;
  AccessDesk& operator=(const AccessDesk&) = delete;

  /// To be called once, before anything else.
  void use_sensor(sensor::Sensor& sensor) { sensor_ = &sensor; }
  /// Looks at an event before the pipeline does, and says in it who is behind its process.
  void take(Event& event);
  /// Bytes of an engine's socket.
  void take(const sensor::ApiBytes& bytes);
  /// Sessions and people of the processes that exist.
  void learn();
  /// Call it about every ten seconds.
  void prune();
  void finish() { connections_.finish(); }
  void write_counters(JsonWriter& json) const;

 private:
  /// Values by id, of which the oldest are forgotten.
  class Waiting {
   public:
    void put(const std::string& id, PersonPtr person);
    [[nodiscard]] PersonPtr find(const std::string& id) const;
    void erase(const std::string& id) { people_.erase(id); }

   private:
    std::unordered_map<std::string, PersonPtr> people_;
    std::deque<std::string> order_;
  };

  void begin_request(access::Exchange& exchange);
  void end_request(access::Exchange& exchange);
  [[nodiscard]] PersonPtr person_of(const access::Exchange& exchange) const;
  [[nodiscard]] std::string container_of(const access::ApiRequest& request) const;
  [[nodiscard]] access::Target target_of(const std::string& id) const;
  void tie(Event& event);
  void tie_monitored(const Process& process);
  PersonPtr person_of_exec(const std::string& exec, const std::string& container) const;
  PersonPtr person_of_start(const std::string& container) const;
  void recognise_health_check(Event& event);
  void set_person(const Process& process, const PersonPtr& person);

  Pipeline& pipeline_;
  const runtime::Directory& directory_;
  sensor::Sensor* sensor_ = nullptr;
  OwnProcesses own_;
  access::Connections connections_;
  access::Sessions sessions_;
  Waiting created_;   ///< By exec id: who made it.
  Waiting started_;   ///< By exec id: who started it.
  Waiting starting_;  ///< By container id: whose request to start it is under way.
  std::unordered_map<std::string, std::string> exec_containers_;  ///< Exec id to container id.
  std::unordered_map<std::string, std::string> names_;  ///< Names just given to container ids.
  AccessCounters counters_;
};

}  // namespace coff::agent
