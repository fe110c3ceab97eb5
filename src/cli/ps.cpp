// cofferdam ps: containers and their processes, as the running agent knows them.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <map>
#include <memory>

#include "base/bytes.hpp"
#include "cli/cli.hpp"
#include "cli/control.hpp"
#include "cli/json_read.hpp"

namespace coff::cli {
namespace {

namespace json = boost::json;

struct Options {
  std::string socket;
  std::string container;  ///< Part of an id or name; empty: all.
  bool host = false;      ///< Processes outside containers too.
};

struct Row {
  std::int64_t pid = 0;
  std::int64_t ppid = 0;
  std::string line;
};

struct Group {
  std::string title;
  std::string name;
  std::vector<Row> rows;
};

std::string title_of(const json::object& container) {
  std::string title = shown_in(container, "id").substr(0, 12) + "  " + shown_in(container, "name");
  const std::string image = shown_in(container, "image");
  title += "  " + (image.empty() ? "(image not known)" : image);
  if (const std::string service = shown_in(container, "service"); !service.empty()) {
    title += "  service " + service;
  }
  if (shown_in(container, "privileged") == "true") title += "  PRIVILEGED";
  const std::string metadata = shown_in(container, "metadata");
  if (metadata != "complete") title += "  [" + metadata + "]";
  return title;
}

Row row_of(const json::object& process) {
  std::string user = shown_in(process, "user");
  if (user.empty()) user = shown_in(process, "uid");
  const std::string started = shown_in(process, "started");
  char head[96];
  std::snprintf(head, sizeof head, "%8s %-12.12s %.8s ", shown_in(process, "pid").c_str(),
                user.c_str(), started.size() > 19 ? started.c_str() + 11 : "");
  std::string line = head;
  // 64 bits as hexadecimal: what an unprivileged process has none of.
  const auto capabilities =
      static_cast<unsigned long long>(number_in<std::int64_t>(process, "capabilities"));
  char hexadecimal[20];
  std::snprintf(hexadecimal, sizeof hexadecimal, "%10llx  ", capabilities);
  line += hexadecimal;
  return {number_in<std::int64_t>(process, "pid"), number_in<std::int64_t>(process, "ppid"),
          std::move(line)};
}

// Children below their parents, as deep as the parents are of the same container.
void print_tree(const Group& group, const std::vector<std::pair<Row, std::string>>& rows) {
  std::multimap<std::int64_t, size_t> children;
  std::map<std::int64_t, bool> here;
  for (const auto& [row, command] : rows) here[row.pid] = true;
  for (size_t at = 0; at < rows.size(); ++at) {
    const std::int64_t parent = here.contains(rows[at].first.ppid) ? rows[at].first.ppid : 0;
    children.emplace(parent, at);
  }
  std::printf("%s\n", group.title.c_str());
  std::vector<std::pair<size_t, int>> stack;
  const auto push = [&](std::int64_t parent, int depth) {
    const auto [from, to] = children.equal_range(parent);
    std::vector<size_t> found;
    for (auto child = from; child != to; ++child) found.push_back(child->second);
    std::for_each(found.rbegin(), found.rend(), [&](size_t at) { stack.emplace_back(at, depth); });
  };
  push(0, 0);
  while (!stack.empty()) {
    const auto [at, depth] = stack.back();
    stack.pop_back();
    std::printf("%s%*s%s\n", rows[at].first.line.c_str(), depth * 2, "", rows[at].second.c_str());
    if (rows[at].first.pid != 0) push(rows[at].first.pid, depth + 1);
  }
}

class Listing {
 public:
  explicit Listing(const Options& options) : options_(options) {}

  void take(std::string_view item) {
    json::error_code problem;
    const json::value value = json::parse(item, problem);
    if (problem || !value.is_object()) return;
    const json::object& object = value.get_object();
    if (const json::value* container = object.if_contains("container");
        container != nullptr && container->is_object()) {
      Group& group = groups_[shown_in(container->get_object(), "id")];
      group.title = title_of(container->get_object());
      group.name = shown_in(container->get_object(), "name");
    }
    if (const json::value* process = object.if_contains("process");
        process != nullptr && process->is_object()) {
      const json::object& members = process->get_object();
      rows_[shown_in(members, "container")].emplace_back(row_of(members),
                                                         shown_in(members, "command"));
    }
  }

  size_t print() {
    size_t shown = 0;
    for (auto& [id, group] : groups_) {
      const bool wanted = options_.container.empty() || id.starts_with(options_.container) ||
                          group.name.find(options_.container) != std::string::npos;
      if (!wanted) continue;
      if (shown++ == 0) header();
      print_tree(group, rows_[id]);
    }
    if (options_.host) {
      if (shown++ == 0) header();
      print_tree({.title = "host"}, rows_[""]);
    }
    return shown;
  }

 private:
  static void header() {
    std::printf("%8s %-12s %-8s %10s  %s\n", "PID", "USER", "STARTED", "CAPS", "COMMAND");
  }

  const Options& options_;
  std::map<std::string, Group> groups_;
  std::map<std::string, std::vector<std::pair<Row, std::string>>> rows_;
};

void run_ps(Global& global, const Options& options) {
  auto client = connect_to_agent(global, options.socket);
  Result<void> asked = client ? Result<void>() : Result<void>(std::unexpected(client.error()));
  Listing listing(options);
  if (client) {
    asked = client->call("ps", "{}", [&](std::string_view item) {
      if (global.json) std::printf("%.*s\n", static_cast<int>(item.size()), item.data());
      else listing.take(item);
      return true;
    });
  }
  if (!asked) {
    global.exit_code = report(global, asked.error());
    return;
  }
  if (global.json) return;
  if (listing.print() == 0) {
    std::printf("%s\n",
                options.container.empty() ? "no containers (try --host)" : "no container matches");
    global.exit_code = kFound;
  }
}

}  // namespace

void add_ps(CLI::App& app, Global& global) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "ps",
      "Show containers and their processes (exit 1: none to show). STARTED is UTC, CAPS the "
      "effective capabilities, hexadecimal");
  command->add_option("container", options->container, "Only containers whose id or name matches");
  command->add_flag("--host", options->host, "The host's own processes too");
  command->add_option("--socket", options->socket, "Control socket instead of the configured one")
      ->type_name("PATH");
  command->callback([&global, options] { run_ps(global, *options); });
}

}  // namespace coff::cli
