// cofferdam exposure: which running processes have an advisory's, package's or library's bytes
// mapped.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <cstdio>
#include <map>
#include <memory>

#include "agent/inventory_worker.hpp"
#include "cli/cli.hpp"
#include "cli/control.hpp"
#include "cli/exposure_store.hpp"
#include "cli/json_read.hpp"
#include "exposure/answer.hpp"

namespace coff::cli {
namespace {

namespace json = boost::json;

struct Arguments {
  std::string question;
  std::string store;
  std::string socket;
  bool csv = false;
};

struct ContainerName {
  std::string name;
  std::string image;
};

/// Names and images of containers, as far as a running agent knows them.
std::map<std::string, ContainerName> names_from_agent(const Global& global,
                                                      const std::string& socket) {
  std::map<std::string, ContainerName> names;
  auto client = connect_to_agent(global, socket);
  if (!client) return names;
  // Without an answer the findings have ids, which are enough to act on.
  [[maybe_unused]] const auto asked = client->call("ps", "{}", [&names](std::string_view item) {
    json::error_code problem;
    const json::value value = json::parse(item, problem);
    if (problem || !value.is_object()) return true;
    const json::value* container = value.get_object().if_contains("container");
    if (container != nullptr && container->is_object()) {
      const json::object& members = container->get_object();
      names[std::string(text_in(members, "id"))] = {std::string(text_in(members, "name")),
                                                    std::string(text_in(members, "image"))};
    }
    return true;
  });
  return names;
}

/// What runs can be told without advisories; a question about one needs them.
Result<exposure::Store> open_store(const exposure::Question& question, const Arguments& arguments,
                                   const Global& global) {
  const std::string path = TRY(exposure_store_path(global, arguments.store));
  if (::access(path.c_str(), F_OK) == 0) {
    return exposure::Store::open(path, Database::Mode::kReadWrite);
  }
  if (!arguments.store.empty()) {
    return fail(Code::kNotFound,
                path + ": there is no such store; cofferdam feed import makes one");
  }
  if (question.subject != exposure::Subject::kAdvisory) return exposure::Store::in_memory();
  return std::unexpected(no_advisories(path));
}

Result<exposure::Answer> answer_for(const Arguments& arguments, const Global& global) {
  const exposure::Question question = TRY(exposure::question_of(arguments.question));
  if (::geteuid() != 0) {
    return fail(Code::kDenied,
                "what processes map is only told to root; try: sudo cofferdam "
                "exposure " +
                    arguments.question);
  }
  auto store = TRY(open_store(question, arguments, global));
  agent::WorkerParser parser;
  const exposure::Scan scan = TRY(exposure::scan_host(parser));
  exposure::Answer answer = TRY(exposure::answer_question(question, scan, store));
  TRY(exposure::learn_builds(store, scan));
  const auto names = names_from_agent(global, arguments.socket);
  for (exposure::Finding& finding : answer.findings) {
    const auto known = names.find(finding.container);
    if (known == names.end()) continue;
    finding.container_name = known->second.name;
    finding.image = known->second.image;
  }
  return answer;
}

void run_exposure(const Arguments& arguments, Global& global) {
  const auto answer = answer_for(arguments, global);
  if (!answer) {
    global.exit_code = report(global, answer.error());
    if (answer.error().code == Code::kInvalid) global.exit_code = kUsage;
    return;
  }
  std::string text = exposure::to_text(*answer);
  if (arguments.csv) text = exposure::to_csv(*answer);
  if (global.json) text = exposure::to_json(*answer) + "\n";
  std::fputs(text.c_str(), stdout);
  global.exit_code = answer->findings.empty() ? kOk : kFound;
}

}  // namespace

void add_exposure(CLI::App& app, Global& global) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "exposure",
      "Find the running processes, of containers and of the host, that have vulnerable bytes "
      "mapped, and where else they lie (exit 1: something was found). With --json one object");
  command
      ->add_option("WHAT", arguments->question,
                   "An advisory (CVE-2014-0160), a package, a library (libssl.so.3) or a build id")
      ->required();
  command->add_flag("--csv", arguments->csv, "A table, one row for each process");
  command
      ->add_option("--store", arguments->store,
                   "Store instead of the one in the configured data folder")
      ->type_name("PATH");
  command
      ->add_option("--socket", arguments->socket,
                   "Control socket of the agent, which knows names and images")
      ->type_name("PATH");
  command->callback([&global, arguments] { run_exposure(*arguments, global); });
}

}  // namespace coff::cli
