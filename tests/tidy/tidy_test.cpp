// The style guide as tests: sizes, first lines, banned words, and which room may include which.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hpp"

namespace coff {
namespace {

namespace fs = std::filesystem;

constexpr size_t kFileLinesMax = 400;
constexpr size_t kLineColumnsMax = 100;
constexpr size_t kReadmeLinesMax = 60;
constexpr size_t kFileBytesMax = size_t{4} << 20;

/// A file that may break one rule, and why. This list may only shrink.
struct Exemption {
  std::string_view path;
  std::string_view rule;
  std::string_view reason;
};
constexpr Exemption kExemptions[] = {
    {"tests/tidy/tidy_test.cpp", "banned", "It names what it bans."},
    {"src/runtime/json_members.cpp", "banned", "A memory resource must throw bad_alloc."},
    {"bpf/wire.h", "columns", "The event list is a table: its longest sentence sets the width."},
    {"bpf/calls.h", "columns", "The list of calls is a table too."},
    {"src/trail/export_test.cpp", "banned", "Runs the shell script that is under test."},
};

bool exempt(std::string_view path, std::string_view rule) {
  return std::ranges::any_of(kExemptions,
                             [&](const Exemption& e) { return e.path == path && e.rule == rule; });
}

struct SourceFile {
  std::string path;  ///< Relative to the top of the source.
  std::string text;
  std::vector<std::string> lines;
};

bool is_code(std::string_view path) {
  return path.ends_with(".cpp") || path.ends_with(".hpp") || path.ends_with(".h") ||
         path.ends_with(".c");
}

/// Text that people write: everything but binary corpora, generated trees and the licence.
bool is_text(const std::string& path) {
  static const std::set<std::string> kSuffixes = {".cpp",     ".hpp",   ".h",    ".c",  ".md",
                                                  ".txt",     ".cmake", ".yaml", ".sh", ".json",
                                                  ".service", ".8",     ".py",   ""};
  if (path.find("/corpus/") != std::string::npos || path == "LICENSE") return false;
  return kSuffixes.contains(fs::path(path).extension().string());
}

std::vector<SourceFile> load_files() {
  const fs::path top = COFF_SOURCE_DIR;
  std::vector<SourceFile> files;
  fs::recursive_directory_iterator it(top);
  for (; it != fs::recursive_directory_iterator(); ++it) {
    const std::string path = fs::relative(it->path(), top).string();
    if (it->is_directory() && (path == "build" || path == ".git")) it.disable_recursion_pending();
    if (!it->is_regular_file() || !is_text(path) || path == ".git") continue;
    auto text = read_file(it->path().string(), kFileBytesMax);
    if (!text) {
      ADD_FAILURE() << text.error().message();
      continue;
    }
    SourceFile file{path, std::move(*text), {}};
    std::istringstream stream(file.text);
    for (std::string line; std::getline(stream, line);) file.lines.push_back(line);
    files.push_back(std::move(file));
  }
  return files;
}

const std::vector<SourceFile>& files() {
  static const std::vector<SourceFile> kFiles = load_files();
  return kFiles;
}

/// Columns of a line on a terminal: code points, and a tab goes to the next multiple of eight.
size_t columns(std::string_view line) {
  size_t count = 0;
  for (const char c : line) {
    if (c == '\t') count = (count / 8 + 1) * 8;
    else if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U) ++count;
  }
  return count;
}

/// The code with comments and the insides of literals blanked; line breaks stay.
std::string code_only(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    size_t end = i + 1;
    if (text.substr(i).starts_with("//")) end = text.find('\n', i);
    else if (text.substr(i).starts_with("/*")) end = text.find("*/", i) + 2;
    else if (text.substr(i).starts_with("R\"")) {
      const std::string close =
          ")" + std::string(text.substr(i + 2, text.find('(', i) - i - 2)) + "\"";
      end = text.find(close, i) + close.size();
    } else if (text[i] == '"' || (text[i] == '\'' && !(i > 0 && std::isalnum(text[i - 1]) != 0))) {
      while (end < text.size() && text[end] != text[i]) end += text[end] == '\\' ? 2U : 1U;
      ++end;
    } else {
      out += text[i++];
      continue;
    }
    end = std::min(std::max(end, i + 1), text.size());
    for (; i < end; ++i) out += text[i] == '\n' ? '\n' : ' ';
  }
  return out;
}

