// What runs on this host right now: processes, the files that they map, the packages around them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "exposure/store.hpp"
#include "inventory/inventory.hpp"
#include "inventory/mapped.hpp"

namespace coff::exposure {

/// Parses what one container supplied. Two kinds: in a worker without any rights (room agent), and
/// in this very process for tests and fuzzing.
class Parser {
 public:
  Parser() = default;
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;
  virtual ~Parser() = default;
  /// A bundle of inventory/bundle.hpp, and files, all of one root file system.
  virtual Result<inventory::Inventory> parse(const std::string& bundle, std::vector<Fd> files) = 0;
};

/// Parses here. Never with privileges, and never what a stranger's container supplied.
class LocalParser final : public Parser {
 public:
  Result<inventory::Inventory> parse(const std::string& bundle, std::vector<Fd> files) override;
};

/// Files that one parse() gets at most; room agent's workers take as many, and the bundle.
inline constexpr std::size_t kFilesOfParseMax = 48;

/// A mapped file, and what its bytes are.
struct ScannedFile {
  inventory::MappedFile mapped;
  inventory::FileIdentity identity;
  inventory::ElfEvidence evidence;
  std::string problem;  ///< Why its bytes could not be read; "" when they were.
  /// Index into ScannedRoot::packages of the package that owns the path; -1 is nobody. Of a
  /// deleted file it tells who owned the name, not which version is mapped.
  std::ptrdiff_t owner = -1;
};

struct ScannedRoot {
  std::string container;  ///< Full id; "" for the host.
  inventory::System system;
  std::vector<inventory::Package> packages;
  std::vector<inventory::MappedProcess> processes;
  std::vector<ScannedFile> files;
  std::vector<inventory::Problem> problems;
};

struct Scan {
  std::vector<ScannedRoot> roots;
  std::size_t processes = 0;
  std::size_t unreadable = 0;  ///< Processes whose mappings could not be read.
  bool truncated = false;
  std::int64_t sweep_ns = 0;  ///< Time for /proc.
  std::int64_t parse_ns = 0;  ///< Time for packages and files.
};

/// Container's id of a control group's path; "" for the host.
std::string container_of_cgroup(std::string_view path);

/// Looks at every process of the host. Needs root.
Result<Scan> scan_host(Parser& parser);

/// Remembers the build ids of owned files that are not deleted.
Result<void> learn_builds(Store& store, const Scan& scan);

}  // namespace coff::exposure
