// Finds secrets in arguments and environments by the names they are given under.
#include "schema/redact.hpp"

#include <algorithm>
#include <utility>

#include "schema/redact_names.hpp"

namespace coff::schema {

namespace {

constexpr std::string_view kBlanks = " \t\r\n";
// Where a word of a shell command line ends.
constexpr std::string_view kWordEnds = " \t\r\n;&|()<>\"'`";

// A short option whose value is a secret, by program.
struct ProgramOption {
  std::string_view program;
  std::string_view option;
  bool joined;       // -pVALUE
  bool separate;     // -p VALUE
  bool after_colon;  // The value is user:secret.
};
// clang-format off
constexpr ProgramOption kProgramOptions[] = {
    {"curl", "--user", false, true, true},
    {"curl", "-u", true, true, true},
    {"ldapadd", "-w", true, true, false},
    {"ldapmodify", "-w", true, true, false},
    {"ldapsearch", "-w", true, true, false},
    {"mariadb", "-p", true, false, false},
    {"mariadb-admin", "-p", true, false, false},
    {"mariadb-dump", "-p", true, false, false},
    {"mongo", "-p", true, true, false},
    {"mongodump", "-p", true, true, false},
    {"mongosh", "-p", true, true, false},
    {"mysql", "-p", true, false, false},
    {"mysqladmin", "-p", true, false, false},
    {"mysqlcheck", "-p", true, false, false},
    {"mysqldump", "-p", true, false, false},
    {"mysqlimport", "-p", true, false, false},
    {"redis-cli", "-a", true, true, false},
    {"sqlcmd", "-P", true, true, false},
    {"sshpass", "-p", true, true, false}};
// clang-format on

std::span<const ProgramOption> options_of(std::string_view word) {
  const std::string_view name = word.substr(word.rfind('/') + 1);
  const auto* begin = std::find_if(std::begin(kProgramOptions), std::end(kProgramOptions),
                                   [&](const ProgramOption& each) { return each.program == name; });
  const auto* end =
      std::find_if_not(begin, std::end(kProgramOptions),
                       [&](const ProgramOption& each) { return each.program == name; });
  return {begin, end};
}

using PairTest = std::function<bool(std::string_view name, std::string_view value)>;

// Walks the words of one command and finds values by the program, names and options before them.
class Walker {
 public:
  explicit Walker(const PairTest& is_secret) : is_secret_(is_secret) {}

  // True when the last word was an option that may take the next one as its value.
  [[nodiscard]] bool expects_value() const { return !option_.empty(); }

  // Looks at the next word, which starts `base` bytes into the text that `found` speaks of.
  void word(std::string_view word, size_t base, std::vector<Secret>& found) {
    const std::string_view option = std::exchange(option_, {});
    const bool after_colon = std::exchange(after_colon_, false);
    if (!option.empty() && !word.starts_with('-')) {
      if (after_colon) return add_after_colon(word, base, 0, found);
      if (is_secret_(option, word)) return found.push_back({base, word.size()});
      // "-e NAME=value", but not a command line behind "-c".
      const size_t name_end = word.find('=');
      if (name_end == std::string_view::npos || word.find_first_of(kBlanks) < name_end) return;
    }
    const auto options = options_of(word);
    if (!options.empty()) options_ = options;
    if (program_option(word, base, found)) return;
    const size_t name_begin = word.find_first_not_of('-');
    if (name_begin == std::string_view::npos) return;
    const size_t equals = word.find('=');
    if (equals != std::string_view::npos && equals > name_begin) {
      const std::string_view value = word.substr(equals + 1);
      if (is_secret_(word.substr(name_begin, equals - name_begin), value)) {
        found.push_back({base + equals + 1, value.size()});
      }
    } else if (name_begin > 0) {
      option_ = word.substr(name_begin);
    }
  }

 private:
  static void add_after_colon(std::string_view word, size_t base, size_t from,
                              std::vector<Secret>& found) {
    const size_t colon = word.find(':', from);
    if (colon == std::string_view::npos || colon + 1 == word.size()) return;
    found.push_back({base + colon + 1, word.size() - colon - 1});
  }

  bool program_option(std::string_view word, size_t base, std::vector<Secret>& found) {
    for (const ProgramOption& each : options_) {
      if (!word.starts_with(each.option)) continue;
      const size_t size = each.option.size();
      if (word.size() == size) {
        if (!each.separate) continue;
        option_ = "password";
        after_colon_ = each.after_colon;
        return true;
      }
      if (!each.joined) continue;
      if (each.after_colon) add_after_colon(word, base, size, found);
      else found.push_back({base + size, word.size() - size});
      return true;
    }
    return false;
  }

  const PairTest& is_secret_;
  std::string_view option_;
  bool after_colon_ = false;
  std::span<const ProgramOption> options_;
};

bool is_header_name(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '-' || byte == '_';
  });
}

