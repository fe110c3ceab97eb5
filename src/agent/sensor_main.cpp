// The sensor's main loop without kernel programs: what engines tell, heartbeats, plain answers.
#include "agent/sensor_process.hpp"

namespace coff::agent {

Result<void> run_sensor(SensorContext& context) {
  runtime::Directory directory({}, [](const Event&) {});
  context.engines().set_directory(directory);
  context.calls().add("ps", [&](std::string_view, Answer& answer) -> Result<void> {
    for (const ContainerPtr& container : directory.present()) {
      std::string line;
      JsonWriter(line)
          .begin_object()
          .member("container", container->id)
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
