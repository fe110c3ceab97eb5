// Unit tests of rules: a YAML file beside the rule file says which events must be found.
#include "rules/rule_tests.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <filesystem>
#include <set>

#include "base/fd.hpp"
#include "base/yaml.hpp"
#include "schema/event_read.hpp"

namespace coff::rules {

namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr size_t kTestsMax = 10'000;
constexpr YamlLimits kYamlLimits = {.depth_max = 32, .nodes_max = 500'000, .foreign = true};

json::value to_json(const YamlNode& node) {
  switch (node.type) {
    case YamlNode::Type::kNull: return nullptr;
    case YamlNode::Type::kSequence: {
      json::array list;
      for (const YamlNode& item : node.items) list.push_back(to_json(item));
      return list;
    }
    case YamlNode::Type::kMapping: {
      json::object object;
      for (size_t at = 0; at < node.keys.size(); ++at) {
        object[node.keys[at].scalar] = to_json(node.items[at]);
      }
      return object;
    }
    case YamlNode::Type::kScalar: break;
  }
  if (node.plain && (node.scalar == "true" || node.scalar == "false")) return node.scalar == "true";
  std::int64_t number = 0;
  const char* const end = node.scalar.data() + node.scalar.size();
  const auto [stop, problem] = std::from_chars(node.scalar.data(), end, number);
  if (node.plain && problem == std::errc() && stop == end) return number;
  return json::string(node.scalar);
}

class Run {
 public:
  explicit Run(const std::string& path) : path_(path) {}

  RuleTestReport run() {
    auto text = read_file(path_, Loader::kFileBytesMax);
    if (!text) {
      complain(YamlNode(), text.error().message());
      return std::move(report_);
    }
    const YamlDocuments documents = parse_yaml_stream(*text, kYamlLimits);
    for (const YamlProblem& problem : documents.problems) {
      YamlNode at;
      at.line = problem.line;
      at.column = problem.column;
      complain(at, problem.message);
    }
    if (documents.roots.size() != 1 || documents.roots[0].type != YamlNode::Type::kMapping) {
      complain(YamlNode(), "a test file is one mapping with `tests`");
    }
    if (report_.problems.empty()) run_file(documents.roots[0]);
    return std::move(report_);
  }

 private:
  void complain(const YamlNode& at, std::string message) {
    report_.problems.push_back({.code = "TEST_FILE",
                                .message = std::move(message),
                                .file = path_,
                                .line = at.line,
                                .column = at.column,
                                .context = {},
                                .snippet = {}});
  }

  void check_keys(const YamlNode& node, std::initializer_list<std::string_view> known) {
    for (const YamlNode& key : node.keys) {
      if (std::ranges::find(known, key.scalar) == known.end()) {
        complain(key, "unknown key \"" + key.scalar + "\"");
      }
    }
  }

  std::vector<std::string> texts(const YamlNode& node, std::string_view key) {
    std::vector<std::string> out;
    const YamlNode* list = find_member(node, key);
    if (list == nullptr) return out;
    if (list->type == YamlNode::Type::kScalar) return {list->scalar};
    if (list->type != YamlNode::Type::kSequence) complain(*list, std::string(key) + ": a list");
    for (const YamlNode& item : list->items) {
      if (item.type == YamlNode::Type::kScalar) out.push_back(item.scalar);
      else complain(item, std::string(key) + " must hold texts");
    }
    return out;
  }

  void run_file(const YamlNode& root) {
    check_keys(root, {"rules", "tests"});
    load(texts(root, "rules"));
    const YamlNode* tests = find_member(root, "tests");
    if (tests == nullptr || tests->type != YamlNode::Type::kSequence || tests->items.empty() ||
        tests->items.size() > kTestsMax) {
      return complain(root, "tests must be a list of 1 to " + std::to_string(kTestsMax));
    }
    if (!report_.problems.empty()) return;
    for (const YamlNode& test : tests->items) run_test(test);
    for (const Rule* rule : all_) {
      if (rule->file != rule_file() || !rule->enabled) continue;
      if (!found_once_.contains(rule->name)) report_.untested.push_back(rule->name);
      if (!spared_once_.contains(rule->name)) report_.unspared.push_back(rule->name);
    }
  }

  [[nodiscard]] std::string rule_file() const {
    return path_.substr(0, path_.size() - kRuleTestEnding.size()) + ".yaml";
  }

  void load(const std::vector<std::string>& named) {
    std::vector<std::string> files;
    files.reserve(named.size() + 1);
    const fs::path folder = fs::path(path_).parent_path();
    for (const std::string& file : named) files.push_back((folder / file).string());
    files.push_back(rule_file());
    const Loaded loaded = load_files(files);
    for (const Problem& problem : loaded.problems) {
      if (problem.severity == Problem::Severity::kError) report_.problems.push_back(problem);
    }
    all_ = loaded.rules->rules();
    evaluator_ = std::make_unique<Evaluator>(loaded.rules);
    rules_ = loaded.rules;
  }

  void run_test(const YamlNode& test) {
    if (test.type != YamlNode::Type::kMapping) return complain(test, "a test is a mapping");
    check_keys(test, {"name", "event", "events", "finds", "spares", "output"});
    RuleTestOutcome outcome{.file = path_, .line = test.line, .name = {}, .failures = {}};
    const YamlNode* name = find_member(test, "name");
    const std::vector<std::string> finds = texts(test, "finds");
    const std::vector<std::string> spares = texts(test, "spares");
    const YamlNode* wanted_output = find_member(test, "output");
    outcome.name = name != nullptr ? name->scalar : finds.empty() ? "test" : finds[0];
    if (finds.empty() && spares.empty()) complain(test, "a test needs `finds` or `spares`");
    std::set<std::string> found;
    std::string outputs;
    for (const YamlNode* event : events_of(test)) ask(*event, outcome, found, outputs);
    for (const std::string& rule : finds) {
      check_name(rule, outcome);
      if (!found.contains(rule)) outcome.failures.push_back("not found: " + rule);
      else found_once_.insert(rule);
    }
    for (const std::string& rule : spares) {
      check_name(rule, outcome);
      if (found.contains(rule)) outcome.failures.push_back("found, and must not be: " + rule);
      else spared_once_.insert(rule);
    }
    if (wanted_output != nullptr && outputs.find(wanted_output->scalar) == std::string::npos) {
      outcome.failures.push_back("no output has \"" + wanted_output->scalar + "\": " + outputs);
    }
    report_.tests.push_back(std::move(outcome));
  }

  // A misspelt rule would be spared for ever.
  void check_name(const std::string& rule, RuleTestOutcome& outcome) const {
    if (std::ranges::find(all_, rule, &Rule::name) == all_.end()) {
      outcome.failures.push_back("there is no rule of that name: " + rule);
    }
  }

  std::vector<const YamlNode*> events_of(const YamlNode& test) {
    std::vector<const YamlNode*> events;
    if (const YamlNode* one = find_member(test, "event")) events.push_back(one);
    if (const YamlNode* list = find_member(test, "events")) {
      for (const YamlNode& each : list->items) events.push_back(&each);
    }
    if (events.empty()) complain(test, "a test needs `event` or `events`");
    return events;
  }

  void ask(const YamlNode& node, RuleTestOutcome& outcome, std::set<std::string>& found,
           std::string& outputs) {
    const json::value record = to_json(node);
    if (!record.is_object()) return complain(node, "an event is a mapping");
    const auto event = schema::read_event(record.get_object(), {.strict = true});
    if (!event) {
      outcome.failures.push_back("line " + std::to_string(node.line) +
                                 ": the event: " + event.error().message());
      return;
    }
    const schema::Subject subject{.event = *event, .names = nullptr, .number = 1, .host = "host"};
    for (const std::uint32_t rule : evaluator_->matches(subject)) {
      found.insert(all_[rule]->name);
      outputs += evaluator_->finding(rule).output + "\n";
    }
  }

  const std::string& path_;
  RuleTestReport report_;
  std::shared_ptr<const RuleSet> rules_;
  std::vector<const Rule*> all_;
  std::unique_ptr<Evaluator> evaluator_;
  std::set<std::string> found_once_;
  std::set<std::string> spared_once_;
};

}  // namespace

bool RuleTestReport::ok() const {
  return problems.empty() && !tests.empty() &&
         std::ranges::all_of(tests, [](const auto& test) { return test.failures.empty(); });
}

RuleTestReport run_rule_tests(const std::string& path) {
  if (!path.ends_with(kRuleTestEnding)) {
    RuleTestReport report;
    report.problems.push_back({.code = "TEST_FILE",
                               .message = "the name of a test file ends with .test.yaml",
                               .file = path,
                               .context = {},
                               .snippet = {}});
    return report;
  }
  return Run(path).run();
}

std::vector<std::string> rule_test_files(const std::string& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    if (path.ends_with(kRuleTestEnding) || !path.ends_with(".yaml")) return {path};
    return {path.substr(0, path.size() - 5) + std::string(kRuleTestEnding)};
  }
  std::vector<std::string> files;
  fs::directory_iterator it(path, error);
  for (; !error && it != fs::directory_iterator(); it.increment(error)) {
    if (it->path().string().ends_with(kRuleTestEnding)) files.push_back(it->path().string());
  }
  std::ranges::sort(files);
  return files;
}

}  // namespace coff::rules
