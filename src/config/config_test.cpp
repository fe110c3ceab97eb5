// The configuration file: defaults, strictness, messages, round trips, the shipped file.
#include "config/config.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <filesystem>

#include "base/fd.hpp"
#include "config/settings.hpp"

namespace coff::config {
namespace {

std::vector<Problem> problems_of(std::string_view text) {
  return parse_config(text, "test.yaml").problems;
}

/// The messages joined, for one comparison.
std::string messages(std::string_view text) {
  std::string all;
  for (const Problem& p : problems_of(text)) {
    all += std::to_string(p.line) + ':' + std::to_string(p.column) + ' ' + p.message + '\n';
  }
  return all;
}

TEST(Config, EmptyFilesGiveTheDefaults) {
  for (const char* text : {"", "\n", "# nothing\n", "---\n", "sensor:\ntrail:\n"}) {
    const Parsed parsed = parse_config(text, "test.yaml");
    EXPECT_TRUE(parsed.problems.empty()) << text << messages(text);
    EXPECT_EQ(parsed.config, Config()) << text;
  }
}

TEST(Config, ReadsValues) {
  const Parsed parsed = parse_config(
      "host: {name: web-1}\n"
      "log_level: debug\n"
      "engines: [/run/docker.sock]\n"
      "sensor:\n  ring_files_mib: 64\n  environment: [PATH]\n"
      "trail:\n  retention_days: 30\n  witnesses:\n"
      "    - url: https://witness.example/\n"
      "      vkey: w.example+0a1b2c3d+BAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g\n"
      "control: {mode: 0600}\n"
      "roles:\n  auditor: {users: [ann, '1001'], may: [see, audit]}\n",
      "test.yaml");
  ASSERT_TRUE(parsed.problems.empty()) << to_text(parsed.problems[0]);
  const Config& config = parsed.config;
  EXPECT_EQ(config.host.name, "web-1");
  EXPECT_EQ(config.log_level, LogLevel::kDebug);
  EXPECT_EQ(config.engine_sockets(), std::vector<std::string>{"/run/docker.sock"});
  EXPECT_EQ(config.sensor.ring_files_mib, 64U);
  EXPECT_EQ(config.sensor.ring_network_mib, Config().sensor.ring_network_mib);
  EXPECT_EQ(config.trail.witnesses.at(0).url, "https://witness.example/");
  EXPECT_EQ(config.control.mode, 0600U);
  EXPECT_EQ(config.roles.auditor.users, (std::vector<std::string>{"ann", "1001"}));
  EXPECT_EQ(config.trail_dir(), "/var/lib/cofferdam/trail");
  EXPECT_EQ(config.control_socket(), "/run/cofferdam/control.sock");
}

TEST(Config, ReportsEveryProblemWithItsPlace) {
  EXPECT_EQ(messages("sensor:\n"
                     "  ring_file_mib: 8\n"
                     "  ring_files_mib: 9\n"
                     "  env_bytes_max: lots\n"
                     "data_dir: relative\n"
                     "data_dir: /twice\n"
                     "log_level: warn\n"
                     "engines: /run/docker.sock\n"),
            "2:3 unknown key \"ring_file_mib\" in sensor; did you mean ring_files_mib?\n"
            "3:19 sensor.ring_files_mib is 9, but must be a power of two from 1 to 512\n"
            "4:18 sensor.env_bytes_max must be a whole number from 0 to 8192, not \"lots\"\n"
            "5:11 data_dir \"relative\" must be an absolute path\n"
            "6:1 \"data_dir\" stands twice in the file\n"
            "7:12 log_level cannot be \"warn\": one of error, warning, info, debug; did you mean "
            "warning?\n"
            "8:10 engines must be a list, not text\n");
}

TEST(Config, RefusesWhatIsNotMeant) {
  for (const char* bad : {"sensor: []",
                          "trail: {retention_days: -1}",
                          "trail: {retention_days: 1.5}",
                          "trail: {retention_days: '30'}",
                          "trail: {retention_days: 99999999999999999999}",
                          "trail: {batch_ms: 0}",
                          "trail: {witnesses: [{url: https://a}]}",
                          "trail: {witnesses: [{url: ftp://a, vkey: x}]}",
                          "control: {mode: 0666}",
                          "control: {mode: rw}",
                          "roles: {admin: {may: [everything]}}",
                          "roles: {owner: {}}",
                          "host: {name: 'a b'}",
                          "data_dir: /a/../b",
                          "data_dir: \"/a\\0b\"",
                          "engines: [[/a]]",
                          "engines: [/a, /a]",
                          "engines: [unix:///run/docker.sock]",
                          "run_dir: ~",
                          "profile: {base: maximal}",
                          "profile: {clauses: [{events: [exec]}]}",
                          "profile: {clauses: [{reason: x}]}",
                          "profile: {clauses: [{reason: x, events: [exec], open: [read]}]}",
                          "profile: {clauses: [{reason: x, events: [open], path: {}}]}",
                          "profile: {clauses: [{reason: x, events: [open], path: {prefix: ['']}}]}",
                          "- a",
                          "text",
                          "? [a, b]\n: c",
                          "a: &x b",
                          "a: *x",
                          "a: !!str b",
                          "{a: 1",
                          "a:\n\t- b",
                          "---\n---\na: 1\n",
                          "a: \x01",
                          "a: \xff",
                          "sensor: {argv_bytes_max: 0x400}"}) {
    EXPECT_FALSE(problems_of(bad).empty()) << bad;
  }
}

TEST(Config, RefusesBombs) {
  EXPECT_FALSE(problems_of(std::string(kFileBytesMax + 1, ' ')).empty());
  EXPECT_FALSE(problems_of(std::string(100000, '[')).empty());
  const size_t depth = YamlLimits{}.depth_max + 1;
  EXPECT_FALSE(problems_of(std::string(depth, '[') + std::string(depth, ']')).empty());
  std::string wide = "engines: [";
  for (size_t i = 0; i < YamlLimits{}.nodes_max + 1; ++i) wide += "a,";
  EXPECT_FALSE(problems_of(wide + "a]").empty());
  const std::string laughs =
      "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
      "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n";
  EXPECT_NE(messages(laughs).find("aliases are not supported"), std::string::npos);
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "x" + std::to_string(i) + ": 1\n";
  EXPECT_EQ(problems_of(many).size(), 100U);
}

TEST(Config, CaretsStandBelowTheirPlace) {
  const auto problems = problems_of("host:\n  näme: x\nsensor: {env_bytes_max: é}\n");
  ASSERT_EQ(problems.size(), 2U);
  EXPECT_EQ(to_text(problems[0]),
            "test.yaml:2:3: unknown key \"näme\" in host; did you mean name?\n"
            "  2 |   näme: x\n"
            "    |   ^\n");
  EXPECT_EQ(to_text(problems[1]),
            "test.yaml:3:25: sensor.env_bytes_max must be a whole number from 0 to 8192, not "
            "\"é\"\n"
            "  3 | sensor: {env_bytes_max: é}\n"
            "    |                         ^\n");
  const auto json = boost::json::parse(to_json(problems[1])).as_object();
  EXPECT_EQ(json.at("line").as_int64(), 3);
  EXPECT_EQ(json.at("column").as_int64(), 25);
}

TEST(Config, MessagesCannotInjectTheTerminal) {
  const auto problems = problems_of("\"\\e[31m\\n\": 1\n");
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(to_text(problems[0]).find('\x1b'), std::string::npos);
}

TEST(Config, DefaultsRoundTrip) {
  const Config defaults;
  const Parsed parsed = parse_config(to_yaml(defaults), "default");
  ASSERT_TRUE(parsed.problems.empty()) << to_text(parsed.problems[0]);
  EXPECT_EQ(parsed.config, defaults);
}

TEST(Config, DiffNamesWhatChanged) {
  Config changed;
  changed.trail.retention_days = 7;
  changed.roles.admin.users.emplace_back("ann");
  const auto changes = diff(Config(), changed);
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_EQ(changes[0].name, "trail.retention_days");
  EXPECT_EQ(changes[0].before, "0");
  EXPECT_EQ(changes[0].after, "7");
  EXPECT_EQ(changes[1].name, "roles.admin");
  EXPECT_TRUE(diff(changed, changed).empty());
}

TEST(Config, LoadsFilesAndForgivesOnlyTheDefaultOne) {
  EXPECT_EQ(load_config("/nonexistent/cofferdam.yaml").error().code, Code::kNotFound);
  const std::string path = std::filesystem::temp_directory_path() / "cofferdam-config-test.yaml";
  ASSERT_TRUE(replace_file(path, "log_level: loud\n"));
  const auto loaded = load_config(path);
  ASSERT_FALSE(loaded.has_value());
  EXPECT_EQ(loaded.error().code, Code::kInvalid);
  EXPECT_NE(loaded.error().what.find(":1:12: log_level cannot be \"loud\""), std::string::npos);
  std::filesystem::remove(path);
}

TEST(Config, EverySettingIsDocumented) {
  EXPECT_GT(settings().size(), 25U);
  for (const Setting& setting : settings()) {
    EXPECT_TRUE(setting.doc.ends_with('.')) << setting.name;
    EXPECT_FALSE(setting.limits.empty()) << setting.name;
  }
}

/// Compares a committed file with what it is generated from; COFF_UPDATE=1 rewrites it.
void expect_file(const std::string& path, const std::string& expected) {
  if (std::getenv("COFF_UPDATE") != nullptr) {
    ASSERT_TRUE(replace_file(path, expected));
  }
  const auto found = read_file(path, kFileBytesMax);
  ASSERT_TRUE(found.has_value()) << found.error().message();
  EXPECT_EQ(*found, expected) << path << " is stale: run the test with COFF_UPDATE=1";
}

TEST(Config, ShippedFileShowsTheDefaults) {
  const std::string shipped = default_yaml();
  expect_file(COFF_SOURCE_DIR "/packaging/cofferdam.yaml", shipped);
  EXPECT_TRUE(problems_of(shipped).empty());
  std::string active;  // Comments are "# text"; a setting that is commented out is "#key".
  for (size_t i = 0; i < shipped.size(); ++i) {
    const bool setting = shipped[i] == '#' && i + 1 < shipped.size() && shipped[i + 1] != ' ';
    if (!setting) active += shipped[i];
  }
  const Parsed parsed = parse_config(active, "active");
  ASSERT_TRUE(parsed.problems.empty()) << to_text(parsed.problems[0]);
  EXPECT_EQ(parsed.config, Config());
}

TEST(Config, ReferenceIsCurrent) {
  const std::string path = COFF_SOURCE_DIR "/docs/formats/configuration.md";
  const auto text = read_file(path, kFileBytesMax);
  ASSERT_TRUE(text.has_value()) << text.error().message();
  constexpr std::string_view kBegin = "<!-- generated: reference -->\n";
  constexpr std::string_view kEnd = "<!-- end -->";
  const size_t begin = text->find(kBegin);
  const size_t end = text->find(kEnd);
  ASSERT_NE(begin, std::string::npos);
  ASSERT_NE(end, std::string::npos);
  expect_file(path,
              text->substr(0, begin + kBegin.size()) + reference_markdown() + text->substr(end));
}

}  // namespace
}  // namespace coff::config
