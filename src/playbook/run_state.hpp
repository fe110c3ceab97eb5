// The whole state of one execution of a playbook, as a value that is saved after every step.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "playbook/playbook.hpp"

namespace coff::playbook {

/// Most steps that one run takes, and rounds of one while-condition: what keeps a playbook from
/// running for ever.
inline constexpr std::uint64_t kTransitionsMax = 10'000;
inline constexpr std::uint64_t kRoundsMax = 1000;
/// A step without a timeout of its own fails after this: the specification asks for a maximum.
inline constexpr std::uint64_t kStepTimeoutMs = 24ULL * 3600 * 1000;

/// What a run asks of the world.
enum class EffectKind : unsigned char {
  kManual,    ///< A person does something and says how it went.
  kCommand,   ///< A command of another type: bash, ssh, http-api.
  kAction,    ///< An action of our catalogue.
  kPlaybook,  ///< Another playbook.
};
std::string_view effect_name(EffectKind kind);

/// One thing to be done. Its number is unique in the run: the key by which what does it can tell
/// that it was done already.
struct Effect {
  std::uint64_t number = 0;
  std::uint64_t token = 0;  ///< Whose it is.
  EffectKind kind = EffectKind::kManual;
  std::string step;
  std::uint64_t command = 0;  ///< Which one of the step.
  std::string type;           ///< Of the command; of an action its name; the playbook's id.
  std::string text;           ///< With the values of variables put in.
  std::string content;        ///< Of http-api and of actions, likewise.
  std::string agent;          ///< Id in agent_definitions.
  std::string target;         ///< Id in target_definitions; "" when the step has none.
  std::map<std::string, std::string> inputs;  ///< Values of the step's in_args.
  std::uint64_t deadline_ms = 0;              ///< Wall clock.
  bool started = false;  ///< It was handed out: after a crash it may have happened.
  bool operator==(const Effect&) const = default;
};

/// How an effect went.
struct Outcome {
  bool ok = false;
  std::string text;                            ///< Output, or why it failed.
  std::map<std::string, std::string> outputs;  ///< Values for the step's out_args.
  std::string executed_by;
};

/// One step as it went: an entry of the record, in the terms of the workflow status extension.
struct StepRecord {
  std::string step;
  std::uint64_t start_ms = 0;
  std::uint64_t duration_ms = 0;
  /// "ongoing", "successfully_completed", "failed", "timeout_error", "server_side_error" or
  /// "exception_condition_invoked".
  std::string status = "ongoing";
  std::string text;
  std::vector<std::string> commands;  ///< As they were executed, values put in.
  std::string executed_by;
  bool automated = true;
  bool operator==(const StepRecord&) const = default;
};

/// Where a line of the workflow stands.
struct Token {
  enum class Phase : unsigned char {
    kEnter,   ///< The step is to begin, after its delay.
    kWork,    ///< The next command is to be given out.
    kEffect,  ///< It waits for an effect.
    kBranch,  ///< It waits for its branches.
  };
  std::uint64_t number = 0;
  std::uint64_t parent = 0;  ///< The token whose branch this is; 0: the playbook's own line.
  std::string step;
  Phase phase = Phase::kEnter;
  std::uint64_t scope = 0;
  std::uint64_t outer_scope = 0;  ///< The scope around the step.
  std::uint64_t wake_ms = 0;
  std::uint64_t deadline_ms = 0;
  std::uint64_t command = 0;
  std::uint64_t rounds = 0;
  std::uint64_t branches_left = 0;
  bool branch_failed = false;
  std::uint64_t record = 0;  ///< Index of the step's record.
  bool operator==(const Token&) const = default;
};

/// Variables of the playbook (number 0) or of a step, and what lies around them.
struct Scope {
  std::uint64_t number = 0;
  std::uint64_t outer = 0;
  Variables variables;
  bool operator==(const Scope&) const = default;
};

enum class RunStatus : unsigned char { kRunning, kCompleted, kFailed };
std::string_view status_name(RunStatus status);

struct RunState {
  std::string run;            ///< run--UUID
  std::string playbook;       ///< Id.
  std::string version;        ///< `modified` of the playbook.
  std::string playbook_hash;  ///< Another document under the same id can't be resumed.
  RunStatus status = RunStatus::kRunning;
  std::string problem;  ///< Why it failed.
  bool exception_invoked = false;
  std::uint64_t transitions = 0;
  std::uint64_t next_number = 1;
  std::vector<Token> tokens;
  std::vector<Scope> scopes;
  std::vector<Effect> effects;  ///< Asked for and not answered.
  std::vector<StepRecord> records;
  bool operator==(const RunState&) const = default;
};

json::value to_json(const RunState& state);
/// Reads what to_json() wrote. kCorrupt: it is not that.
Result<RunState> run_state_from_json(const json::value& value);

/// The record of a run for others: entries of type `execution-status`, one for each step.
json::value execution_record(const RunState& state);

}  // namespace coff::playbook
