// cofferdam status: how the running agent is: processes, queues, trail.
#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <cstdio>
#include <memory>

#include "base/bytes.hpp"
#include "base/json_writer.hpp"
#include "cli/cli.hpp"
#include "cli/control.hpp"

namespace coff::cli {
namespace {

namespace json = boost::json;

std::string text_of(const json::value& value) {
  if (value.is_string()) return printable(std::string_view(value.get_string()));
  return printable(json::serialize(value));
}

std::string member(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value == nullptr ? "-" : text_of(*value);
}

/// True when everything is as it should be.
bool print_processes(const json::object& part) {
  std::printf("cofferdam %s, pid %s, configuration %s (%s reloads, %s failed)\n",
              member(part, "version").c_str(), member(part, "pid").c_str(),
              member(part, "config").c_str(), member(part, "reloads").c_str(),
              member(part, "failed_reloads").c_str());
  std::printf("%-9s %8s %11s %-6s %-8s %-9s %7s  %s\n", "PROCESS", "PID", "UID", "READY", "SECCOMP",
              "LANDLOCK", "DEATHS", "LAST ENDING");
  bool good = true;
  const json::value* processes = part.if_contains("processes");
  if (processes == nullptr || !processes->is_array()) return false;
  for (const json::value& value : processes->get_array()) {
    if (!value.is_object()) continue;
    const json::object& process = value.get_object();
    const bool ready = member(process, "ready") == "true";
    good = good && ready;
    const bool locked = member(process, "landlocked") == "true";
    std::printf("%-9s %8s %11s %-6s %-8s %-9s %7s  %s\n", member(process, "process").c_str(),
                member(process, "pid").c_str(), member(process, "uid").c_str(),
                ready ? "yes" : "no", member(process, "seccomp") == "true" ? "yes" : "no",
                locked ? ("abi " + member(process, "landlock_abi")).c_str() : "no",
                member(process, "deaths").c_str(), member(process, "last_ending").c_str());
  }
  return good;
}

/// Prints a part as "name: member=value …"; nested objects as name.member.
void print_members(const json::object& part, const std::string& prefix) {
  for (const auto& [key, value] : part) {
    const std::string name = prefix + printable(std::string_view(key));
    if (value.is_object()) print_members(value.get_object(), name + ".");
    else if (name != "part") std::printf("  %-28s %s\n", name.c_str(), text_of(value).c_str());
  }
}

bool print_part(std::string_view item) {
  json::error_code problem;
  const json::value value = json::parse(item, problem);
  if (problem || !value.is_object()) return false;
  const json::object& part = value.get_object();
  const std::string name = member(part, "part");
  if (name == "agent") return print_processes(part);
  std::printf("%s\n", name.c_str());
  print_members(part, "");
  return !part.contains("error");
}

void run_status(Global& global, const std::string& socket) {
  bool good = true;
  std::string parts;
  auto client = connect_to_agent(global, socket);
  Result<void> asked = client ? Result<void>() : Result<void>(std::unexpected(client.error()));
  if (client) {
    asked = client->call("status", "{}", [&](std::string_view item) {
      if (global.json) parts.append(parts.empty() ? "" : ",").append(item);
      else good = print_part(item) && good;
      return true;
    });
  }
  if (!asked) {
    report(global, asked.error());
    // "Not running" is an answer, for scripts that ask.
    global.exit_code = asked.error().code == Code::kNotFound ? kFound : kFailed;
    return;
  }
  if (global.json) std::printf("[%s]\n", parts.c_str());
  if (!good) global.exit_code = kFound;
}

}  // namespace

void add_status(CLI::App& app, Global& global) {
  const auto socket = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand(
      "status", "Show how the running agent is (exit 1: not running, or a process is missing)");
  command->add_option("--socket", *socket, "Control socket instead of the configured one")
      ->type_name("PATH");
  command->callback([&global, socket] { run_status(global, *socket); });
}

}  // namespace coff::cli
