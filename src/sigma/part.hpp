// Private to the room: a piece of a translated condition, which may turn out to be always so.
#pragma once

#include <optional>
#include <vector>

#include "sigma/view.hpp"

namespace coff::sigma {

struct Part {
  std::optional<bool> constant;  ///< When set, there is no expression.
  rules::Expression expression;

  static Part of(bool constant) { return {.constant = constant, .expression = {}}; }
  static Part of(rules::Expression expression) {
    return {.constant = std::nullopt, .expression = std::move(expression)};
  }
};

Part part_not(Part part);
/// Of no parts it is `all`.
Part part_chain(bool all, std::vector<Part> parts);

}  // namespace coff::sigma
