// Benchmark: events asked against all rules of the files given, from decoded record to verdict.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include "rules/push_down.hpp"
#include "rules_world.hpp"
#include "sensor/filter_compiler.hpp"
#include "sigma/sigma.hpp"

namespace {

using namespace coff;
using bench::World;

// Events are made shortly before they are asked, as by the decoder, and stay in the cache.
constexpr size_t kBatch = 64;
constexpr size_t kBatches = 1500;
// Of a run under a tool that counts instructions.
constexpr size_t kBatchesCounted = 150;
constexpr int kRuns = 5;

// Of this thread, so that a busy machine counts less.
double cpu_ns() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

/// What the kernel would send of the rules' filter.
class Kernel {
 public:
  explicit Kernel(const rules::RuleSet& set)
      : filter_(sensor::compile_filter(rules::kernel_filter(set))) {}

  [[nodiscard]] bool forwards(const Event& event) const {
    const auto* file = std::get_if<FileInfo>(&event.detail);
    if (event.kind != Kind::open || file == nullptr) return true;
    const bool write = (file->open_flags & O_ACCMODE) != O_RDONLY;
    return sensor::would_forward(
        *filter_.tables, COFF_KIND_open,
        event.container == nullptr ? COFF_CLASS_HOST : COFF_CLASS_CONTAINER,
        write ? COFF_OPEN_WRITE | COFF_OPEN_CREATE : COFF_OPEN_READ, {file->path.name});
  }

 private:
  sensor::CompiledFilter filter_;
};

struct Mix {
  const char* name;
  std::function<Event(World&, size_t)> next;  ///< The number counts the events.
};

struct Measured {
  double ns = 0;
  std::uint64_t found = 0;
  std::uint64_t opens = 0;
  std::uint64_t opens_filtered = 0;
  std::uint64_t execs = 0;
};

struct Asked {
  rules::Evaluator& evaluator;
  std::uint64_t number = 0;
  std::uint64_t found = 0;

