// What makes each shipped rule fire on a real kernel, beside the neighbour that must not.
#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace coff::live {

/// Where the two scripts of a case run, by /bin/sh.
enum class Place : unsigned char {
  kPlain,       ///< A container with the engine's usual restrictions and no network.
  kPrivileged,  ///< One without them, with a folder of the test at /host and the engine's socket.
  kHost,        ///< The host, in a mount namespace of its own: what it changes is thrown away.
  kEngine,      ///< The host as well, as one who uses the engine: $D is its client, $C the name
                ///< that a container of the case has to have.
};

struct Case {
  std::string_view rule;
  Place place;
  std::string_view fires;
  std::string_view spares;
};

/// A rule that cannot be made to fire on every machine, and when.
struct Exempt {
  std::string_view rule;
  std::string_view reason;
};

std::span<const Case> escape_cases();
std::span<const Case> execution_cases();
std::span<const Case> file_cases();
std::span<const Case> network_cases();
std::span<const Case> host_cases();

/// The programs of the test's image that are the helper `deed` under another name.
std::span<const std::string_view> helper_names();

}  // namespace coff::live
