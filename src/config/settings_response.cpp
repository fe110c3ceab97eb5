// The rows of the configuration about guard rails of actions.
#include "config/setting_rows.hpp"

namespace coff::config {

std::vector<Setting> response_settings() {
  constexpr ListLimit kPatterns = {128, check_rule};
  return {
      text(
          "response.approvers", "an absolute path", check_path,
          [](auto& c) -> auto& { return c.response.approvers; },
          "Who may approve actions: an allowed-signers file as of ssh-keygen(1), that only root "
          "can "
          "write. Where there is none, actions of class B need the role alone, and class C can "
          "only "
          "be done by breaking the glass."),
      texts(
          "response.protect", "a list of at most 128 names", kPatterns,
          [](auto& c) -> auto& { return c.response.protect; },
          "Names or images of containers that no action may touch unless a person breaks the "
          "glass; \"*\" stands for anything. So does the label cofferdam.protect=true."),
      integer(
          "response.containers_max", "0 to 10000", {0, 10'000},
          [](auto& c) -> auto& { return c.response.containers_max; },
          "Containers that may be acted on within response.window_s. 0: no limit."),
      integer(
          "response.window_s", "1 to 86400", {1, 86'400},
          [](auto& c) -> auto& { return c.response.window_s; },
          "The window of response.containers_max, in seconds."),
      integer(
          "response.healthy_min", "0 to 10000", {0, 10'000},
          [](auto& c) -> auto& { return c.response.healthy_min; },
          "Running instances of a Compose service that nothing was done to, which must be left. "
          "0: none."),
  };
}

}  // namespace coff::config
