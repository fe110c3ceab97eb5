// cofferdam rules explain: what is made of a rule, what the kernel does for it, and what it found.
#include "rules/explain.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <memory>

#include "base/bytes.hpp"
#include "base/json_writer.hpp"
#include "cli/control.hpp"
#include "cli/rules.hpp"

namespace coff::cli {

namespace {

struct Options {
  std::string rule;
  RulesArguments files;
  std::string socket;
};

/// The running agent's line about the rule, or why there is none.
struct Live {
  std::string line;
  std::string absent;
};

Live ask_agent(const Global& global, const std::string& socket, const std::string& rule) {
  auto client = connect_to_agent(global, socket);
  if (!client) return {{}, client.error().message()};
  Live live{{}, "the running agent has no rule of that name"};
  const auto asked = client->call("rules", "{}", [&](std::string_view item) {
    boost::json::error_code problem;
    const auto value = boost::json::parse(item, problem);
    const auto* object = problem ? nullptr : value.if_object();
    const auto* name = object == nullptr ? nullptr : object->if_contains("rule");
    if (name != nullptr && name->is_string() && name->get_string() == rule) {
      live.line = item;
    }
    return true;
  });
  if (!asked) return {{}, asked.error().message()};
  return live;
}

template <typename List>
void list_member(JsonWriter& json, std::string_view key, const List& list) {
  json.key(key).begin_array();
  for (const auto& each : list) json.string(each);
  json.end_array();
}

void print_json(const rules::Explanation& made, const Live& live) {
  std::string text;
  JsonWriter json(text);
  json.begin_object()
      .member("rule", made.rule->name)
      .member("enabled", made.rule->enabled)
      .member("priority", rules::priority_name(made.rule->priority))
      .member("file", made.rule->file)
      .member("line", made.rule->line)
      .member("description", made.rule->description)
      .member("condition", made.rule->condition)
      .member("compiled", made.condition);
  list_member(json, "event_types", made.event_types);
  list_member(json, "kinds", made.kinds);
  list_member(json, "kernel", made.kernel);
  list_member(json, "unfiltered", made.unfiltered);
  if (live.line.empty()) json.member("no_counts", live.absent);
  else json.key("counts").raw(live.line);
  json.end_object();
  std::printf("%s\n", text.c_str());
}

template <typename List>
void print_list(const char* title, const List& list) {
  std::printf("%s:\n", title);
  for (const auto& each : list) std::printf("  %s\n", printable(each).c_str());
  if (list.empty()) std::printf("  (none)\n");
}

void print_counts(const Live& live) {
  if (live.line.empty()) {
    std::printf("counts: not known: %s\n", printable(live.absent).c_str());
    return;
  }
  std::printf("counts since the agent's start:");
  boost::json::error_code problem;
  const auto value = boost::json::parse(live.line, problem);
  for (const char* name : {"evaluated", "matched", "told", "repeats", "suppressed", "limited"}) {
    const auto* count = value.is_object() ? value.get_object().if_contains(name) : nullptr;
    if (count != nullptr) std::printf(" %s=%s", name, boost::json::serialize(*count).c_str());
  }
  std::printf("\n");
}

// What became of a Sigma rule, by its title or id; null for others.
const sigma::RuleStatus* status_of(const sigma::Loaded& loaded, const std::string& rule) {
  const auto found = std::ranges::find_if(loaded.statuses, [&](const sigma::RuleStatus& status) {
    return status.title == rule || status.id == rule;
  });
  return found == loaded.statuses.end() ? nullptr : &*found;
}

void print_status(const sigma::RuleStatus& status, const Global& global) {
  if (global.json) std::printf("%s\n", sigma::to_json(status).c_str());
  else {
    std::printf("%s\n%s:%zu\n", sigma::to_text(status).c_str(), printable(status.file).c_str(),
                status.line);
  }
}

void explain(const Options& options, Global& global) {
  const auto both = load_rules(options.files, global);
  if (!both) return;
  const sigma::RuleStatus* status = status_of(*both, options.rule);
  const rules::RuleSet& set = *both->rules.rules;
  const auto made = rules::explain(set, status != nullptr ? status->title : options.rule);
  // A correlation, and a rule whose log is not here, are no rules of the set.
  if (!made && status != nullptr) return print_status(*status, global);
  if (!made) {
    global.exit_code =
        report(global, {Code::kNotFound, "there is no rule \"" + options.rule +
                                             "\"; cofferdam rules list shows their names"});
    return;
  }
  const Live live = ask_agent(global, options.socket, made->rule->name);
  if (global.json) return print_json(*made, live);
  const rules::Rule& rule = *made->rule;
  std::printf("%s (%s, %s) %s:%zu\n%s\n", printable(rule.name).c_str(),
              std::string(rules::priority_name(rule.priority)).c_str(), rule.enabled ? "on" : "off",
              printable(rule.file).c_str(), rule.line, printable(rule.description).c_str());
  std::printf("condition as evaluated:\n  %s\n", printable(made->condition).c_str());
  if (status != nullptr) {
    for (const std::string& note : status->notes)
      std::printf("note: %s\n", printable(note).c_str());
  }
  print_list("event types", made->event_types);
  print_list("kinds of events that it is asked about", made->kinds);
  print_list("the kernel forwards for it", made->kernel);
  print_list("not filtered in the kernel", made->unfiltered);
  print_counts(live);
}

}  // namespace

void add_rules_explain(CLI::App& rules, Global& global) {
  const auto options = std::make_shared<Options>();
  CLI::App* command =
      rules.add_subcommand("explain", "Show what is made of a rule, and what it found so far");
  command->add_option("RULE", options->rule, "Its name; of a Sigma rule its title or id")
      ->required();
  command->add_option("FILE", options->files.files,
                      "Rule files or folders, in order; those of the configuration without");
  command->add_option("--sigma", options->files.sigma, "Sigma rules: files or folders")
      ->type_name("PATH");
  command->add_option("--socket", options->socket, "Control socket instead of the configured one")
      ->type_name("PATH");
  command->callback([&global, options] { explain(*options, global); });
}

}  // namespace coff::cli
