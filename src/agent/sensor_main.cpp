// The sensor's main loop without kernel programs: heartbeats, and answers that say so.
#include "agent/sensor_process.hpp"

namespace coff::agent {

Result<void> run_sensor(SensorContext& context) {
  std::unordered_map<std::string, ContainerPtr> containers;
  context.on_container([&](ContainerPtr container) { containers[container->id] = container; });
  context.calls().add("ps", [&](std::string_view, Answer& answer) -> Result<void> {
    for (const auto& [id, container] : containers) {
      std::string line;
      JsonWriter(line)
          .begin_object()
          .member("container", id)
          .member("name", container->name)
          .member("image", container->image)
          .end_object();
      TRY(answer.line(line));
    }
    return {};
  });
  context.calls().add("doctor", [](std::string_view, Answer& answer) {
    std::string line;
    JsonWriter(line)
        .begin_object()
        .member("check", "kernel programs")
        .member("ok", false)
        .member("reason", "this build of the sensor loads none")
        .end_object();
    return answer.line(line);
  });
  return context.loop().run();
}

}  // namespace coff::agent
