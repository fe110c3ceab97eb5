// One thing that a container does, as profiles hold it: its sort, and a generalised value.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schema/event.hpp"
#include "schema/kernel_filter.hpp"

namespace coff::baseline {

/// The sorts of things that are learned, in the order of their names below.
enum class What : unsigned char {
  kExecutable,  ///< A program or script that ran: its path.
  kChild,       ///< Which program started which: "parent > child", "(outside)" for the engine's.
  kFile,        ///< A file that was written, made or renamed to: its path.
  kCapability,  ///< An effective capability: "CAP_CHOWN".
  kCall,        ///< A sensitive call, tried or made: "unshare CLONE_NEWUSER".
  kUser,        ///< An effective user id of the host, decimal.
  kPort,        ///< A port that was listened on: "tcp/80", "udp/53".
};
inline constexpr std::size_t kWhats = 7;
inline constexpr std::array<std::string_view, kWhats> kWhatNames = {
    "executable", "child", "file", "capability", "call", "user", "port"};
std::optional<What> parse_what(std::string_view name);

/// Bytes of a value; a longer one is cut and ends with a part of its SHA-256.
inline constexpr std::size_t kValueBytesMax = 512;

struct Feature {
  What what = What::kExecutable;
  std::string value;           ///< Printable UTF-8, never empty.
  bool outside_image = false;  ///< Executables: the file is not part of the image.

  bool operator==(const Feature&) const = default;
};

/// A path with its changing parts as "#": numbers, hexadecimal, UUIDs, random endings. A component
/// is changed only where it changes from run to run: "app-1.2.so" stays. Bytes that are no
/// printable UTF-8 are escaped, so that a value is the same in every file and on every terminal.
std::string generalised_path(std::string_view path);

/// Whether events of this kind may hold features.
bool is_learned_from(Kind kind);
/// What the event of a container says about its service; empty for the host, for failures (but of
/// sensitive calls), for the runtime's own steps while it makes a container, and for devices.
std::vector<Feature> features_of(const Event& event);

/// The service that a container belongs to: the profile's name. By compose project and service,
/// else Kubernetes namespace, owner and container, else ECS family and container, else the image's
/// name without tag and digest. Empty while nothing of it is known, and for builds.
std::string service_of(const Container& container);

/// Which opens are forwarded for learning.
enum class Files : unsigned char {
  kAll,        ///< Every successful open for writing in containers.
  kForwarded,  ///< What the recording profile and the rules have forwarded anyway.
  kNone,       ///< Files are not learned.
};
/// What the kernel has to forward so that features_of() sees it.
std::vector<FilterClause> kernel_clauses(Files files);

}  // namespace coff::baseline
