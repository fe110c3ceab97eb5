// A CACAO 2.0 playbook: its document, kept whole, and what execution needs of it as values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "playbook/document.hpp"
#include "playbook/problem.hpp"

namespace coff::playbook {

/// Most steps of one playbook, commands of one step, variables of one scope.
inline constexpr size_t kStepsMax = 1000;
inline constexpr size_t kCommandsMax = 64;
inline constexpr size_t kVariablesMax = 256;
/// Longest delay and timeout of a step.
inline constexpr std::uint64_t kWaitMaxMs = 30ULL * 24 * 3600 * 1000;

/// Our extension of steps, agents and playbooks; docs/formats/playbook.md.
inline constexpr std::string_view kExtensionId =
    "extension-definition--2f9e5a40-6d1c-4b7e-8f30-a1c4d9b2e657";

struct Variable {
  std::string type;
  std::optional<std::string> value;
  bool constant = false;
  bool external = false;  ///< The caller must supply it.
  bool operator==(const Variable&) const = default;
};
using Variables = std::map<std::string, Variable, std::less<>>;

struct Command {
  std::string type;
  std::string text;     ///< `command`, or `command_b64` decoded.
  std::string content;  ///< Of http-api: `content`, or `content_b64` decoded.
  std::vector<std::pair<std::string, std::string>> headers;
};

enum class StepType : unsigned char {
  kStart,
  kEnd,
  kAction,
  kPlaybookAction,
  kParallel,
  kIf,
  kWhile,
  kSwitch,
};
/// "if-condition" and so on, as the property `type` has it.
std::string_view step_type_name(StepType type);

struct Step {
  std::string id;
  StepType type = StepType::kEnd;
  std::string name;
  std::uint64_t delay_ms = 0;
  std::uint64_t timeout_ms = 0;  ///< 0: none of its own.
  Variables variables;
  std::string on_completion;
  std::string on_success;
  std::string on_failure;
  std::vector<Command> commands;
  std::string agent;
  std::vector<std::string> targets;
  std::vector<std::string> in_args;
  std::vector<std::string> out_args;
  std::string playbook_id;
  std::string playbook_version;
  std::vector<std::string> next_steps;
  std::string condition;  ///< Of a switch: the variable.
  std::string on_true;
  std::string on_false;
  std::vector<std::pair<std::string, std::string>> cases;
  json::object extension;  ///< Ours; empty when it has none.

  /// The step after this one when it succeeds.
  [[nodiscard]] const std::string& next() const {
    return on_success.empty() ? on_completion : on_success;
  }
  /// First steps of its branches.
  [[nodiscard]] std::vector<std::string> branches() const;
};

/// Who does or suffers something: an entry of agent_definitions or target_definitions.
struct Party {
  std::string type;
  std::string name;
  json::object members;    ///< All of them.
  json::object extension;  ///< Ours; empty when it has none.
};

struct Playbook {
  json::value document;  ///< As it came, unknown properties too: this is what export gives.
  std::string id;
  std::string name;
  std::string description;
  std::string modified;  ///< Together with the id the version.
  bool revoked = false;
  std::string start;
  std::string exception;  ///< "" when there is none.
  Variables variables;
  std::map<std::string, Step, std::less<>> steps;
  std::map<std::string, Party, std::less<>> agents;
  std::map<std::string, Party, std::less<>> targets;

  [[nodiscard]] const Step* step(std::string_view wanted) const;
  /// Hash of the canonical document without its signatures: what approvals and records name.
  [[nodiscard]] std::string hash() const;
};

/// What a check gave. `playbook` is there when the schema was met.
struct Checked {
  Problems problems;
  std::optional<Playbook> playbook;
  /// The schema is met.
  [[nodiscard]] bool valid() const { return playbook.has_value(); }
  /// Nothing forbids its execution.
  [[nodiscard]] bool sound() const {
    return valid() && problems.count(Problem::Kind::kSemantic) == 0;
  }
};

/// Checks a document from outside against schema and specification.
Checked check_playbook(std::string_view text);
Checked check_playbook(json::value document);
/// A playbook that may be executed; the error names the first problem. kInvalid.
Result<Playbook> load_playbook(std::string_view text);

/// Reads `playbook_variables` or `step_variables`.
Variables read_variables(const json::value* value);
/// Checks what the schemas can't: references, branches, cycles, variables, conditions.
void check_semantics(const Playbook& playbook, Problems& problems);

}  // namespace coff::playbook
