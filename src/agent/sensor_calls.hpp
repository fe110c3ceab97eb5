// Answers of the sensor process to control calls: processes by container, and what is observed.
#pragma once

#include <string>

#include "agent/calls.hpp"
#include "agent/detector.hpp"
#include "base/json_writer.hpp"
#include "flow/flow_table.hpp"
#include "runtime/cgroup_tree.hpp"
#include "runtime/directory.hpp"
#include "schema/user_names.hpp"
#include "sensor/sensor.hpp"

namespace coff::agent {

/// `ps`: a line {"container":{…}} for each container, then {"process":{…}} for each process.
Result<void> answer_ps(const sensor::Sensor& sensor, const runtime::Directory& directory,
                       const schema::UserNames& names, Answer& answer);

/// `flows`: a line {"edge":{…}} for each edge, the newest first, then {"coverage":{…}}.
Result<void> answer_flows(const sensor::Sensor& sensor, const flow::FlowTable& flows,
                          Answer& answer);

/// `doctor`: a line {"check":…,"ok":…,"detail":…,"remedy":…} for each thing looked at.
Result<void> answer_doctor(const sensor::Sensor& sensor, const runtime::Hierarchy& hierarchy,
                           Answer& answer);

/// `rules`: a line for each rule that is loaded, with what became of it since the agent's start.
Result<void> answer_rules(const Detector& detector, Answer& answer);

/// Adds the sensor's own members (rings, counts by kind, memory) to an open JSON object.
void write_sensor_counters(const sensor::Sensor& sensor, JsonWriter& json);

}  // namespace coff::agent
