// The command line as a person meets it: every command, found through --help, with every kind of
// nonsense that can be typed.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>
#include <sstream>

#include "base/bytes.hpp"
#include "base/fd.hpp"
#include "cli/program.hpp"

namespace coff::cli::test {
namespace {

namespace fs = std::filesystem;

constexpr int kWrongUsage = 2;

class Cli : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "coff-cli-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    dir_ = name;
    ASSERT_GT(commands().size(), 10U) << "the tree of commands could not be read from --help";
  }
  void TearDown() override { fs::remove_all(dir_); }

  static const std::vector<Command>& commands() {
    static const std::vector<Command> found = all_commands();
    return found;
  }
  [[nodiscard]] std::string write(const std::string& name, std::string_view text) const {
    const std::string path = dir_ + "/" + name;
    const auto file = open_file(path, O_CREAT | O_WRONLY | O_TRUNC);
    EXPECT_TRUE(file && write_all(*file, text));
    return path;
  }
  /// Bytes that no format begins with.
  [[nodiscard]] std::string garbage() const {
    std::string text = "\x7f\x1b[2J\xff\xfe";
    for (int at = 0; at < 5000; ++at) text += static_cast<char>(at * 37 % 256);
    return write("garbage", text);
  }
  [[nodiscard]] std::vector<std::string> wrong_files() const {
    fs::create_directory(dir_ + "/folder");
    return {dir_ + "/missing", dir_ + "/folder",       write("empty", ""),
            garbage(),         std::string(5000, 'x'), ""};
  }

  std::string dir_;
};

std::vector<std::string> operator+(std::vector<std::string> words,
                                   const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

void expect_clean(const Outcome& run) {
  for (const std::string* text : {&run.out, &run.err}) {
    const bool clean = std::ranges::none_of(
        *text, [](char letter) { return (letter >= 0 && letter < ' ' && letter != '\n'); });
    EXPECT_TRUE(clean) << run.command << " prints control characters: " << printable(*text);
  }
  EXPECT_GE(run.status, 0) << run.command;
  EXPECT_LE(run.status, 3) << run.command << ": " << run.err;
}

/// It was refused, and one line says why.
void expect_refused(const Outcome& run, int status) {
  expect_clean(run);
  EXPECT_EQ(run.status, status) << run.command << ": " << run.err;
  EXPECT_TRUE(run.err.starts_with("cofferdam: ")) << run.command << ": " << run.err;
  EXPECT_EQ(std::ranges::count(run.err, '\n'), 1) << run.command << ": " << run.err;
  EXPECT_GT(run.err.size(), 20U) << run.command << ": " << run.err;
}

void expect_json_lines(const Outcome& run, const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    boost::system::error_code error;
    const auto value = boost::json::parse(line, error);
    EXPECT_FALSE(error) << run.command << " prints " << line;
  }
}

/// Would run until told to stop.
bool serves(const Command& command) {
  return command.name() == "agent" || command.name() == "witness serve";
}

TEST_F(Cli, EveryLevelExplainsItself) {
  for (const auto& words : all_levels()) {
    const Outcome run = run_program(words + std::vector<std::string>{"--help"});
    expect_clean(run);
    EXPECT_EQ(run.status, 0) << run.command;
    EXPECT_EQ(run.err, "") << run.command;
    EXPECT_TRUE(run.out.contains("Usage: cofferdam")) << run.command << ": " << run.out;
  }
  for (const Command& command : commands()) {
    for (const Option& option : command.options) {
      EXPECT_GE(option.help.size(), 7U) << command.name() << " " << option.name << " has no help";
    }
  }
  const Outcome version = run_program({"--version"});
  EXPECT_EQ(version.status, 0);
  EXPECT_EQ(version.out, run_program({"version"}).out);
}

