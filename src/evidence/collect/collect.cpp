// Collecting evidence of one target into a bundle, what vanishes first coming first (RFC 3227).
#include "evidence/collect/collect.hpp"

#include "evidence/collect/step.hpp"

namespace coff::evidence {
namespace {

struct Step {
  std::string_view name;
  int rank;
  Result<void> (*run)(Collection& collection);
};
/// In the order of volatility; ranks are those of docs/formats/evidence.md.
constexpr Step kSteps[] = {
    {"clock", 0, &collect_clock},
    {"processes", 1, &collect_processes},
    {"network", 2, &collect_network},
    {"memory", 3, &collect_memory},
    {"mounts", 4, &collect_mounts},
    {"open_files", 5, &collect_open_files},
    {"upper_layer", 6, &collect_upper_layer},
    {"volumes", 7, &collect_volumes},
    {"engine", 8, &collect_engine},
    {"supplied", 9, &collect_supplied},
    {"packets", 10, &collect_packets},
};

void pin_processes(Collection& collection) {
  bool cut = false;
  for (const pid_t pid : processes_of(collection.target, cut)) {
    auto pinned = Pinned::pin(pid);
    if (pinned) collection.processes.push_back(std::move(*pinned));
    else collection.bundle.gap("process " + std::to_string(pid), pinned.error().message());
  }
  if (cut) {
    collection.bundle.gap("list of processes",
                          "new processes came faster than they were listed, or there are more "
                          "than the limit: those that are missing were not looked at");
  }
}

}  // namespace

Result<void> Collection::copy_text(const std::string& from, const std::string& item) {
  bool cut = false;
  const auto text = reader.read_file(from, kProcFileBytesMax, &cut);
  if (!text) {
    bundle.gap(from, text.error().message());
    return {};
  }
  if (cut) bundle.gap(from, "only the beginning was kept");
  const auto kept = bundle.put(item, *text, from);
  return kept ? Result<void>() : gap_unless_full(from, kept.error());
}

Result<void> Collection::gap_unless_full(const std::string& what, const Error& error) const {
  bundle.gap(what, error.message());
  if (error.code == Code::kIo) return std::unexpected(error);
  return {};
}

void Collection::progress(std::uint64_t done, std::uint64_t total) const {
  if (options.progress) options.progress(step, done, total);
}

Result<Collected> collect(OpenBundle& bundle, const Target& target, const CollectOptions& options) {
  Reader reader = TRY(Reader::start(options.stall_ms));
  Collection collection{.bundle = bundle, .target = target, .options = options, .reader = reader};
  pin_processes(collection);
  collection.collected.processes = collection.processes.size();
  for (const Step& step : kSteps) {
    if (!bundle.begin_step(step.name, step.rank)) continue;
    collection.step = step.name;
    collection.progress(0, 0);
    const Result<void> outcome = step.run(collection);
    if (!outcome) {
      bundle.gap(step.name, "the step ended early: " + outcome.error().message());
      if (outcome.error().code == Code::kIo) return std::unexpected(outcome.error());
    }
    TRY(bundle.end_step(outcome ? "done" : outcome.error().message()));
    TRY(bundle.custody().append({.actor = "cofferdam",
                                 .role = "tool",
                                 .action = "collect",
                                 .object = std::string(step.name)}));
  }
  return collection.collected;
}

}  // namespace coff::evidence
