// cofferdam config: check a configuration file, show the one in effect, print the default one.
#include "config/config.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "base/fd.hpp"
#include "base/json_writer.hpp"
#include "cli/cli.hpp"

namespace coff::cli {
namespace {

int check(const Global& global, const std::string& argument) {
  const std::string& given = argument.empty() ? global.config_path : argument;
  const std::string file = given.empty() ? std::string(config::kDefaultPath) : given;
  const auto text = read_file(file, config::kFileBytesMax);
  const bool absent = !text && given.empty() && text.error().code == Code::kNotFound;
  if (!text && !absent) return report(global, text.error());
  const auto problems = config::parse_config(absent ? "" : *text, file).problems;
  if (global.json) {
    std::string out;
    JsonWriter json(out);
    json.begin_object().member("file", file).member("present", !absent);
    json.key("problems").begin_array();
    for (const config::Problem& problem : problems) json.raw(config::to_json(problem));
    json.end_array().end_object();
    std::printf("%s\n", out.c_str());
  } else {
    for (const config::Problem& problem : problems) {
      std::fputs(config::to_text(problem).c_str(), stderr);
    }
    if (problems.empty()) {
      std::printf("%s: %s\n", file.c_str(), absent ? "absent: every default holds" : "valid");
    }
  }
  return problems.empty() ? kOk : kFound;
}

int show(const Global& global) {
  const auto loaded = config::load_config(global.config_path);
  if (!loaded) return report(global, loaded.error());
  const std::string out = global.json ? config::to_json(*loaded) + '\n' : config::to_yaml(*loaded);
  std::fputs(out.c_str(), stdout);
  return kOk;
}

}  // namespace

void add_config(CLI::App& app, Global& global) {
  CLI::App* command = app.add_subcommand("config", "Check and show the configuration");
  command->require_subcommand(1);
  const auto file = std::make_shared<std::string>();
  CLI::App* check_command = command->add_subcommand("check", "Name every problem of a file");
  check_command->add_option("file", *file, "The file; by default the one in use")
      ->type_name("FILE");
  check_command->callback([&global, file] { global.exit_code = check(global, *file); });
  command->add_subcommand("show", "Print the configuration in effect, defaults filled in")
      ->callback([&global] { global.exit_code = show(global); });
  command->add_subcommand("default", "Print the default file with its documentation")
      ->callback([&global] {
        const std::string out =
            global.json ? config::to_json(config::Config{}) + '\n' : config::default_yaml();
        std::fputs(out.c_str(), stdout);
      });
}

}  // namespace coff::cli
