// Packages and files of a container, parsed in a worker without any rights.
#include "agent/inventory_worker.hpp"

#include <sys/mman.h>

#include "agent/worker.hpp"
#include "inventory/inventory.hpp"

namespace coff::agent {
namespace {

/// A bundle of 192 MiB is mapped, a copy of a database in it stands beside it, and the answer.
constexpr WorkerLimits kLimits{.memory_bytes = std::uint64_t{1} << 30U,
                               .cpu_seconds = 30,
                               .wall_ms = 60'000,
                               .output_bytes_max = inventory::kAnswerBytesMax};
static_assert(exposure::kFilesOfParseMax + 1 <= kWorkerInputsMax);

}  // namespace

Result<inventory::Inventory> WorkerParser::parse(const std::string& bundle, std::vector<Fd> files) {
  Fd memory(::memfd_create("bundle", MFD_CLOEXEC));
  if (!memory.valid()) return fail_errno("cannot make a file in memory");
  TRY(write_all(memory, bundle));
  files.insert(files.begin(), std::move(memory));
  const std::string answer = TRY(run_worker(WorkerKind::kInventory, std::move(files), kLimits));
  return inventory::inventory_of(answer);
}

}  // namespace coff::agent