// "Authorization: Bearer x", "X-Api-Key: x".
void find_header(std::string_view text, size_t base, const PairTest& is_secret,
                 std::vector<Secret>& found) {
  constexpr size_t kHeaderMax = 64;
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon > kHeaderMax) return;
  const std::string_view name = text.substr(0, colon);
  size_t value = text.find_first_not_of(kBlanks, colon + 1);
  if (value == std::string_view::npos || !is_header_name(name)) return;
  const size_t end = text.find_last_not_of(kBlanks) + 1;
  if (equal_names(name, "authorization") || equal_names(name, "proxy-authorization")) {
    // The scheme ("Bearer", "Basic") stays readable.
    const size_t blank = text.find_first_of(kBlanks, value);
    if (blank < end) value = text.find_first_not_of(kBlanks, blank);
    found.push_back({base + value, end - value});
  } else if (is_secret(name, text.substr(value, end - value))) {
    found.push_back({base + value, end - value});
  }
}

// A command line within one argument: its words, and its quoted parts as headers.
void find_in_line(std::string_view line, const PairTest& is_secret, std::vector<Secret>& found) {
  Walker walker(is_secret);
  for (size_t begin = line.find_first_not_of(kWordEnds); begin != std::string_view::npos;) {
    const size_t end = std::min(line.find_first_of(kWordEnds, begin), line.size());
    walker.word(line.substr(begin, end - begin), begin, found);
    begin = line.find_first_not_of(kWordEnds, end);
  }
  for (size_t quote = line.find_first_of("\"'"); quote != std::string_view::npos;) {
    const size_t close = line.find(line[quote], quote + 1);
    if (close == std::string_view::npos) break;
    find_header(line.substr(quote + 1, close - quote - 1), quote + 1, is_secret, found);
    quote = line.find_first_of("\"'", close + 1);
  }
}

void find_in_word(std::string_view text, Walker& walker, const PairTest& is_secret,
                  std::vector<Secret>& found) {
  const size_t blank = text.find_first_of(kBlanks);
  const bool is_line = blank != std::string_view::npos;
  // "--password=two words" and a value of two words after an option are no command lines.
  const bool is_value = walker.expects_value() || text.find('=') < blank;
  walker.word(is_line && !is_value ? std::string_view{} : text, 0, found);
  if (is_line && found.empty()) find_in_line(text, is_secret, found);
  find_header(text, 0, is_secret, found);
  const std::vector<Secret> by_content = find_by_content(text);
  found.insert(found.end(), by_content.begin(), by_content.end());
}

// Sorted and disjoint: overlapping finds become one.
std::vector<Secret> merged(std::vector<Secret> found) {
  std::sort(found.begin(), found.end(),
            [](const Secret& a, const Secret& b) { return a.begin < b.begin; });
  std::vector<Secret> result;
  for (const Secret& each : found) {
    if (each.size == 0) continue;
    if (!result.empty() && each.begin < result.back().begin + result.back().size) {
      const size_t end = std::max(result.back().begin + result.back().size, each.begin + each.size);
      result.back().size = end - result.back().begin;
    } else {
      result.push_back(each);
    }
  }
  return result;
}

bool matches_any(const std::vector<std::string>& patterns, std::string_view name) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& each) { return matches_pattern(each, name); });
}

}  // namespace

std::string replace_secrets(std::string_view text, std::span<const Secret> secrets,
                            const Commit& commit) {
  std::string result;
  size_t at = 0;
  for (const Secret& each : secrets) {
    result += text.substr(at, each.begin - at);
    result += commit(text.substr(each.begin, each.size));
    at = each.begin + each.size;
  }
  result += text.substr(at);
  return result;
}

bool Redactor::secret_pair(std::string_view name, std::string_view value) const {
  if (is_harmless_value(value) || matches_any(rules_.public_names, name)) return false;
  return matches_any(rules_.secret_names, name) || is_secret_by_name(name, value);
}

std::vector<std::string> Redactor::redact_arguments(std::span<const std::string> argv,
                                                    const Commit& commit) const {
  const PairTest is_secret = [this](std::string_view name, std::string_view value) {
    return secret_pair(name, value);
  };
  Walker walker(is_secret);
  std::vector<std::string> result;
  result.reserve(argv.size());
  std::vector<Secret> found;
  for (const std::string& each : argv) {
    found.clear();
    find_in_word(each, walker, is_secret, found);
    result.push_back(found.empty() ? each : replace_secrets(each, merged(found), commit));
  }
  return result;
}

std::string Redactor::redact_text(std::string_view text, const Commit& commit) const {
  return redact_arguments(std::vector<std::string>{std::string(text)}, commit).front();
}

std::vector<std::string> Redactor::redact_environment(std::span<const std::string> env,
                                                      const Commit& commit) const {
  std::vector<std::string> result;
  result.reserve(env.size());
  for (const std::string_view each : env) {
    const size_t equals = std::min(each.find('='), each.size());
    const std::string_view value = each.substr(std::min(equals + 1, each.size()));
    std::vector<Secret> found;
    if (secret_pair(each.substr(0, equals), value)) found = {{equals + 1, value.size()}};
    else found = find_by_content(each);
    result.push_back(replace_secrets(each, found, commit));
  }
  return result;
}

}  // namespace coff::schema
