// cofferdam playbook: checks and shows CACAO 2.0 playbooks.
#include "cli/playbook.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "base/bytes.hpp"
#include "base/fd.hpp"
#include "base/json_writer.hpp"
#include "config/config.hpp"
#include "playbook/show.hpp"

namespace coff::cli {
namespace {

struct Arguments {
  std::vector<std::string> files;
  std::string file;
  bool mermaid = false;
};

void print_check(const std::string& file, const playbook::Checked& checked, const Global& global) {
  if (global.json) {
    std::string text;
    JsonWriter json(text);
    json.begin_object()
        .member("file", file)
        .member("valid", checked.valid())
        .member("sound", checked.sound());
    if (checked.valid()) {
      json.member("id", checked.playbook->id)
          .member("name", checked.playbook->name)
          .member("sha256", checked.playbook->hash());
    }
    json.key("problems").begin_array();
    for (const playbook::Problem& problem : checked.problems.list()) {
      json.begin_object()
          .member("kind", playbook::kind_name(problem.kind))
          .member("place", problem.place)
          .member("message", problem.message)
          .end_object();
    }
    json.end_array().end_object();
    std::printf("%s\n", text.c_str());
    return;
  }
  const char* verdict = checked.sound()   ? "can be executed"
                        : checked.valid() ? "fits the schema, and can't be executed"
                                          : "is no playbook of CACAO 2.0";
  std::printf("%s: %s\n", printable(file).c_str(), verdict);
  for (const playbook::Problem& problem : checked.problems.list()) {
    std::printf("  %s %s: %s\n", std::string(playbook::kind_name(problem.kind)).c_str(),
                printable(problem.place).c_str(), printable(problem.message).c_str());
  }
}

void run_check(const Arguments& arguments, Global& global) {
  for (const std::string& file : arguments.files) {
    const auto text = read_file(file, playbook::kDocumentBytesMax);
    if (!text) {
      global.exit_code = report(global, text.error());
      return;
    }
    const playbook::Checked checked = playbook::check_playbook(*text);
    print_check(file, checked, global);
    if (!checked.sound()) global.exit_code = kFound;
  }
}

void run_show(const Arguments& arguments, Global& global) {
  const auto playbook = read_playbook(arguments.file);
  if (!playbook) {
    global.exit_code = report(global, playbook.error());
    return;
  }
  std::string text =
      arguments.mermaid ? playbook::mermaid(*playbook) : playbook::outline(*playbook);
  if (global.json) text = boost::json::serialize(playbook->document) + "\n";
  std::fputs(text.c_str(), stdout);
}

}  // namespace

Result<playbook::Playbook> read_playbook(const std::string& path) {
  const std::string text = TRY(read_file(path, playbook::kDocumentBytesMax));
  auto playbook = playbook::load_playbook(text);
  if (!playbook) return fail(playbook.error().code, path + ": " + playbook.error().what);
  return playbook;
}

Result<std::string> playbook_folder(const Global& global, const std::string& given) {
  if (!given.empty()) return given;
  return TRY(config::load_config(global.config_path)).data_dir + "/playbook";
}

Result<std::string> approvers_file(const Global& global, const std::string& given) {
  if (!given.empty()) return given;
  return TRY(config::load_config(global.config_path)).response.approvers;
}

void add_playbook(CLI::App& app, Global& global) {
  CLI::App* command =
      app.add_subcommand("playbook", "Check, show, sign, execute and approve CACAO 2.0 playbooks");
  command->require_subcommand(1);
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* check = command->add_subcommand(
      "check", "Say what is wrong with playbooks (exit 1: one can't be executed)");
  check->add_option("FILE", arguments->files, "Playbooks")->required();
  check->callback([&global, arguments] { run_check(*arguments, global); });
  CLI::App* show = command->add_subcommand("show", "Show a playbook's steps");
  show->add_option("FILE", arguments->file, "A playbook")->required();
  show->add_flag("--mermaid", arguments->mermaid, "A Mermaid diagram");
  show->callback([&global, arguments] { run_show(*arguments, global); });
  add_playbook_sign(*command, global);
  add_playbook_run(*command, global);
  add_playbook_approve(*command, global);
}

}  // namespace coff::cli
