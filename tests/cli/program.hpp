// Test support: runs the real program, and reads its tree of commands from --help.
#pragma once

#include <string>
#include <vector>

namespace coff::cli::test {

/// What one run of the program left.
struct Outcome {
  int status = -1;  ///< Exit status; 128 + signal when it was killed; 124 when it hung.
  std::string out;
  std::string err;
  std::string command;  ///< As a person would type it.
};

/// Runs `cofferdam ARGUMENTS...` without a terminal, for at most 20 s. Control characters in the
/// arguments reach the program as they are; NUL can't.
Outcome run_program(const std::vector<std::string>& arguments);

/// One option or positional argument of a command.
struct Option {
  std::string name;  ///< "--limit"; without dashes: a positional argument.
  std::string type;  ///< "TIME", "UINT", …; empty: a flag.
  std::string help;
  bool required = false;
};

/// One command that does something.
struct Command {
  std::vector<std::string> words;  ///< "trail", "show"
  std::string help;                ///< All of its --help.
  std::vector<Option> options;     ///< Its own, without --help.
  [[nodiscard]] std::string name() const;
  /// The words with a value for everything that is required, except the option named.
  [[nodiscard]] std::vector<std::string> call(const std::string& without = "") const;
  /// The words with `value` for the option named, in its place among the positional arguments.
  [[nodiscard]] std::vector<std::string> call_with(const std::string& name,
                                                   const std::string& value) const;
};

/// Every command that has no commands below it, found by asking each level for its --help.
std::vector<Command> all_commands();
/// Every level's words: "", "trail", "trail show", …
std::vector<std::vector<std::string>> all_levels();

}  // namespace coff::cli::test
