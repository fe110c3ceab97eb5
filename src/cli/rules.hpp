// What the subcommands of `cofferdam rules` share.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/cli.hpp"
#include "sigma/sigma.hpp"

namespace CLI {
class App;
}

namespace coff::cli {

struct RulesArguments {
  std::vector<std::string> files;
  std::vector<std::string> sigma;  ///< Sigma files and folders, beside them.
  bool strict = false;
};

/// The files that were named, else those of the configuration that exist. Nothing when there is
/// none: that was reported, and the exit code is set.
std::optional<std::vector<std::string>> rule_files_of(const RulesArguments& arguments,
                                                      Global& global);

/// The rules of both languages that were named, else those of the configuration. Nothing after an
/// error, which was reported.
std::optional<sigma::Loaded> load_rules(const RulesArguments& arguments, Global& global);

void add_rules_test(CLI::App& rules, Global& global);
void add_rules_explain(CLI::App& rules, Global& global);
void add_rules_bench(CLI::App& rules, Global& global);

}  // namespace coff::cli
