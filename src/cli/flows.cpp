// cofferdam flows: who talks to whom, as the running agent knows it.
#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "cli/cli.hpp"
#include "cli/control.hpp"
#include "cli/json_read.hpp"
#include "flow/graph.hpp"

namespace coff::cli {
namespace {

namespace json = boost::json;

struct Options {
  std::string socket;
  std::string container;  ///< Part of an id, name, service or program of either side; empty: all.
  std::string since;
  std::string by = "service";
  std::string format = "dot";
  std::string from;
  std::string to;
};

std::string without_port(const std::string& address) {
  const size_t colon = address.rfind(':');
  return colon == std::string::npos ? address : address.substr(0, colon);
}

std::string container_name(const json::object& container) {
  const std::string name = any_text_in(container, "name");
  return name.empty() ? any_text_in(container, "id").substr(0, 12) : name;
}

/// The name of one side at a level of detail.
std::string party_name(const json::object& party, const std::string& by) {
  if (any_text_in(party, "here") != "true") return without_port(any_text_in(party, "address"));
  const json::object& container = object_or_empty(party, "container");
  const bool contained = !container.empty();
  if (by == "host") return "this host";
  if (by == "image" && contained) return any_text_in(container, "image");
  if (by == "container" && contained) return container_name(container);
  if (by == "process") {
    return (contained ? container_name(container) : std::string("host")) + " " +
           any_text_in(party, "process");
  }
  if (!contained) return "host " + any_text_in(party, "process");
  const std::string service = any_text_in(container, "service");
  if (service.empty()) return container_name(container);
  const std::string project = any_text_in(container, "project");
  return project.empty() ? service : project + "/" + service;
}

bool party_matches(const json::object& party, const std::string& wanted) {
  const json::object& container = object_or_empty(party, "container");
  const auto holds = [&](const std::string& value) {
    return value.find(wanted) != std::string::npos;
  };
  return any_text_in(container, "id").starts_with(wanted) ||
         holds(any_text_in(container, "name")) || holds(any_text_in(container, "service")) ||
         holds(any_text_in(party, "process")) ||
         without_port(any_text_in(party, "address")) == wanted;
}

struct Answer {
  std::vector<json::object> edges;
  json::object coverage;
};

/// Asks the agent; false after an error, which is reported.
bool ask(Global& global, const Options& options, Answer& answer) {
  std::string since;
  if (!options.since.empty()) {
    const auto wall_ns = time_argument(options.since, "--since");
    if (!wall_ns) {
      report(global, wall_ns.error());
      global.exit_code = kUsage;
      return false;
    }
    since = format_time(*wall_ns);
  }
  auto client = connect_to_agent(global, options.socket);
  Result<void> asked = client ? Result<void>() : Result<void>(std::unexpected(client.error()));
  if (client) {
    asked = client->call("flows", "{}", [&](std::string_view item) {
      json::error_code problem;
      const json::value value = json::parse(item, problem);
      if (problem || !value.is_object()) return true;
      const json::object& object = value.get_object();
      if (object.contains("coverage")) answer.coverage = object_or_empty(object, "coverage");
      const json::object& edge = object_or_empty(object, "edge");
      const bool wanted = options.container.empty() ||
                          party_matches(object_or_empty(edge, "client"), options.container) ||
                          party_matches(object_or_empty(edge, "server"), options.container);
      if (!edge.empty() && wanted && any_text_in(edge, "last") >= since)
        answer.edges.push_back(edge);
      return true;
    });
  }
  if (asked) return true;
  global.exit_code = report(global, asked.error());
  return false;
}

flow::Graph graph_of(const Answer& answer, const std::string& by) {
  flow::Graph graph;
  for (const json::object& edge : answer.edges) {
    graph.add(party_name(object_or_empty(edge, "client"), by),
              party_name(object_or_empty(edge, "server"), by),
              static_cast<std::uint16_t>(number_in<std::uint64_t>(edge, "port")),
              {.connections = number_in<std::uint64_t>(edge, "connections"),
               .failed = number_in<std::uint64_t>(edge, "failed"),
               .bytes = number_in<std::uint64_t>(edge, "bytes_to_server") +
                        number_in<std::uint64_t>(edge, "bytes_to_client"),
               .first = any_text_in(edge, "first"),
               .last = any_text_in(edge, "last")});
  }
  return graph;
}

/// What the answer lacks; nothing when it is whole.
void print_coverage(const json::object& coverage) {
  if (number_in<std::uint64_t>(coverage, "sampled_one_in") > 1) {
    std::printf(
        "under load: one connection in %llu is told with both ends, all are counted\n",
        static_cast<unsigned long long>(number_in<std::uint64_t>(coverage, "sampled_one_in")));
  }
  const std::uint64_t lost = number_in<std::uint64_t>(coverage, "lost");
  const std::uint64_t evicted = number_in<std::uint64_t>(coverage, "connections_evicted") +
                                number_in<std::uint64_t>(coverage, "edges_evicted");
  if (lost != 0) std::printf("%llu records lost\n", static_cast<unsigned long long>(lost));
  if (evicted != 0) {
    std::printf("%llu forgotten: more at a time than are kept\n",
                static_cast<unsigned long long>(evicted));
  }
}

void print_edge(const json::object& edge) {
  const std::string who = printable(party_name(object_or_empty(edge, "client"), "process")) +
                          " -> " +
                          printable(party_name(object_or_empty(edge, "server"), "process")) + ":" +
                          any_text_in(edge, "port");
  const std::string last = any_text_in(edge, "last");
  std::printf("%.8s %8llu %6llu %10s %10s  %s", last.size() > 19 ? last.c_str() + 11 : "",
              static_cast<unsigned long long>(number_in<std::uint64_t>(edge, "connections")),
              static_cast<unsigned long long>(number_in<std::uint64_t>(edge, "failed")),
              flow::bytes_text(number_in<std::uint64_t>(edge, "bytes_to_server")).c_str(),
              flow::bytes_text(number_in<std::uint64_t>(edge, "bytes_to_client")).c_str(),
              who.c_str());
  if (edge.contains("via")) std::printf(" via %s", shown_in(edge, "via").c_str());
  if (edge.contains("last_error")) {
    std::printf(" (last failure %s)", shown_in(edge, "last_error").c_str());
  }
  std::printf("\n");
}

void run_list(Global& global, const Options& options) {
  Answer answer;
  if (!ask(global, options, answer)) return;
  if (global.json) {
    json::array edges;
    for (auto& edge : answer.edges) edges.emplace_back(edge);
    std::printf(
        "%s\n",
        json::serialize(json::object({{"edges", std::move(edges)}, {"coverage", answer.coverage}}))
            .c_str());
  } else {
    if (answer.edges.empty()) std::printf("nobody talked to anybody\n");
    else
      std::printf("%-8s %8s %6s %10s %10s  %s\n", "LAST", "CONNECTS", "FAILED", "TO SERVER",
                  "TO CLIENT", "WHO");
    for (const auto& edge : answer.edges) print_edge(edge);
    print_coverage(answer.coverage);
  }
  if (answer.edges.empty()) global.exit_code = kFound;
}

void run_graph(Global& global, const Options& options) {
  Answer answer;
  if (!ask(global, options, answer)) return;
  const flow::Graph graph = graph_of(answer, options.by);
  if (global.json || options.format == "json") std::printf("%s\n", graph.json().c_str());
  else if (options.format == "mermaid") std::printf("%s", graph.mermaid().c_str());
  else std::printf("%s", graph.dot().c_str());
}

void print_ways(Global& global, const std::vector<std::vector<std::string>>& ways,
                const char* none) {
  if (global.json) {
    json::array list;
    for (const auto& way : ways) list.emplace_back(json::value_from(way));
    std::printf("%s\n", json::serialize(list).c_str());
  } else if (ways.empty()) {
    std::printf("%s\n", none);
  } else {
    for (const auto& way : ways) {
      std::string line;
      for (const auto& name : way) line += (line.empty() ? "" : " -> ") + printable(name);
      std::printf("%s\n", line.c_str());
    }
  }
  if (ways.empty()) global.exit_code = kFound;
}

/// The only node that a name means: it itself, or the only one that it is a part of.
Result<std::string> node_of(const flow::Graph& graph, const std::string& name) {
  std::vector<std::string> found;
  for (const auto& node : graph.nodes()) {
    if (node == name) return node;
    if (node.find(name) != std::string::npos) found.push_back(node);
  }
  if (found.size() == 1) return found.front();
  if (found.empty()) return fail(Code::kNotFound, "nobody of that name talked: " + name);
  std::string all;
  for (const auto& node : found) all += (all.empty() ? "" : ", ") + node;
  return fail(Code::kInvalid, name + " may be any of: " + all);
}

/// Builds the graph and finds a node in it; nullptr after an error, which is reported.
std::optional<std::string> start(Global& global, const Options& options, Answer& answer,
                                 flow::Graph& graph, const std::string& name) {
  if (answer.edges.empty() && !ask(global, options, answer)) return std::nullopt;
  graph = graph_of(answer, options.by);
  auto node = node_of(graph, name);
  if (node) return *node;
  global.exit_code = report(global, node.error());
  return std::nullopt;
}

void run_reach(Global& global, const Options& options) {
  Answer answer;
  flow::Graph graph;
  if (const auto node = start(global, options, answer, graph, options.from)) {
    print_ways(global, graph.reach(*node), "it connected to nobody");
  }
}

void run_impact(Global& global, const Options& options) {
  Answer answer;
  flow::Graph graph;
  const auto node = start(global, options, answer, graph, options.from);
  if (!node) return;
  std::vector<std::vector<std::string>> cut;
  for (const auto& [from, targets] : graph.links()) {
    for (const auto& [to, link] : targets) {
      const bool touches = (from == *node) != (to == *node);
      if (touches && link.connections != 0) cut.push_back({from, to});
    }
  }
  if (!global.json) std::printf("cut, if %s is isolated:\n", printable(*node).c_str());
  print_ways(global, cut, "nothing: nobody talks to it, and it to nobody");
  if (global.json) return;
  std::printf("no longer able to reach it, by any way:\n");
  print_ways(global, graph.reached_by(*node), "nobody");
}

void run_explain(Global& global, const Options& options) {
  Answer answer;
  flow::Graph graph;
  const auto from = start(global, options, answer, graph, options.from);
  if (!from) return;
  const auto to = start(global, options, answer, graph, options.to);
  if (!to) return;
  const auto way = graph.path(*from, *to);
  if (way.empty()) {
    print_ways(global, {}, "no way from one to the other was ever used");
    return;
  }
  if (!global.json) {
    print_ways(global, {way}, "");
    std::printf("%-8s %8s %6s %10s %10s  %s\n", "LAST", "CONNECTS", "FAILED", "TO SERVER",
                "TO CLIENT", "WHO");
  }
  json::array evidence;
  for (size_t at = 0; at + 1 < way.size(); ++at) {
    for (const auto& edge : answer.edges) {
      if (party_name(object_or_empty(edge, "client"), options.by) != way[at]) continue;
      if (party_name(object_or_empty(edge, "server"), options.by) != way[at + 1]) continue;
      if (global.json) evidence.emplace_back(edge);
      else print_edge(edge);
    }
  }
  if (!global.json) return;
  std::printf("%s\n", json::serialize(json::object({{"path", json::value_from(way)},
                                                    {"edges", std::move(evidence)}}))
                          .c_str());
}

using Run = void (*)(Global&, const Options&);

CLI::App* add_command(CLI::App& app, Global& global, const char* name, const char* help, Run run,
                      const std::shared_ptr<Options>& options, bool grouped) {
  CLI::App* command = app.add_subcommand(name, help);
  command->add_option("--since", options->since, "Only what was used since: RFC 3339, 15m, 2h, 3d");
  command->add_option("--container", options->container,
                      "Only edges with this container, service, program or address on a side");
  if (grouped) {
    command->add_option("--by", options->by, "What a node is")
        ->check(CLI::IsMember({"process", "container", "image", "service", "host"}))
        ->capture_default_str();
  }
  command->add_option("--socket", options->socket, "Control socket instead of the configured one")
      ->type_name("PATH");
  command->callback([&global, options, run] { run(global, *options); });
  return command;
}

}  // namespace

void add_flows(CLI::App& app, Global& global) {
  const auto options = std::make_shared<Options>();
  CLI::App* flows = app.add_subcommand(
      "flows", "Show who talks to whom, with the process at both ends (exit 1: nobody)");
  flows->require_subcommand(1);
  add_command(*flows, global, "list", "Each program and the service that it uses", run_list,
              options, false);
  add_command(*flows, global, "graph", "The same as a graph to draw", run_graph, options, true)
      ->add_option("--format", options->format, "What to draw it with")
      ->check(CLI::IsMember({"dot", "json", "mermaid"}))
      ->capture_default_str();
  add_command(*flows, global, "reach", "Whom a node connected to, directly and further on",
              run_reach, options, true)
      ->add_option("node", options->from, "Service, container or address")
      ->required();
  add_command(*flows, global, "impact", "Which connections end when a node is isolated", run_impact,
              options, true)
      ->add_option("node", options->from, "Service, container or address")
      ->required();
  CLI::App* explain =
      add_command(*flows, global, "explain", "How one node reaches another, with the evidence",
                  run_explain, options, true);
  explain->add_option("from", options->from, "Where it starts")->required();
  explain->add_option("to", options->to, "Where it ends")->required();
}

}  // namespace coff::cli
