// The catalogue of actions: one row each, with everything that running, checking and undoing needs.
#include "response/catalogue.hpp"

#include <algorithm>
#include <array>

namespace coff::response {

std::span<const Action> catalogue() {
  static const std::array kActions = {kProtect, kQuarantine, kCut, kFreeze, kKillProcess, kKill};
  return kActions;
}

const Action* find_action(std::string_view name) {
  const auto actions = catalogue();
  const auto found = std::ranges::find(actions, name, &Action::name);
  return found == actions.end() ? nullptr : &*found;
}

}  // namespace coff::response
