// The rows of the configuration about learned behaviour.
#include "config/setting_rows.hpp"

namespace coff::config {

namespace {

constexpr std::array<std::string_view, 3> kLearnedFiles = {"all", "forwarded", "none"};

}  // namespace

std::vector<Setting> baseline_settings() {
  return {
      integer(
          "baseline.window_s", "0 to 31536000", {0, 31'536'000},
          [](auto& c) -> auto& { return c.baseline.window_s; },
          "Running time for which the behaviour of a service is learned, in seconds. What a "
          "container does afterwards that its service never did is an event. 0: nothing is "
          "learned."),
      choice(
          "baseline.files", "all, forwarded or none", kLearnedFiles,
          [](auto& c) -> auto& { return c.baseline.files; },
          "Which written files are learned: all that containers open for writing, which makes the "
          "kernel forward each such open; those that the profile and the rules have forwarded "
          "anyway; or none."),
      integer(
          "baseline.services_max", "1 to 4096", {1, 4096},
          [](auto& c) -> auto& { return c.baseline.services_max; },
          "Services with a profile. Those beyond it are counted and not judged."),
      integer(
          "baseline.features_max", "100 to 10000", {100, 10'000},
          [](auto& c) -> auto& { return c.baseline.features_max; },
          "Things that one profile holds. What is beyond is counted, and its sort not judged."),
  };
}

}  // namespace coff::config
