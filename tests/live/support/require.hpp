// Skip or fail: what a live test does where the machine lacks something.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>

namespace coff::live {

/// True when the environment's COFF_REQUIRE (comma list: ebpf,docker,data,podman) names it.
bool required(std::string_view feature);

/// Why no dockerd of our own can be started here; nothing when it can.
std::optional<std::string> docker_missing();
/// Why no podman service can be started here; nothing when it can.
std::optional<std::string> podman_missing();

}  // namespace coff::live

/// In a test body or SetUp(): when `reason` (std::optional<std::string>) holds one, the test is
/// skipped with it, or fails with it where COFF_REQUIRE names `feature`.
#define COFF_NEED(feature, reason)                                                    \
  do {                                                                                \
    if (const std::optional<std::string> coff_reason = (reason); coff_reason) {       \
      if (::coff::live::required(feature)) FAIL() << feature << ": " << *coff_reason; \
      else GTEST_SKIP() << feature << ": " << *coff_reason;                           \
    }                                                                                 \
  } while (false)
