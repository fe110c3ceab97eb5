// What this machine offers to live tests.
#include "live/support/require.hpp"

#include <unistd.h>

#include <cstdlib>
#include <initializer_list>

#include "live/support/process.hpp"

namespace coff::live {
namespace {

std::optional<std::string> missing_of(std::initializer_list<const char*> programs) {
  if (::geteuid() != 0) return "an engine of our own needs root";
  for (const char* program : programs) {
    const auto found =
        run({"sh", "-c", std::string("PATH=$PATH:/usr/sbin:/sbin command -v ") + program});
    if (!found || found->status != 0) return std::string("there is no ") + program;
  }
  return std::nullopt;
}

}  // namespace

bool required(std::string_view feature) {
  const char* list = std::getenv("COFF_REQUIRE");
  if (list == nullptr) return false;
  return ("," + std::string(list) + ",").find("," + std::string(feature) + ",") !=
         std::string::npos;
}

std::optional<std::string> docker_missing() {
  return missing_of({"dockerd", "containerd", "runc", "docker", "busybox"});
}

std::optional<std::string> podman_missing() {
  return missing_of({"podman", "conmon", "runc", "busybox"});
}

}  // namespace coff::live
