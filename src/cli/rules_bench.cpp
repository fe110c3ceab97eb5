// cofferdam rules bench: what rules cost on recorded events.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iostream>
#include <memory>

#include "base/bytes.hpp"
#include "base/json_writer.hpp"
#include "cli/rules.hpp"
#include "config/config.hpp"
#include "rules/rules.hpp"
#include "schema/event_read.hpp"
#include "trail/reader.hpp"

namespace coff::cli {

namespace {

constexpr size_t kEventsMax = 100'000;
constexpr size_t kLineBytesMax = size_t{1} << 20;

struct Options {
  RulesArguments files;
  std::string events;
  std::string dir;
  std::uint64_t rounds = 10;
  bool each = false;
};

struct Events {
  std::vector<Event> events;
  size_t others = 0;  ///< Lines or entries that are no events.
};

struct Cost {
  std::string rule;
  double ns = 0;
  std::uint64_t matched = 0;
};

void take(std::string_view text, Events& out) {
  boost::json::error_code problem;
  const auto value = boost::json::parse(text, problem);
  const auto* object = problem ? nullptr : value.if_object();
  const auto* type = object == nullptr ? nullptr : object->if_contains("type");
  const bool is_event = type != nullptr && type->is_string() && type->get_string() == "event";
  auto event = is_event ? schema::read_event(*object) : fail(Code::kInvalid, "no event");
  if (event) out.events.push_back(std::move(*event));
  else ++out.others;
}

Result<Events> events_of_file(const std::string& path) {
  Events out;
  std::ifstream file;
  if (path != "-") {
    file.open(path);
    if (!file) return fail_errno("cannot open " + path);
  }
  std::istream& in = path == "-" ? std::cin : file;
  for (std::string line; out.events.size() < kEventsMax && std::getline(in, line);) {
    if (line.size() > kLineBytesMax) return fail(Code::kLimit, "a line is longer than 1 MiB");
    take(line, out);
  }
  return out;
}

Result<Events> events_of_trail(const std::string& dir) {
  const auto epochs = TRY(trail::list_epochs(dir));
  if (epochs.empty()) return fail(Code::kNotFound, "there is no trail in " + dir);
  trail::EpochReader reader = TRY(trail::EpochReader::open(epochs.back().path));
  Events out;
  const std::uint64_t end = TRY(reader.end_seq());
  const std::uint64_t from = std::max(reader.first_seq(), end - std::min(end, kEventsMax));
  TRY(reader.scan(from, end, [&](const trail::EntryAt& at) {
    take(at.entry, out);
    return true;
  }));
  return out;
}

Result<Events> read_events(const Options& options, const Global& global) {
  if (!options.events.empty()) return events_of_file(options.events);
  if (!options.dir.empty()) return events_of_trail(options.dir);
  return events_of_trail(TRY(config::load_config(global.config_path)).trail_dir());
}

// Nanoseconds of CPU for each event, and how many findings there were in one round.
Cost measure(const std::shared_ptr<const rules::RuleSet>& rules, const std::vector<Event>& events,
             std::uint64_t rounds) {
  rules::Evaluator evaluator(rules);
  Cost cost;
  const std::clock_t begun = std::clock();
  for (std::uint64_t round = 0; round < rounds; ++round) {
    for (const Event& event : events) {
      const schema::Subject subject{.event = event, .names = nullptr, .number = 1, .host = ""};
      cost.matched += evaluator.matches(subject).size();
    }
  }
  const double seconds = static_cast<double>(std::clock() - begun) / CLOCKS_PER_SEC;
  cost.ns = seconds * 1e9 / static_cast<double>(events.size() * rounds);
  cost.matched /= rounds;
  return cost;
}

// Each rule alone: what it would cost without the others, with which it shares work.
std::vector<Cost> measure_each(const std::vector<std::string>& files, const Options& options,
                               const std::vector<Event>& events) {
  std::vector<Cost> costs;
  const rules::Loaded all = rules::load_files(files);
  for (const rules::Rule* rule : all.rules->rules()) {
    if (!rule->enabled) continue;
    rules::LoadOptions only;
    only.selections = {{"*", "", false}, {rule->name, "", true}};
    Cost cost = measure(rules::load_files(files, only).rules, events, options.rounds);
    cost.rule = rule->name;
    costs.push_back(std::move(cost));
  }
  std::ranges::sort(costs, std::greater(), &Cost::ns);
  return costs;
}

void print(const Global& global, const Events& events, const Cost& all,
           const std::vector<Cost>& costs) {
  if (!global.json) {
    std::printf("%zu events (%zu other entries): %.0f ns each, %.0f a second, %llu findings\n",
                events.events.size(), events.others, all.ns, 1e9 / std::max(all.ns, 1.0),
                static_cast<unsigned long long>(all.matched));
    for (const Cost& cost : costs) {
      std::printf("%8.1f ns  %6llu  %s\n", cost.ns, static_cast<unsigned long long>(cost.matched),
                  printable(cost.rule).c_str());
    }
    return;
  }
  std::string text;
  JsonWriter json(text);
  json.begin_object()
      .member("events", events.events.size())
      .member("others", events.others)
      .member("ns_per_event", all.ns)
      .member("findings", all.matched)
      .key("rules")
      .begin_array();
  for (const Cost& cost : costs) {
    json.begin_object()
        .member("rule", cost.rule)
        .member("ns_per_event", cost.ns)
        .member("findings", cost.matched)
        .end_object();
  }
  json.end_array().end_object();
  std::printf("%s\n", text.c_str());
}

void bench(const Options& options, Global& global) {
  const auto files = rule_files_of(options.files, global);
  if (!files) return;
  const auto events = read_events(options, global);
  if (!events) {
    global.exit_code = report(global, events.error());
    return;
  }
  if (events->events.empty()) {
    global.exit_code = report(global, {Code::kNotFound, "there are no events to measure with"});
    return;
  }
  const Cost all = measure(rules::load_files(*files).rules, events->events, options.rounds);
  std::vector<Cost> costs;
  if (options.each) costs = measure_each(*files, options, events->events);
  print(global, *events, all, costs);
}

}  // namespace

void add_rules_bench(CLI::App& rules, Global& global) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = rules.add_subcommand("bench", "Measure what rules cost on recorded events");
  command->add_option("FILE", options->files.files,
                      "Rule files or folders, in order; those of the configuration without");
  command
      ->add_option("--events", options->events,
                   "JSON lines as `cofferdam events --json` writes them; - for standard input. "
                   "Without: the newest entries of the trail")
      ->type_name("PATH");
  command->add_option("--dir", options->dir, "Folder of another trail")->type_name("PATH");
  command->add_option("--rounds", options->rounds, "How often each event is evaluated")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  command->add_flag("--each", options->each, "Also each rule alone, the dearest first");
  command->callback([&global, options] { bench(*options, global); });
}

}  // namespace coff::cli