  void ask(const std::vector<Event>& events) {
    for (const Event& event : events) {
      found += evaluator.matches({.event = event, .number = ++number, .host = "host"}).size();
    }
  }
};

// Where callgrind is told to collect (--toggle-collect='*counted_instructions*').
[[gnu::noinline]] void counted_instructions(Asked& asked, const std::vector<Event>& events) {
  asked.ask(events);
}

enum class How : unsigned char { kPlain, kCountThings, kCountInstructions };

// Counting takes memory of its own, which would push the rules out of the cache: never while
// measuring.
Measured run(const Mix& mix, World& world, rules::Evaluator& evaluator, const Kernel& kernel,
             size_t batches, How how) {
  Measured all;
  Asked asked{evaluator};
  std::vector<Event> events;
  for (size_t batch = 0; batch < batches; ++batch) {
    events.clear();
    while (events.size() < kBatch) {
      Event event = mix.next(world, asked.number + events.size());
      if (!kernel.forwards(event)) {
        ++all.opens_filtered;
        continue;
      }
      all.opens += event.kind == Kind::open ? 1U : 0U;
      all.execs += event.kind == Kind::exec ? 1U : 0U;
      if (how == How::kCountThings) world.count(event);
      events.push_back(std::move(event));
    }
    const double start = cpu_ns();
    if (how == How::kCountInstructions) counted_instructions(asked, events);
    else asked.ask(events);
    all.ns += cpu_ns() - start;
  }
  all.ns /= static_cast<double>(asked.number);
  all.found = asked.found;
  return all;
}

void measure(const Mix& mix, const std::shared_ptr<const rules::RuleSet>& set) {
  const Kernel kernel(*set);
  World world;
  rules::Evaluator evaluator(set);
  run(mix, world, evaluator, kernel, kBatches, How::kCountThings);
  std::vector<double> times;
  Measured last;
  for (int at = 0; at < kRuns; ++at) {
    last = run(mix, world, evaluator, kernel, kBatches, How::kPlain);
    times.push_back(last.ns);
  }
  std::ranges::sort(times);
  const double ns = times[kRuns / 2];
  const bench::WorldCounts& counts = world.counts();
  const auto share = [](std::uint64_t part, std::uint64_t whole) {
    return static_cast<double>(part) / static_cast<double>(std::max<std::uint64_t>(whole, 1));
  };
  constexpr std::uint64_t kEvents = kBatch * kBatches;
  std::printf(
      R"({"bench":"rules","case":"%s","ns_per_event":%.1f,"events_per_s":%.0f,)"
      R"("best_ns":%.1f,"matches_per_event":%.3f,"exec_share":%.2f,"open_share":%.2f,)"
      R"("opens_filtered_share":%.2f,"events":%llu,"processes":%zu,"programs":%zu,)"
      R"("command_lines":%zu,"paths":%zu,"process_known":%.2f,"parent_known":%.2f})"
      "\n",
      mix.name, ns, 1e9 / ns, times.front(), share(last.found, kEvents), share(last.execs, kEvents),
      share(last.opens, kEvents), share(last.opens_filtered, last.opens_filtered + last.opens),
      static_cast<unsigned long long>(counts.events), counts.processes.size(),
      counts.programs.size(), counts.command_lines.size(), counts.paths.size(),
      share(counts.process_known, counts.events), share(counts.parent_known, counts.events));
}

// For callgrind: a short run, warm-up left out.
void count(const Mix& mix, const std::shared_ptr<const rules::RuleSet>& set) {
  const Kernel kernel(*set);
  World world;
  rules::Evaluator evaluator(set);
  run(mix, world, evaluator, kernel, kBatchesCounted, How::kPlain);
  const Measured all = run(mix, world, evaluator, kernel, kBatchesCounted, How::kCountInstructions);
  std::printf(R"({"bench":"rules","case":"counted %s","events":%zu,"found":%llu})"
              "\n",
              mix.name, kBatchesCounted * kBatch, static_cast<unsigned long long>(all.found));
}

Event mixed(World& world, size_t number) {
  switch (number % 10) {
    case 0:
    case 4: return world.exec();
    case 1:
    case 3:
    case 6:
    case 9: return world.open();
    case 2:
    case 7: return world.network();
    default: return world.change();
  }
}

rules::Loaded load(const std::vector<std::string>& files,
                   const std::vector<std::string>& sigma_files, double& ms) {
  std::vector<double> times;
  rules::Loaded loaded;
  for (int at = 0; at < kRuns; ++at) {
    rules::LoadOptions options;
    options.selections = {{.rule = "*", .tag = "", .enable = true}};
    const double start = cpu_ns();
    loaded = sigma::load_files(files, sigma_files, std::move(options)).rules;
    times.push_back((cpu_ns() - start) / 1e6);
  }
  std::ranges::sort(times);
  ms = times[kRuns / 2];
  return loaded;
}

}  // namespace

// Arguments: "--count CASE" or nothing; rule files or folders; behind "--sigma" Sigma files or
// folders.
int main(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  std::string counted;
  if (arguments.size() > 1 && arguments[0] == "--count") {
    counted = arguments[1];
    arguments.erase(arguments.begin(), arguments.begin() + 2);
  }
  const auto sigma = std::ranges::find(arguments, "--sigma");
  const std::vector<std::string> files(arguments.begin(), sigma);
  std::vector<std::string> sigma_files;
  if (sigma != arguments.end()) sigma_files.assign(sigma + 1, arguments.end());
  double ms = 0;
  const rules::Loaded loaded = load(files, sigma_files, ms);
  for (const rules::Problem& problem : loaded.problems) {
    if (problem.severity == rules::Problem::Severity::kWarning) continue;
    std::fprintf(stderr, "%s\n", rules::to_text(problem).c_str());
    return 1;
  }
  std::printf(R"({"bench":"rules","case":"load","rules":%zu,"cpu_ms":%.1f})"
              "\n",
              loaded.rules->rules().size(), ms);
  const Mix kMixes[] = {
      {"mixed", mixed},
      {"exec", [](World& world, size_t) { return world.exec(); }},
      {"open", [](World& world, size_t) { return world.open(); }},
      {"network", [](World& world, size_t) { return world.network(); }},
      {"change", [](World& world, size_t) { return world.change(); }},
  };
  for (const Mix& mix : kMixes) {
    if (counted.empty()) measure(mix, loaded.rules);
    else if (counted == mix.name) count(mix, loaded.rules);
  }
  return 0;
}
