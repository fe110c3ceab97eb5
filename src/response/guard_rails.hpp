// Guard rails: what no action may do unless a person says that it must.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "response/catalogue.hpp"

namespace coff::response {

/// A container with this label set to "true" is protected.
inline constexpr std::string_view kProtectLabel = "cofferdam.protect";

/// The operator's limits (docs/formats/configuration.md, response.*).
struct GuardRails {
  std::vector<std::string> protect;  ///< Names or images, "*" for anything.
  std::uint64_t containers_max = 5;  ///< Containers acted on within the window; 0: no limit.
  std::uint64_t window_s = 600;
  std::uint64_t healthy_min = 0;  ///< Untouched instances of a Compose service that must be left.
};

/// True when the text fits; "*" stands for anything, everything else for itself.
bool fits(std::string_view pattern, std::string_view text);

/// Why the action must not be done to this container now, a sentence each; empty when it may.
Result<std::vector<std::string>> check_guard_rails(const GuardRails& rails, const Action& action,
                                                   const Target& target, const Journal& journal);

}  // namespace coff::response