/// A word that cannot be broken, such as a container's id, may stick out of its line.
bool has_long_word(std::string_view line) {
  constexpr size_t kLongWord = 60;
  size_t length = 0;
  for (const char c : line) {
    length = c == ' ' ? 0 : length + 1;
    if (length >= kLongWord) return true;
  }
  return false;
}

bool has_word(std::string_view line, std::string_view word) {
  const auto in_word = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
  };
  for (size_t at = line.find(word); at != line.npos; at = line.find(word, at + 1)) {
    const bool starts = at == 0 || !in_word(line[at - 1]);
    const size_t end = at + word.size();
    if (starts && (!in_word(word.back()) || end >= line.size() || !in_word(line[end]))) return true;
  }
  return false;
}

TEST(Tidy, SawTheSource) { EXPECT_GT(files().size(), 20U); }

TEST(Tidy, EveryExemptionNamesAFile) {
  for (const Exemption& e : kExemptions) {
    EXPECT_TRUE(fs::exists(fs::path(COFF_SOURCE_DIR) / e.path)) << e.path;
    EXPECT_TRUE(e.reason.ends_with('.')) << e.path;
  }
}

TEST(Tidy, FilesFitASittingAndLinesFitAScreen) {
  for (const SourceFile& file : files()) {
    if (!is_code(file.path)) continue;
    if (!exempt(file.path, "length")) {
      EXPECT_LE(file.lines.size(), kFileLinesMax) << file.path << " is too long: split it by noun";
    }
    if (exempt(file.path, "columns")) continue;
    for (size_t i = 0; i < file.lines.size(); ++i) {
      if (has_long_word(file.lines[i])) continue;
      EXPECT_LE(columns(file.lines[i]), kLineColumnsMax) << file.path << ":" << i + 1;
    }
  }
}

TEST(Tidy, EveryFileSaysWhatItIsFor) {
  for (const SourceFile& file : files()) {
    if (!is_code(file.path) || file.lines.empty()) continue;
    size_t line = file.lines[0].find("SPDX") == std::string::npos ? 0 : 1;
    std::string first;  // The whole first comment: a sentence may take two lines.
    for (; line < file.lines.size() && first.size() < 400; ++line) {
      const std::string& text = file.lines[line];
      if (!text.starts_with("//") && !text.starts_with("/*") && !text.starts_with(" *")) break;
      first += text + ' ';
    }
    EXPECT_TRUE(first.starts_with("// ") || first.starts_with("/* "))
        << file.path << ": the first line must be a comment that says what the file is for";
    EXPECT_NE(first.find_first_of(".:?"), std::string::npos)
        << file.path << ": the first comment must be a sentence";
  }
}

/// A word that may not stand in code, and what to use instead.
struct Banned {
  std::string_view word;
  std::string_view instead;
};
constexpr Banned kBannedInCode[] = {
    {"std::regex", "hand-written matching or RE2: std::regex is not linear in time"},
    {"strcpy", "std::string"},
    {"strcat", "std::string"},
    {"sprintf", "fmt::format or std::snprintf"},
    {"vsprintf", "fmt::format or std::vsnprintf"},
    {"gets", "base/fd.hpp"},
    {"system(", "posix_spawn with an argument list: a shell must never see outside text"},
    {"popen(", "posix_spawn with an argument list: a shell must never see outside text"},
    {"atoi", "std::from_chars, which reports errors"},
    {"rand(", "getrandom or a seeded generator"},
    {"using namespace std;", "qualified names"},
};
constexpr Banned kBannedInSrc[] = {
    {"throw", "Result and fail(); guard() wraps libraries that throw"},
    {"std::cout", "std::fputs or std::printf"},
    {"std::cerr", "base/log.hpp"},
};
constexpr Banned kBannedAnywhere[] = {
    {"TODO", "do it, or leave it out"},
    {"FIXME", "fix it"},
    {"XXX", "say what is wrong"},
    {"/work/", "a path relative to the source"},
    {"/tmp/s/", "a path of this run's own"},
};

TEST(Tidy, NoBannedWords) {
  for (const SourceFile& file : files()) {
    if (exempt(file.path, "banned")) continue;
    const auto check = [&](const std::vector<std::string>& lines, const auto& list) {
      for (size_t i = 0; i < lines.size(); ++i) {
        for (const Banned& banned : list) {
          EXPECT_FALSE(has_word(lines[i], banned.word))
              << file.path << ":" << i + 1 << ": instead of " << banned.word << " use "
              << banned.instead;
        }
      }
    };
    check(file.lines, kBannedAnywhere);
    if (!is_code(file.path)) continue;
    std::vector<std::string> code;
    std::istringstream stream(code_only(file.text));
    for (std::string line; std::getline(stream, line);) code.push_back(line);
    check(code, kBannedInCode);
    if (file.path.starts_with("src/")) check(code, kBannedInSrc);
  }
}

