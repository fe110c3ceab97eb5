// What the files of `cofferdam playbook` share.
#pragma once

#include <string>

#include "cli/cli.hpp"
#include "playbook/playbook.hpp"

namespace CLI {
class App;
}  // namespace CLI

namespace coff::cli {

/// Reads and checks a playbook that is to be executed or signed.
Result<playbook::Playbook> read_playbook(const std::string& path);

/// Folder of runs and approvals: `given`, or the folder playbook in the configured data_dir.
Result<std::string> playbook_folder(const Global& global, const std::string& given);

/// The file of those who may approve: `given`, or response.approvers of the configuration.
Result<std::string> approvers_file(const Global& global, const std::string& given);

// The subcommands of playbook; src/cli/playbook_<name>.cpp.
void add_playbook_sign(CLI::App& app, Global& global);
void add_playbook_run(CLI::App& app, Global& global);
void add_playbook_approve(CLI::App& app, Global& global);

}  // namespace coff::cli
