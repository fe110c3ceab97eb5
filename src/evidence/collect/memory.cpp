// A core of each process.
#include <algorithm>

#include "evidence/collect/step.hpp"

namespace coff::evidence {
namespace {

void tell_gaps(Collection& collection, const std::string& name, const CoreReport& report) {
  if (!report.registers.problem.empty()) {
    collection.bundle.gap(name, report.registers.problem +
                                    "; their registers are what /proc tells of the system call");
  }
  for (const CoreGap& gap : report.gaps) {
    collection.bundle.gap(name + " " + gap.name, gap.reason);
  }
  if (report.ended) {
    collection.bundle.gap(name,
                          "the process ended while its memory was read: what came later is "
                          "zeroes");
  }
}

Result<void> dump_one(Collection& collection, const Pinned& process) {
  const std::string base = "memory/" + std::to_string(process.pid());
  const std::string source = process.proc("mem");
  ItemWriter writer = TRY(collection.bundle.start(base + ".core"));
  CoreOptions options;
  options.size_bytes_max = collection.bundle.left_bytes();
  options.progress = [&](std::uint64_t done, std::uint64_t total) {
    collection.progress(done, total);
  };
  auto report = write_core(collection.reader, process, options,
                           [&](std::string_view bytes) { return writer.write(bytes); });
  if (!report) return collection.gap_unless_full(source, report.error());
  TRY(writer.finish(source));
  tell_gaps(collection, base + ".core", *report);
  collection.collected.longest_stop_ns =
      std::max(collection.collected.longest_stop_ns, report->registers.stop_ns);
  ++collection.collected.cores;
  return collection.bundle.put(base + ".json", to_json(*report, process), source);
}

}  // namespace

Result<void> collect_memory(Collection& collection) {
  if (!collection.options.memory) {
    collection.bundle.gap("memory", "it was not asked for");
    return {};
  }
  for (const Pinned& process : collection.processes) {
    if (!process.alive()) {
      collection.bundle.gap(process.proc("mem"), "the process ended before it was read");
      continue;
    }
    auto dumped = dump_one(collection, process);
    if (!dumped) TRY(collection.gap_unless_full(process.proc("mem"), dumped.error()));
  }
  return {};
}

}  // namespace coff::evidence
