// Rule sets over events: official rules on events that must and must not match, outputs, counts.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <random>

#include "rules/rule_set.hpp"
#include "rules/testing/ask.hpp"
#include "rules/testing/load.hpp"
#include "rules/testing/vectors.hpp"
#include "schema/testing/sample_events.hpp"

namespace coff::rules {
namespace {

using schema::Subject;
using schema::testing::RecordBuilder;
using testing::load;

std::string rule(std::string_view name, std::string_view condition, std::string_view output) {
  return "- rule: " + std::string(name) + "\n  desc: d\n  priority: WARNING\n  tags: [b, a]\n" +
         "  condition: " + std::string(condition) + "\n  output: " + std::string(output) + "\n";
}

std::set<std::string> names(Evaluator& evaluator, const RuleSet& set, const Event& event) {
  std::set<std::string> found;
  const Subject subject{.event = event, .number = 1, .host = "box"};
  for (const std::uint32_t at : evaluator.matches(subject)) {
    found.insert(set.rules()[at]->name);
    EXPECT_FALSE(evaluator.finding(at).output.empty());
  }
  return found;
}

Event open_event(std::string_view path, std::uint32_t flags, std::string_view program,
                 bool container = true) {
  RecordBuilder builder(COFF_KIND_open);
  builder.file().open_flags = flags;
  builder.file().fd = 5;
  builder.header().ret = 5;
  builder.header().syscall = SYS_openat;
  builder.text(&coff_file::raw, path);
  Event event = schema::testing::sample_event(builder);
  Process process = *event.process;
  process.name = program;
  if (!container) process.container = event.container = nullptr;
  event.process = std::make_shared<const Process>(std::move(process));
  return event;
}

TEST(Evaluator, FindsWithTheWordsOfTheRule) {
  const auto set = load(rule("r", "evt.type = openat",
                             "'*%proc.name opened %fd.name. %10fd.num|%2evt.type "
                             "%toupper(proc.name) %user.shell'"));
  Evaluator evaluator(set);
  const Event event = open_event("/etc/shadow", O_RDONLY, "cat");
  const auto matches = evaluator.matches({.event = event, .number = 1});
  ASSERT_EQ(matches.size(), 1U);
  const Finding finding = evaluator.finding(matches[0]);
  EXPECT_EQ(finding.output, "cat opened /etc/shadow. 5         |op CAT <NA>");
  EXPECT_EQ(finding.tags, (std::vector<std::string>{"a", "b"}));
  ASSERT_EQ(finding.fields.size(), 5U);
  EXPECT_EQ(finding.fields[1].name, "fd.name");
  const std::string json = falco_json(finding, "box");
  EXPECT_NE(json.find("\"fd.num\":5"), std::string::npos) << json;
  EXPECT_NE(json.find("\"user.shell\":null"), std::string::npos) << json;
  EXPECT_NE(json.find("\"priority\":\"Warning\""), std::string::npos) << json;
  const std::vector<RuleCount> counts = evaluator.counts();
  EXPECT_EQ(counts[0].matched, 1U);
  EXPECT_EQ(counts[0].evaluated, 1U);
}

TEST(Evaluator, RefusesOutputsThatEndInNothing) {
  for (const char* output : {"'100%'", "'%5'", "'%no.such'", "'%fd.net'", "'%'"}) {
    Loader loader;
    loader.add("test.yaml", rule("r", "evt.type = open", output));
    EXPECT_FALSE(loader.finish().ok()) << output;
  }
}

TEST(Evaluator, AllMatchUnlessTheFirstIsEnough) {
  const auto set = load(rule("a", "evt.type = openat", "o") + rule("b", "fd.num >= 0", "o") +
                        rule("c", "proc.name = none", "o"));
  const Event event = open_event("/x", O_RDONLY, "cat");
  Evaluator all(set);
  EXPECT_EQ(all.matches({.event = event, .number = 1}).size(), 2U);
  Evaluator first(set, Evaluator::Matching::kFirst);
  EXPECT_EQ(first.matches({.event = event, .number = 1}).size(), 1U);
}

TEST(Evaluator, AnEngineEventIsOfTypeContainer) {
  const auto set = load(rule("a", "evt.type = container and container.name = web", "o"));
  Event event = open_event("/x", O_RDONLY, "cat");
  event.kind = Kind::container_start;
  event.syscall = -1;
  event.process = nullptr;
  event.detail = ContainerInfo{};
  Evaluator evaluator(set);
  EXPECT_EQ(evaluator.matches({.event = event, .number = 1}).size(), 1U);
  event.kind = Kind::container_stop;
  EXPECT_EQ(evaluator.matches({.event = event, .number = 2}).size(), 0U);
}

// The folded, reordered and indexed form against the condition as it is written.
TEST(Evaluator, AgreesWithThePlainConditions) {
  const std::string values[] = {"cat", "sh", "bash", "c", "at", "nginx", "/etc/x", "/etc", "x"};
  const std::string fields[] = {"proc.name", "fd.name", "proc.pname", "evt.type", "proc.cmdline"};
  const std::string ops[] = {"=", "!=", "contains", "startswith", "endswith", "icontains"};
  const std::string types[] = {"openat", "open", "execve"};
  std::mt19937 random(11);
  const auto pick = [&](const auto& list) { return list[random() % std::size(list)]; };
  const auto check = [&]() -> std::string {
    if (random() % 4 == 0) return "evt.type in (" + pick(types) + ", " + pick(types) + ")";
    if (random() % 5 == 0) return "container.id != host";
    if (random() % 5 == 0) return "evt.is_open_write = true";
    const std::string field = pick(fields);
    if (field == "evt.type") return field + " != " + pick(types);
    return field + ' ' + pick(ops) + ' ' + pick(values);
  };
  const auto condition = [&](const auto& self, int depth) -> std::string {
    if (depth == 0) return check();
    const std::string a = self(self, depth - 1);
    if (random() % 4 == 0) return "not (" + a + ")";
    return "(" + a + (random() % 2 == 0 ? " and " : " or ") + self(self, depth - 1) + ")";
  };
  std::vector<std::string> conditions;
  std::string text;
  for (int i = 0; i < 120; ++i) {
    conditions.push_back(condition(condition, 4));
    text += rule("r" + std::to_string(i), conditions.back(), "o");
  }
  const auto set = load(text);
  Evaluator evaluator(set);
  size_t held = 0;
  for (int i = 0; i < 60; ++i) {
    const Event event = open_event(pick(values), random() % 2 == 0 ? O_RDONLY : O_RDWR,
                                   pick(values), random() % 2 == 0);
    const std::set<std::string> found = names(evaluator, *set, event);
    for (size_t at = 0; at < conditions.size(); ++at) {
      const bool wanted = testing::holds_for(event, conditions[at]);
      EXPECT_EQ(found.contains("r" + std::to_string(at)), wanted) << conditions[at];
      held += wanted ? 1U : 0U;
    }
  }
  EXPECT_GT(held, 500U);
}

std::shared_ptr<const RuleSet> official() {
  Loader loader({.selections = {{.rule = "*", .tag = "", .enable = true}},
                 .append_output = {},
                 .extra_fields = {}});
  for (const char* file : {"falco_rules.yaml", "falco-incubating_rules.yaml",
                           "falco-sandbox_rules.yaml", "archive/falco-deprecated_rules.yaml"}) {
    auto text = testing::read_data(std::string("falco-rules/") + file);
    if (!text) return nullptr;
    loader.add(file, std::move(*text));
  }
  return loader.finish().rules;
}

TEST(Evaluator, OfficialRulesMatchWhatTheyDescribe) {
  const auto set = official();
  if (set == nullptr) {
    if (testing::data_required()) FAIL() << "the official rules are missing";
    GTEST_SKIP() << "the official rules are not there";
  }
  Evaluator evaluator(set);
  const auto found = [&](const Event& event) { return names(evaluator, *set, event); };
  EXPECT_TRUE(
      found(open_event("/etc/shadow", O_RDONLY, "cat")).contains("Read sensitive file untrusted"));
  EXPECT_FALSE(
      found(open_event("/etc/passwd", O_RDONLY, "cat")).contains("Read sensitive file untrusted"));
  EXPECT_TRUE(found(open_event("/bin/x", O_WRONLY, "cat")).contains("Write below binary dir"));
  EXPECT_TRUE(found(open_event("/etc/x", O_RDWR, "cat")).contains("Write below etc"));
  EXPECT_FALSE(found(open_event("/etc/x", O_RDONLY, "cat")).contains("Write below etc"));
  Event drop = schema::testing::sample_exec();
  coff::Program program = *drop.process->program;
  program.exe_flags |= COFF_EXE_UPPER;
  Process process = *drop.process;
  process.program = std::make_shared<const coff::Program>(program);
  drop.process = std::make_shared<const Process>(process);
  EXPECT_TRUE(found(drop).contains("Drop and execute new binary in container"));
  EXPECT_FALSE(
      found(schema::testing::sample_exec()).contains("Drop and execute new binary in container"));
  RecordBuilder unlink(COFF_KIND_unlink);
  unlink.header().syscall = SYS_unlinkat;
  unlink.text(&coff_file::raw, "/root/.bash_history");
  EXPECT_TRUE(
      found(schema::testing::sample_event(unlink)).contains("Delete or rename shell history"));
  RecordBuilder packet(COFF_KIND_socket);
  packet.header().syscall = SYS_socket;
  packet.sock().family = AF_PACKET;
  packet.sock().type = SOCK_RAW;
  EXPECT_TRUE(
      found(schema::testing::sample_event(packet)).contains("Packet socket created in container"));
}

}  // namespace
}  // namespace coff::rules