/// Rooms in the order of src/CMakeLists.txt, each with the rooms it may include.
std::vector<std::pair<std::string, std::set<std::string>>> rooms() {
  std::vector<std::pair<std::string, std::set<std::string>>> found;
  const auto text = read_file(COFF_SOURCE_DIR "/src/CMakeLists.txt", kFileBytesMax);
  if (!text) return found;
  constexpr std::string_view kCall = "\ncoff_room(";
  const std::string lines = '\n' + *text;
  for (size_t at = lines.find(kCall); at != lines.npos; at = lines.find(kCall, at + 1)) {
    const size_t begin = at + kCall.size();
    std::istringstream words(lines.substr(begin, lines.find(')', begin) - begin));
    std::string name;
    words >> name;
    std::set<std::string> below = {name};
    bool in_deps = false;
    for (std::string word; words >> word;) {
      if (word == "DEPS" || word == "LIBS") in_deps = word == "DEPS";
      else if (in_deps) below.insert(word);
    }
    found.emplace_back(name, below);
  }
  return found;
}

TEST(Tidy, RoomsDependOnlyOnRoomsBelow) {
  std::set<std::string> below;
  for (const auto& [name, uses] : rooms()) {
    below.insert(name);
    for (const std::string& used : uses) {
      EXPECT_TRUE(below.contains(used)) << name << " uses " << used << ", which comes later";
    }
  }
  EXPECT_GE(below.size(), 5U);
}

TEST(Tidy, IncludesFollowTheRooms) {
  std::map<std::string, std::set<std::string>> allowed;
  for (const auto& [name, uses] : rooms()) allowed[name] = uses;
  size_t checked = 0;
  for (const SourceFile& file : files()) {
    if (!file.path.starts_with("src/") || !is_code(file.path)) continue;
    const std::string inner = file.path.substr(4);
    if (inner.find('/') == std::string::npos) continue;  // main.cpp sees everything.
    const std::string room = inner.substr(0, inner.find('/'));
    ASSERT_TRUE(allowed.contains(room)) << room << " is not named in src/CMakeLists.txt";
    for (const std::string& line : file.lines) {
      constexpr std::string_view kInclude = "#include \"";
      if (!line.starts_with(kInclude)) continue;
      const std::string target = line.substr(kInclude.size());
      const std::string used = target.substr(0, target.find('/'));
      // What the build generates has no room in its name.
      const bool generated = target.find('/') == target.npos &&
                             (target.ends_with(".skel.h\"") || target.ends_with(".inc\""));
      const bool support = file.path.ends_with("_test.cpp") && used == "tests";
      EXPECT_TRUE(used == "bpf" || generated || support || allowed[room].contains(used))
          << file.path << ": room " << room << " must not include " << target;
      ++checked;
    }
  }
  EXPECT_GT(checked, 10U);
}

TEST(Tidy, EveryRoomHasAShortReadme) {
  for (const auto& [name, uses] : rooms()) {
    if (!fs::exists(fs::path(COFF_SOURCE_DIR) / "src" / name)) continue;
    const std::string path = "src/" + name + "/README.md";
    const auto found = std::ranges::find(files(), path, &SourceFile::path);
    if (found == files().end()) {
      ADD_FAILURE() << path << " is missing: what the room is, promises, and never does";
      continue;
    }
    EXPECT_LE(found->lines.size(), kReadmeLinesMax) << path;
  }
}

TEST(Tidy, SeesThroughLiteralsAndComments) {
  EXPECT_EQ(code_only("a // throw\nb"), "a         \nb");
  EXPECT_FALSE(has_word(code_only("x(\"throw \\\" throw\");"), "throw"));
  EXPECT_FALSE(has_word(code_only("R\"(throw \" throw)\""), "throw"));
  EXPECT_TRUE(has_word(code_only("if (a == 1'000) throw x;"), "throw"));
  EXPECT_TRUE(has_word("std::system(a)", "system("));
  EXPECT_FALSE(has_word("file_system(a)", "system("));
  EXPECT_EQ(columns("\té"), 9U);
}

}  // namespace
}  // namespace coff
