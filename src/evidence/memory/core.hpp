// An ELF core file of a running or frozen process, written without killing or changing it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "evidence/memory/registers.hpp"
#include "evidence/process.hpp"
#include "evidence/reader.hpp"

namespace coff::evidence {

/// Where bytes go, in order.
using Sink = std::function<Result<void>(std::string_view bytes)>;
/// Told now and then how much is done.
using Progress = std::function<void(std::uint64_t done_bytes, std::uint64_t total_bytes)>;

struct CoreOptions {
  std::uint64_t size_bytes_max = std::uint64_t{1} << 40U;  ///< Of the file.
  std::size_t runs_max = 4'000'000;                        ///< Separate runs of pages.
  RegisterOptions registers;
  Progress progress;
};

/// Memory that is not in the file although it exists, and why.
struct CoreGap {
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  std::string name;  ///< The region's.
  std::string reason;
};
/// Gaps listed one by one; the rest is summed up in the last.
inline constexpr std::size_t kCoreGapsMax = 1000;

struct CoreReport {
  Registers registers;
  std::string status;  ///< /proc/PID/status when it was read.
  std::uint64_t regions = 0;
  std::uint64_t mapped_bytes = 0;   ///< Address space in all.
  std::uint64_t present_bytes = 0;  ///< Pages that existed, and could have been read.
  std::uint64_t size_bytes = 0;     ///< Of the file.
  std::vector<CoreGap> gaps;
  int frozen = 0;            ///< frozen_by().
  bool pagemap_scan = true;  ///< False: found through /proc/PID/pagemap.
  bool ended = false;        ///< The process ended meanwhile; the rest is zeroes.
};

/// Writes the core of `process` to `sink`, strictly in order and without ever holding more than
/// 8 MiB of it. Reads nothing but pages that exist, so none is added to the process. Regions are
/// segments of their whole size; pages that don't exist are the part of a segment that has no bytes
/// in the file. Errors: kNotFound when it has no memory (any more), those of `sink`.
Result<CoreReport> write_core(Reader& reader, const Pinned& process, const CoreOptions& options,
                              const Sink& sink);

/// The report as a JSON object.
std::string to_json(const CoreReport& report, const Pinned& process);

}  // namespace coff::evidence
