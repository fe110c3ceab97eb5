// Short-lived processes that parse what a container supplied, and can do nothing else.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace coff::agent {

/// What a worker does with its input.
enum class WorkerKind : std::uint16_t {
  kElf = 1,        ///< An ELF file: JSON object of elf_identity.hpp.
  kInventory = 2,  ///< A bundle, and ELF files: JSON of inventory.hpp.
  kSearch = 3,     ///< A question, and files of evidence: JSON lines of search.hpp.
};

struct WorkerLimits {
  std::uint64_t memory_bytes = 256U << 20U;  ///< Address space.
  std::uint64_t cpu_seconds = 5;
  std::int64_t wall_ms = 10'000;
  std::size_t output_bytes_max = 1U << 20U;
};

/// Descriptors given to one worker at most. All of them must come from one container: a worker that
/// one of them took over could lie about the others.
inline constexpr std::size_t kWorkerInputsMax = 64;

/// Runs one worker on `inputs`, which must be readable, and returns what it found. The worker has
/// no capabilities, a user of its own (when the caller is root), no files, no network, no new
/// processes: only these descriptors in, and at most output_bytes_max out. kInvalid: the worker
/// says that the input is malformed; kTimeout, kLimit: a limit was reached; kDenied: it tried what
/// only an attacker tries (SIGSYS). Blocks; the calling process must be able to exec itself.
Result<std::string> run_worker(WorkerKind kind, std::vector<Fd> inputs, const WorkerLimits& limits);
/// The same for one input.
Result<std::string> run_worker(WorkerKind kind, Fd input, const WorkerLimits& limits);

/// A kind beyond WorkerKind that a test program adds.
struct WorkerFunction {
  std::uint16_t kind = 0;
  Result<std::string> (*run)(std::span<const Fd> inputs) = nullptr;
};

/// The worker's side; `kind` and `limits` are the arguments that run_worker() made.
int worker_main(std::string_view kind, std::string_view limits,
                std::span<const WorkerFunction> extra);

}  // namespace coff::agent
