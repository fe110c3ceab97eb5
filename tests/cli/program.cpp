// Test support: runs the real program, and reads its tree of commands from --help.
#include "cli/program.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>

#include "base/clock.hpp"
#include "base/fd.hpp"

namespace coff::cli::test {
namespace {

constexpr std::int64_t kRunNs = 20'000'000'000;

/// In the child: becomes the program.
[[noreturn]] void become(const std::vector<std::string>& arguments, int out, int err) {
  std::vector<char*> words{const_cast<char*>("cofferdam")};
  for (const std::string& word : arguments) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const int nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, 0);
  ::dup2(out, 1);
  ::dup2(err, 2);
  ::execv(COFF_PROGRAM, words.data());
  ::_exit(127);
}

/// "-f,--follow   Help", "--since TIME   Help", "seq UINT REQUIRED"; the help may follow below.
Option option_of(std::string_view line) {
  const std::size_t gap = std::min(line.find("  "), line.size());
  std::string_view head = line.substr(0, gap);
  Option option;
  option.help = line.substr(std::min(line.find_first_not_of(' ', gap), line.size()));
  if (head.starts_with('-') && !head.starts_with("--")) head.remove_prefix(head.find(',') + 1);
  const std::size_t end = std::min(head.find(' '), head.size());
  option.name = head.substr(0, end);
  head.remove_prefix(std::min(end + 1, head.size()));
  const std::size_t type =
      std::min(head.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), head.size());
  // "TEXT:FILE" is a path that must exist.
  option.type = head.substr(type).starts_with(":FILE") ? "FILE" : head.substr(0, type);
  option.required = head.contains("REQUIRED");
  return option;
}

void split_options(const std::string& text, std::vector<Option>& into) {
  std::istringstream lines(text);
  bool within = false;
  for (std::string one; std::getline(lines, one);) {
    if (!one.starts_with(' ')) {
      within = one.starts_with("Options:") || one.starts_with("Positionals:");
    } else if (within && one.starts_with("   ")) {
      if (!into.empty()) into.back().help += one.substr(one.find_first_not_of(' '));
    } else if (within) {
      into.push_back(option_of(std::string_view(one).substr(2)));
    }
  }
}

std::vector<std::string> names_below(const std::string& help) {
  std::vector<std::string> names;
  std::istringstream lines(help);
  bool within = false;
  for (std::string one; std::getline(lines, one);) {
    if (!one.starts_with(' ')) within = one.starts_with("Subcommands:");
    else if (within && !one.starts_with("   "))
      names.push_back(one.substr(2, one.find(' ', 2) - 2));
  }
  return names;
}

void walk(const std::vector<std::string>& words, std::vector<std::vector<std::string>>& into) {
  into.push_back(words);
  std::vector<std::string> asked = words;
  asked.emplace_back("--help");
  for (const std::string& name : names_below(run_program(asked).out)) {
    std::vector<std::string> below = words;
    below.push_back(name);
    walk(below, into);
  }
}

}  // namespace

Outcome run_program(const std::vector<std::string>& arguments) {
  Outcome run{.command = "cofferdam"};
  for (const std::string& word : arguments) run.command += " '" + word + "'";
  int out[2];
  int err[2];
  if (::pipe2(out, O_CLOEXEC) != 0 || ::pipe2(err, O_CLOEXEC) != 0) return run;
  const pid_t child = ::fork();
  if (child == 0) become(arguments, out[1], err[1]);
  ::close(out[1]);
  ::close(err[1]);
  const std::int64_t until_ns = boot_now_ns() + kRunNs;
  pollfd both[] = {{out[0], POLLIN, 0}, {err[0], POLLIN, 0}};
  bool killed = false;
  while (both[0].fd >= 0 || both[1].fd >= 0) {
    if (::poll(both, 2, 100) < 0) break;
    if (boot_now_ns() > until_ns && !killed) killed = ::kill(child, SIGKILL) == 0;
    for (pollfd& one : both) {
      if (one.fd < 0 || one.revents == 0) continue;
      char buffer[65536];
      const ssize_t size = ::read(one.fd, buffer, sizeof buffer);
      if (size > 0) (&one == both ? run.out : run.err).append(buffer, static_cast<size_t>(size));
      else one.fd = -1;
    }
  }
  ::close(out[0]);
  ::close(err[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  run.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (killed) run.status = 124;
  return run;
}

std::string Command::name() const {
  std::string name;
  for (const std::string& word : words) name += (name.empty() ? "" : " ") + word;
  return name;
}

std::vector<std::string> Command::call(const std::string& without) const {
  std::vector<std::string> arguments = words;
  for (const Option& option : options) {
    if (!option.required || option.name == without) continue;
    if (option.name.starts_with("--")) arguments.push_back(option.name);
    arguments.emplace_back("1");
  }
  return arguments;
}

std::vector<std::string> Command::call_with(const std::string& wanted,
                                            const std::string& value) const {
  std::vector<std::string> arguments = words;
  for (const Option& option : options) {
    if (!option.required && option.name != wanted) continue;
    if (option.name.starts_with("--")) arguments.push_back(option.name);
    arguments.push_back(option.name == wanted ? value : "1");
  }
  return arguments;
}

std::vector<std::vector<std::string>> all_levels() {
  std::vector<std::vector<std::string>> levels;
  walk({}, levels);
  return levels;
}

std::vector<Command> all_commands() {
  std::vector<Command> commands;
  for (const std::vector<std::string>& words : all_levels()) {
    std::vector<std::string> asked = words;
    asked.emplace_back("--help");
    Command command{.words = words, .help = run_program(asked).out};
    if (!names_below(command.help).empty()) continue;
    split_options(command.help, command.options);
    std::erase_if(command.options, [](const Option& one) { return one.name == "--help"; });
    commands.push_back(std::move(command));
  }
  return commands;
}

}  // namespace coff::cli::test