TEST_F(Cli, WhatNobodyKnowsIsRefused) {
  for (const auto& words : all_levels()) {
    const Outcome run = run_program(words + std::vector<std::string>{"--no-such-option"});
    expect_refused(run, kWrongUsage);
  }
  for (const auto& word : {"nonsense", "", "-", "--", "\x1b[31mred\nline"}) {
    expect_refused(run_program({word}), kWrongUsage);
    expect_refused(run_program({"trail", word}), kWrongUsage);
  }
  expect_refused(run_program({}), kWrongUsage);
}

TEST_F(Cli, NonsenseValuesAreRefused) {
  std::size_t numbers = 0;
  std::size_t times = 0;
  for (const Command& command : commands()) {
    for (const Option& option : command.options) {
      std::vector<std::string> values;
      if (option.type == "UINT" || option.type == "INT") {
        values = {"", "abc", "-1", "12abc", "1e9", "99999999999999999999999"};
        ++numbers;
      } else if (option.type == "TIME") {
        values = {"yesterday", "2026-13-45T00:00:00Z", "5 parsecs", "-3h"};
        ++times;
      }
      std::vector<std::string> call = command.call(option.name);
      if (option.name.starts_with("--")) call.push_back(option.name);
      if (!option.type.empty() && option.name.starts_with("--")) {
        expect_refused(run_program(call), kWrongUsage);  // no value
      }
      for (const std::string& value : values) {
        expect_refused(run_program(command.call_with(option.name, value)), kWrongUsage);
      }
    }
  }
  EXPECT_GT(numbers, 5U);
  EXPECT_GE(times, 4U);
}

TEST_F(Cli, MissingArgumentsAreRefused) {
  std::size_t required = 0;
  for (const Command& command : commands()) {
    for (const Option& option : command.options) {
      if (!option.required) continue;
      ++required;
      expect_refused(run_program(command.call(option.name)), kWrongUsage);
    }
  }
  EXPECT_GE(required, 4U);
}

TEST_F(Cli, WrongFilesAreRefused) {
  const std::string nowhere = dir_ + "/nowhere";
  for (const Command& command : commands()) {
    for (const Option& option : command.options) {
      if (option.type != "FILE" && option.type != "DIR") continue;
      for (const std::string& file : wrong_files()) {
        // Output files are made; everything else that is not there or not right is an error.
        std::vector<std::string> call = command.call(option.name);
        if (option.name.starts_with("--")) call.push_back(option.name);
        call.push_back(file);
        if (option.name != "--dir" && command.help.contains("--dir")) {
          call = call + std::vector<std::string>{"--dir", nowhere};
        }
        if (option.name != "--config") {
          call = call + std::vector<std::string>{"--config", nowhere};
        }
        const Outcome run = run_program(call);
        expect_clean(run);
        const bool valid = command.name() == "config check" && file.ends_with("/empty");
        EXPECT_EQ(run.status == 0, valid) << run.command << ": " << run.out << run.err;
        EXPECT_TRUE(valid || !run.err.empty() || !run.out.empty()) << run.command;
      }
    }
  }
}

TEST_F(Cli, AWrongConfigurationIsToldByEveryCommandThatReadsIt) {
  for (const Command& command : commands()) {
    const std::string name = command.name();
    if (serves(command) && name != "agent") continue;
    const bool reads = name == "config check" || name == "config show" || name == "agent" ||
                       name == "events" || name == "ps" || name == "status" || name == "doctor";
    for (const std::string& file : wrong_files()) {
      // An empty file is a valid configuration, and an empty name is none.
      if (file.empty() || file.ends_with("/empty")) continue;
      const Outcome run = run_program(command.call() + std::vector<std::string>{"--config", file});
      expect_clean(run);
      if (reads) {
        EXPECT_NE(run.status, 0) << run.command;
        EXPECT_NE(run.err, "") << run.command;
      }
    }
  }
}

