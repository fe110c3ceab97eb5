// The rows of the configuration's section `rules`.
#include <array>
#include <utility>

#include "config/setting_rows.hpp"

namespace coff::config {
namespace {

constexpr std::array<std::string_view, 8> kPriorities = {
    "emergency", "alert", "critical", "error", "warning", "notice", "informational", "debug"};
constexpr std::array<std::string_view, 2> kMatchings = {"all", "first"};
constexpr std::array<std::string_view, 2> kSwitch = {"on", "off"};
constexpr size_t kSuppressionsMax = 256;

constexpr std::array<std::pair<std::string_view, std::string Suppression::*>, 5>
    kSuppressionMembers = {{{"rule", &Suppression::rule},
                            {"container", &Suppression::container},
                            {"image", &Suppression::image},
                            {"program", &Suppression::program},
                            {"reason", &Suppression::reason}}};

void read_suppressions(Reader& reader, const YamlNode& node, Config& config) {
  std::vector<Suppression> all;
  reader.elements(node, "rules.suppress", kSuppressionsMax, [&](const YamlNode& item) {
    Suppression& each = all.emplace_back();
    std::vector<Member> known;
    for (const auto& [name, member] : kSuppressionMembers) {
      known.push_back({name, [&reader, &each, name = name, member = member](const YamlNode& value) {
                         reader.text(value, name, check_rule, each.*member);
                       }});
    }
    const size_t before = reader.problem_count();
    reader.members(item, "a suppression", known);
    if (reader.problem_count() != before) return;
    if (each.reason.empty()) reader.problem(item, "a suppression needs a reason");
    if (each.rule.empty() && each.container.empty() && each.image.empty() && each.program.empty()) {
      reader.problem(item, "a suppression needs rule, container, image or program");
    }
  });
  config.rules.suppress = std::move(all);
}

std::vector<Setting> selection_settings() {
  constexpr ListLimit kFiles = {64, check_path};
  constexpr ListLimit kRules = {256, check_rule};
  return {
      texts(
          "rules.files", "a list of at most 64 paths", kFiles,
          [](auto& c) -> auto& { return c.rules.files; },
          "Rule files and folders of them, in the Falco rule language, in the order of loading; of "
          "a "
          "folder the *.yaml and *.yml files in the order of their names. What does not exist is "
          "left out."),
      texts(
          "rules.sigma_files", "a list of at most 64 paths", kFiles,
          [](auto& c) -> auto& { return c.rules.sigma_files; },
          "Files of Sigma rules and folders of them, with all folders below. What does not exist "
          "is left out."),
      texts(
          "rules.sigma_placeholders", "a list of at most 256 texts name=value", kRules,
          [](auto& c) -> auto& { return c.rules.sigma_placeholders; },
          "What the modifier expand puts in for %name%; several values of one name are "
          "alternatives."),
      choice(
          "rules.priority", "a priority, emergency to debug", kPriorities,
          [](auto& c) -> auto& { return c.rules.priority; },
          "Rules that are less grave than this are not used."),
      choice(
          "rules.matching", "all or first", kMatchings,
          [](auto& c) -> auto& { return c.rules.matching; },
          "Whether all rules that hold for an event make findings, or only the first in the order "
          "of loading."),
      texts(
          "rules.disable", "a list of at most 256 names", kRules,
          [](auto& c) -> auto& { return c.rules.disable; },
          "Names of rules that are not used; * stands for anything."),
      texts(
          "rules.disable_tags", "a list of at most 256 tags", kRules,
          [](auto& c) -> auto& { return c.rules.disable_tags; },
          "Rules with one of these tags are not used."),
      texts(
          "rules.enable", "a list of at most 256 names", kRules,
          [](auto& c) -> auto& { return c.rules.enable; },
          "Names of rules that are used although a file, rules.disable or rules.disable_tags turns "
          "them off; * stands for anything."),
      texts(
          "rules.enable_tags", "a list of at most 256 tags", kRules,
          [](auto& c) -> auto& { return c.rules.enable_tags; },
          "The same for rules with one of these tags. rules.disable wins over this list."),
  };
}

std::vector<Setting> finding_settings() {
  return {
      integer(
          "rules.repeat_seconds", "0 to 86400", {0, 86400},
          [](auto& c) -> auto& { return c.rules.repeat_seconds; },
          "Findings of one rule about the same program in the same container are told once in so "
          "many seconds, and then with their number. 0: each of them."),
      integer(
          "rules.findings_per_minute", "0 to 100000", {0, 100'000},
          [](auto& c) -> auto& { return c.rules.findings_per_minute; },
          "Findings of one rule that are told in a minute, whatever they are about. Those beyond "
          "it "
          "are counted, and the last that was told is told again with their number. 0: no limit."),
      {"rules.suppress",
       "a list of at most 256 mappings of `rule`, `container`, `image`, `program` (patterns) and "
       "`reason`",
       "Findings that are counted and not told: those that fit all patterns of one of these; * "
       "stands for anything. `program` is a path, `container` and `image` are names.",
       read_suppressions,
       [](JsonWriter& json, const Config& c) {
         json.begin_array();
         for (const Suppression& each : c.rules.suppress) {
           json.begin_object();
           for (const auto& [name, member] : kSuppressionMembers) {
             if (!(each.*member).empty()) json.member(name, each.*member);
           }
           json.end_object();
         }
         json.end_array();
       }},
      integer(
          "rules.events_before", "0 to 64", {0, 64},
          [](auto& c) -> auto& { return c.rules.events_before; },
          "Events of the same container, or of the same session of the host, that a finding quotes "
          "from the time before it."),
      integer(
          "rules.window_kib", "0 to 262144", {0, 262'144},
          [](auto& c) -> auto& { return c.rules.window_kib; },
          "Memory in which events wait to be quoted by findings, in KiB."),
      choice(
          "rules.push_down", "on or off", kSwitch,
          [](auto& c) -> auto& { return c.rules.push_down; },
          "Whether the kernel forwards only what the rules can match. Off costs much and finds "
          "nothing more; it is there to prove that."),
  };
}

}  // namespace

std::vector<Setting> rules_settings() {
  std::vector<Setting> all = selection_settings();
  for (Setting& row : finding_settings()) all.push_back(std::move(row));
  return all;
}

}  // namespace coff::config
