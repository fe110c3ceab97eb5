// cofferdam rules: checks rule files, lists rules, and tells which fields rules may use.
#include "rules/rules.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "base/bytes.hpp"
#include "base/json_writer.hpp"
#include "cli/cli.hpp"
#include "cli/rules.hpp"
#include "config/config.hpp"

namespace coff::cli {

namespace {

size_t count_of(const rules::Loaded& loaded, rules::Problem::Severity severity) {
  size_t count = 0;
  for (const rules::Problem& problem : loaded.problems)
    count += problem.severity == severity ? 1 : 0;
  return count;
}

void check(const RulesArguments& arguments, Global& global) {
  const auto both = load_rules(arguments, global);
  if (!both) return;
  const rules::Loaded& loaded = both->rules;
  const size_t errors = count_of(loaded, rules::Problem::Severity::kError);
  const size_t warnings = count_of(loaded, rules::Problem::Severity::kWarning);
  const size_t count = loaded.rules->rules().size();
  if (global.json) {
    std::string text;
    JsonWriter json(text);
    json.begin_object()
        .member("ok", errors == 0)
        .member("rules", count)
        .member("lists", loaded.lists)
        .member("macros", loaded.macros)
        .member("errors", errors)
        .member("warnings", warnings);
    json.key("problems").begin_array();
    for (const rules::Problem& problem : loaded.problems) json.raw(rules::to_json(problem));
    json.end_array().key("sigma").begin_array();
    for (const sigma::RuleStatus& status : both->statuses) json.raw(sigma::to_json(status));
    json.end_array().end_object();
    std::printf("%s\n", text.c_str());
  } else {
    for (const rules::Problem& problem : loaded.problems) {
      std::printf("%s\n", rules::to_text(problem).c_str());
    }
    std::printf("%zu rules, %zu macros, %zu lists: %zu errors, %zu warnings\n", count,
                loaded.macros, loaded.lists, errors, warnings);
    if (!both->statuses.empty()) std::printf("%s\n", both->summary().c_str());
    for (const sigma::RuleStatus& status : both->statuses) {
      if (status.state == sigma::State::kRuns) continue;
      std::printf("%s\n", sigma::to_text(status).c_str());
    }
  }
  const bool bad = errors > 0 || (arguments.strict && warnings > 0);
  global.exit_code = bad ? kFound : kOk;
}

void print_rule(const rules::Rule& rule, bool as_json) {
  std::string text;
  if (!as_json) {
    append_printable(text, rule.name);
    std::printf("%-8s %-13.13s %s\n", rule.enabled ? "on" : "off",
                std::string(rules::priority_name(rule.priority)).c_str(), text.c_str());
    return;
  }
  JsonWriter json(text);
  json.begin_object()
      .member("rule", rule.name)
      .member("enabled", rule.enabled)
      .member("priority", rules::priority_name(rule.priority))
      .member("description", rule.description)
      .member("condition", rule.condition)
      .member("output", rule.output)
      .member("file", rule.file)
      .member("line", rule.line);
  json.key("tags").begin_array();
  for (const std::string& tag : rule.tags) json.string(tag);
  json.end_array().key("exceptions").begin_array();
  for (const std::string& exception : rule.exceptions) json.string(exception);
  json.end_array().end_object();
  std::printf("%s\n", text.c_str());
}

void list(const RulesArguments& arguments, Global& global) {
  const auto both = load_rules(arguments, global);
  if (!both) return;
  const rules::Loaded& loaded = both->rules;
  for (const rules::Rule* rule : loaded.rules->rules()) print_rule(*rule, global.json);
  for (const rules::Problem& problem : loaded.problems) {
    if (problem.severity != rules::Problem::Severity::kError) continue;
    const std::string text = global.json ? rules::to_json(problem) : rules::to_text(problem);
    std::fprintf(stderr, "%s\n", text.c_str());
    global.exit_code = kFound;
  }
}

void fields(const Global& global) {
  for (const schema::FieldGroup& group : schema::field_groups()) {
    if (!global.json) {
      std::printf("%.*s:\n", static_cast<int>(group.title.size()), group.title.data());
    }
    for (const schema::Field& field : group.fields) {
      const std::string_view type = schema::type_name(field.type);
      if (global.json) {
        std::string text;
        JsonWriter(text)
            .begin_object()
            .member("name", field.name)
            .member("type", type)
            .member("list", field.list)
            .member("group", group.title)
            .member("doc", field.doc)
            .end_object();
        std::printf("%s\n", text.c_str());
      } else {
        std::printf("  %-34.*s %-9.*s %.*s\n", static_cast<int>(field.name.size()),
                    field.name.data(), static_cast<int>(type.size()), type.data(),
                    static_cast<int>(field.doc.size()), field.doc.data());
      }
    }
  }
}

}  // namespace

std::optional<std::vector<std::string>> rule_files_of(const RulesArguments& arguments,
                                                      Global& global) {
  if (!arguments.files.empty()) return arguments.files;
  const auto config = config::load_config(global.config_path);
  if (!config) {
    global.exit_code = report(global, config.error());
    return std::nullopt;
  }
  std::vector<std::string> files = config->rules.existing_files();
  if (files.empty()) {
    const Error none{Code::kNotFound,
                     "there are no rules: none of the paths in rules.files exists"};
    global.exit_code = report(global, none);
    return std::nullopt;
  }
  return files;
}

std::optional<sigma::Loaded> load_rules(const RulesArguments& arguments, Global& global) {
  if (!arguments.files.empty() || !arguments.sigma.empty()) {
    return sigma::load_files(arguments.files, arguments.sigma);
  }
  const auto files = rule_files_of(arguments, global);
  if (!files) return std::nullopt;
  // It was read a moment ago.
  const auto config = config::load_config(global.config_path);
  return sigma::load_files(
      *files, config ? config->rules.existing_sigma_files() : std::vector<std::string>());
}

void add_rules(CLI::App& app, Global& global) {
  auto* command =
      app.add_subcommand("rules", "Check, list, test, explain and measure detection rules");
  command->require_subcommand(1);
  auto arguments = std::make_shared<RulesArguments>();
  auto* checking = command->add_subcommand("check", "Say what is wrong with rule files");
  checking->add_option("FILE", arguments->files,
                       "Rule files or folders, in order; those of the configuration without");
  checking->add_option("--sigma", arguments->sigma, "Sigma rules: files or folders")
      ->type_name("PATH");
  checking->add_flag("--strict", arguments->strict, "Warnings count as errors");
  checking->callback([&global, arguments] { check(*arguments, global); });
  auto* listing = command->add_subcommand("list", "List the rules of rule files");
  listing->add_option("FILE", arguments->files,
                      "Rule files or folders, in order; those of the configuration without");
  listing->add_option("--sigma", arguments->sigma, "Sigma rules: files or folders")
      ->type_name("PATH");
  listing->callback([&global, arguments] { list(*arguments, global); });
  auto* naming = command->add_subcommand("fields", "List the fields that rules may use");
  naming->callback([&global] { fields(global); });
  add_rules_test(*command, global);
  add_rules_explain(*command, global);
  add_rules_bench(*command, global);
}

}  // namespace coff::cli