TEST_F(Cli, WhatIsTypedNeverReachesTheTerminalRaw) {
  const std::string hostile = "\x1b[31m\a\r\n\xff" + std::string(4096, 'A');
  const std::string nowhere = dir_ + "/nowhere";
  for (const Command& command : commands()) {
    if (command.name() == "agent") continue;
    for (const Option& option : command.options) {
      if (option.type.empty()) continue;
      std::vector<std::string> call = command.call(option.name);
      if (option.name.starts_with("--")) call.push_back(option.name);
      call.push_back(hostile);
      if (option.name != "--config") call = call + std::vector<std::string>{"--config", nowhere};
      // Not this machine's own trail, which may be there and answer.
      const bool takes_dir = std::ranges::any_of(
          command.options, [](const Option& each) { return each.name == "--dir"; });
      if (takes_dir && option.name != "--dir") {
        call = call + std::vector<std::string>{"--dir", nowhere};
      }
      const Outcome run = run_program(call);
      expect_clean(run);
      EXPECT_NE(run.status, 0) << run.command;
    }
  }
}

TEST_F(Cli, JsonIsAskedForAndGiven) {
  const std::string nowhere = dir_ + "/nowhere";
  for (const Command& command : commands()) {
    const Outcome usage = run_program(command.words + std::vector<std::string>{"--what", "--json"});
    EXPECT_EQ(usage.status, kWrongUsage) << usage.command;
    EXPECT_NE(usage.err, "") << usage.command;
    expect_json_lines(usage, usage.err);
    if (serves(command)) continue;
    std::vector<std::string> call = command.call() + std::vector<std::string>{"--json"};
    if (command.help.contains("--dir")) call = call + std::vector<std::string>{"--dir", nowhere};
    if (command.help.contains("--socket")) {
      call = call + std::vector<std::string>{"--socket", nowhere};
    }
    const Outcome run = run_program(call);
    expect_clean(run);
    EXPECT_FALSE(run.out.empty() && run.err.empty()) << run.command;
    expect_json_lines(run, run.out);
    expect_json_lines(run, run.err);
  }
}

TEST_F(Cli, TheTrailsCommandsGiveJson) {
  fs::copy(COFF_SOURCE_DIR "/tests/fixtures/trail-v1", dir_ + "/trail",
           fs::copy_options::recursive);
  const std::vector<std::vector<std::string>> calls = {
      {"trail", "verify"},
      {"trail", "show", "0"},
      {"trail", "prove", "1", "--out", dir_ + "/proof"},
      {"trail", "export", "--out", dir_ + "/export", "--prove", "0-1"},
      {"trail", "rebuild-index"},
      {"trail", "show", "--limit", "2"}};
  for (const auto& call : calls) {
    const Outcome run =
        run_program(call + std::vector<std::string>{"--dir", dir_ + "/trail", "--json"});
    EXPECT_EQ(run.status, 0) << run.command << ": " << run.err;
    EXPECT_NE(run.out, "") << run.command;
    expect_json_lines(run, run.out);
  }
}

TEST_F(Cli, TheManPageNamesEveryCommandAndOption) {
  const auto page = read_file(COFF_SOURCE_DIR "/packaging/cofferdam.8", 1 << 20U);
  ASSERT_TRUE(page);
  for (const Command& command : commands()) {
    std::string heading = ".It";
    for (const std::string& word : command.words) {
      heading += " Cm ";
      for (const char letter : word)
        heading += letter == '-' ? std::string("\\-") : std::string{letter};
    }
    const std::size_t at = page->find(heading);
    ASSERT_NE(at, std::string::npos) << heading << " is not in the man page";
    const std::string section = page->substr(at, page->find(".It Cm", at + 6) - at);
    for (const Option& option : command.options) {
      if (!option.name.starts_with("--")) continue;
      std::string flag = "Fl ";
      for (const char letter : option.name.substr(1)) {
        flag += letter == '-' ? std::string("\\-") : std::string{letter};
      }
      EXPECT_TRUE(section.contains(flag)) << command.name() << ": " << flag;
    }
  }
}

}  // namespace
}  // namespace coff::cli::test
