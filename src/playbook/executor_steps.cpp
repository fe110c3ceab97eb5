// What each type of step does when a run comes to it.
#include <fmt/format.h>

#include <algorithm>

#include "playbook/condition.hpp"
#include "playbook/executor.hpp"
#include "playbook/variables.hpp"

namespace coff::playbook {
namespace {

// Most lines at a time: parallel steps within parallel steps.
constexpr size_t kTokensMax = 256;
constexpr std::string_view kActionsPath = "/v1/actions/";

// "POST /v1/actions/quarantine HTTP/1.1" of an agent that says it is one of ours.
std::string action_name(const Command& command, const Party& agent) {
  if (command.type != "http-api" || text_of(agent.extension, "type") != "cofferdam-agent")
    return "";
  std::string_view line = command.text;
  if (!line.starts_with("POST ")) return "";
  line.remove_prefix(5);
  if (!line.starts_with(kActionsPath)) return "";
  line.remove_prefix(kActionsPath.size());
  return std::string(line.substr(0, line.find(' ')));
}

std::string escaped_for_json(const std::string& value) {
  const std::string quoted = json::serialize(json::value(value));
  return quoted.substr(1, quoted.size() - 2);
}

/// What a value becomes in a text of this type; it must never become more than a value there.
Result<std::string> placed(const std::string& type, bool in_json, const std::string& value) {
  if (type == "bash" || type == "ssh" || type == "powershell") {
    if (is_plain_word(value)) return value;
    return fail(Code::kDenied,
                "a value has bytes that a shell would not take for a word: " + value);
  }
  if (in_json) return escaped_for_json(value);
  const bool control =
      std::ranges::any_of(value, [](char byte) { return static_cast<unsigned char>(byte) < 0x20; });
  if (type != "manual" && control) return fail(Code::kDenied, "a value has control characters");
  return value;
}

}  // namespace

Result<void> Executor::open_scope(Token& at, const Step& step) {
  at.scope = at.outer_scope;
  if (step.variables.empty()) return {};
  Scope inner{.number = state_.next_number++, .outer = at.outer_scope, .variables = step.variables};
  for (auto& [name, variable] : inner.variables) {
    if (!variable.value) continue;
    variable.value = TRY(substitute(*variable.value, [&](std::string_view other) {
      const Variable* found = find(other, at.outer_scope);
      if (found == nullptr || !found->value) {
        return Result<std::string>(fail(Code::kInvalid, std::string(other) + " has no value"));
      }
      return Result<std::string>(*found->value);
    }));
    if (!value_fits(variable.type, *variable.value)) {
      return fail(Code::kInvalid, fmt::format("the value of {} is no {}", name, variable.type));
    }
  }
  at.scope = inner.number;
  state_.scopes.push_back(std::move(inner));
  return {};
}

Result<void> Executor::begin_step(Token& at, const Step& step, std::uint64_t now_ms) {
  const bool acts = step.type == StepType::kAction || step.type == StepType::kPlaybookAction;
  const std::uint64_t own = step.timeout_ms != 0 ? step.timeout_ms : kStepTimeoutMs;
  at.deadline_ms = now_ms + (step.timeout_ms == 0 && !acts ? kWaitMaxMs : own);
  for (const std::string& name : step.in_args) {
    const Variable* variable = find(name, at.scope);
    if (variable == nullptr || !variable->value) {
      return fail(Code::kInvalid, name + " has no value");
    }
  }
  at.phase = Token::Phase::kWork;
  return {};
}

Result<void> Executor::work(Token& at, const Step& step, std::uint64_t now_ms) {
  switch (step.type) {
    case StepType::kAction:
    case StepType::kPlaybookAction: {
      const size_t times = std::max<size_t>(step.targets.size(), 1);
      const size_t all = step.type == StepType::kAction ? step.commands.size() * times : 1;
      if (at.command < all) {
        Effect effect = TRY(effect_of(at, step));
        StepRecord& record = state_.records[at.record];
        record.commands.push_back(effect.text);
        state_.effects.push_back(std::move(effect));
        at.phase = Token::Phase::kEffect;
        return {};
      }
      break;
    }
    case StepType::kParallel:
    case StepType::kIf:
    case StepType::kWhile:
    case StepType::kSwitch: {
      const std::uint64_t number = at.number;
      TRY(branch(at, step, now_ms));
      // Adding branches may have moved the tokens.
      if (token(number)->branches_left > 0) return {};
      end_step(number, true, "successfully_completed", "", now_ms);
      return {};
    }
    case StepType::kStart:
    case StepType::kEnd: break;
  }
  end_step(at.number, true, "successfully_completed", "", now_ms);
  return {};
}

Result<void> Executor::branch(Token& at, const Step& step, std::uint64_t now_ms) {
  std::vector<std::string> entries;
  if (step.type == StepType::kParallel) {
    entries = step.next_steps;
  } else if (step.type == StepType::kSwitch) {
    std::string name = step.condition;
    if (name.ends_with(":value")) name.resize(name.size() - 6);
    const Variable* variable = find(name, at.scope);
    if (variable == nullptr || !variable->value) {
      return fail(Code::kInvalid, name + " has no value");
    }
    auto found = std::ranges::find(step.cases, *variable->value,
                                   &std::pair<std::string, std::string>::first);
    if (found == step.cases.end()) {
      found = std::ranges::find(step.cases, "default", &std::pair<std::string, std::string>::first);
    }
    if (found != step.cases.end()) entries.push_back(found->second);
  } else {
    const Condition condition = TRY(Condition::parse(step.condition));
    const bool held =
        TRY(condition.holds([&](std::string_view name) { return find(name, at.scope); }));
    if (held) entries.push_back(step.on_true);
    else if (step.type == StepType::kIf && !step.on_false.empty()) entries.push_back(step.on_false);
    if (step.type == StepType::kWhile && held && ++at.rounds > kRoundsMax) {
      return fail(Code::kLimit, fmt::format("it went round more than {} times", kRoundsMax));
    }
  }
  if (state_.tokens.size() + entries.size() > kTokensMax) {
    return fail(Code::kLimit, fmt::format("more than {} branches at a time", kTokensMax));
  }
  at.branches_left = entries.size();
  if (!entries.empty()) at.phase = Token::Phase::kBranch;
  const std::uint64_t number = at.number;
  for (const std::string& entry : entries) add_branch(number, entry, now_ms);
  return {};
}

void Executor::add_branch(std::uint64_t parent, const std::string& step, std::uint64_t now_ms) {
  Token fresh;
  fresh.number = state_.next_number++;
  fresh.parent = parent;
  fresh.outer_scope = token(parent)->scope;
  fresh.step = step;
  go_to(fresh, step, now_ms);
  state_.tokens.push_back(std::move(fresh));
}

Result<Effect> Executor::effect_of(const Token& at, const Step& step) {
  Effect effect;
  effect.number = state_.next_number++;
  effect.token = at.number;
  effect.step = step.id;
  effect.deadline_ms = at.deadline_ms;
  for (const std::string& name : step.in_args) effect.inputs[name] = *find(name, at.scope)->value;
  if (step.type == StepType::kPlaybookAction) {
    effect.kind = EffectKind::kPlaybook;
    effect.type = step.playbook_id;
    effect.text = step.playbook_version;
    return effect;
  }
  const size_t times = std::max<size_t>(step.targets.size(), 1);
  effect.command = at.command / times;
  if (!step.targets.empty()) effect.target = step.targets[at.command % times];
  effect.agent = step.agent;
  const Command& command = step.commands[effect.command];
  const auto agent = playbook_->agents.find(step.agent);
  if (agent == playbook_->agents.end()) return fail(Code::kInvalid, step.agent + " is not defined");
  effect.kind = command.type == "manual" ? EffectKind::kManual : EffectKind::kCommand;
  effect.type = command.type;
  if (const std::string action = action_name(command, agent->second); !action.empty()) {
    effect.kind = EffectKind::kAction;
    effect.type = action;
  }
  const auto fill = [&](const std::string& text, bool in_json) {
    return substitute(text, [&](std::string_view name) -> Result<std::string> {
      const Variable* variable = find(name, at.scope);
      if (variable == nullptr || !variable->value) {
        return fail(Code::kInvalid, std::string(name) + " has no value");
      }
      return placed(command.type, in_json, *variable->value);
    });
  };
  effect.text = TRY(fill(command.text, false));
  const bool in_json = command.content.starts_with('{') || command.content.starts_with('[');
  effect.content = TRY(fill(command.content, in_json));
  return effect;
}

Result<void> Executor::take_outputs(const Token& at, const Step& step, const Outcome& outcome) {
  for (const std::string& name : step.out_args) {
    auto given = outcome.outputs.find(name);
    // A command that only printed something fills the one variable that the step has for it.
    if (given == outcome.outputs.end() && step.out_args.size() == 1) {
      given = outcome.outputs.find("stdout");
    }
    if (given == outcome.outputs.end()) continue;
    Variable* variable = find(name, at.scope);
    if (variable == nullptr) return fail(Code::kInvalid, name + " is not declared");
    if (variable->constant) return fail(Code::kInvalid, name + " is constant");
    if (!value_fits(variable->type, given->second)) {
      return fail(Code::kInvalid,
                  fmt::format("the value given for {} is no {}", name, variable->type));
    }
    variable->value = given->second;
  }
  return {};
}

}  // namespace coff::playbook
