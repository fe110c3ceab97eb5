// The life of a run: lines of steps, branches, failures, timeouts.
#include "playbook/executor.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "playbook/variables.hpp"

namespace coff::playbook {

Result<Executor> Executor::begin(const Playbook& playbook, RunInput input) {
  if (playbook.revoked) return fail(Code::kInvalid, "the playbook is revoked");
  RunState state;
  state.run = std::move(input.run);
  state.playbook = playbook.id;
  state.version = playbook.modified;
  state.playbook_hash = playbook.hash();
  Scope scope{.number = 0, .outer = 0, .variables = playbook.variables};
  for (const auto& [name, value] : input.values) {
    const auto found = scope.variables.find(name);
    if (found == scope.variables.end()) {
      return fail(Code::kInvalid, name + " is no variable of the playbook");
    }
    Variable& variable = found->second;
    if (variable.constant && !variable.external) {
      return fail(Code::kInvalid, name + " is constant");
    }
    if (!value_fits(variable.type, value)) {
      return fail(Code::kInvalid, fmt::format("the value of {} is no {}", name, variable.type));
    }
    variable.value = value;
  }
  for (const auto& [name, variable] : scope.variables) {
    if (variable.external && !input.values.contains(name)) {
      return fail(Code::kInvalid, fmt::format("{} is external: give its value", name));
    }
  }
  state.scopes.push_back(std::move(scope));
  state.tokens.push_back(
      {.number = state.next_number++, .step = playbook.start, .wake_ms = input.now_ms});
  Executor executor(playbook, std::move(state));
  executor.go_to(executor.state_.tokens.front(), playbook.start, input.now_ms);
  return executor;
}

Result<Executor> Executor::resume(const Playbook& playbook, RunState state, std::uint64_t now_ms) {
  if (state.playbook_hash != playbook.hash()) {
    return fail(Code::kDenied, "the run belongs to another version of the playbook");
  }
  const auto known = [&](const std::string& id) { return playbook.step(id) != nullptr; };
  if (state.scopes.empty() ||
      !std::ranges::all_of(state.tokens, [&](const Token& at) { return known(at.step); })) {
    return fail(Code::kCorrupt, "the state of the run does not fit its playbook");
  }
  Executor executor(playbook, std::move(state));
  std::vector<std::uint64_t> unknown;
  for (Effect& effect : executor.state_.effects) {
    if (!effect.started) continue;
    if (effect.kind == EffectKind::kCommand) unknown.push_back(effect.number);
    else effect.started = false;
  }
  for (const std::uint64_t number : unknown) {
    const Outcome lost = {.ok = false,
                          .text = "interrupted: whether the command was executed is not known"};
    TRY(executor.finish(number, lost, now_ms));
  }
  return executor;
}

Token* Executor::token(std::uint64_t number) {
  const auto found = std::ranges::find(state_.tokens, number, &Token::number);
  return found == state_.tokens.end() ? nullptr : &*found;
}

Scope* Executor::scope(std::uint64_t number) {
  const auto found = std::ranges::find(state_.scopes, number, &Scope::number);
  return found == state_.scopes.end() ? nullptr : &*found;
}

const Step& Executor::step_of(const Token& at) const {
  const Step* step = playbook_->step(at.step);
  COFF_ASSERT(step != nullptr);
  return *step;
}

Variable* Executor::find(std::string_view name, std::uint64_t scope_number) {
  for (Scope* at = scope(scope_number); at != nullptr; at = scope(at->outer)) {
    const auto found = at->variables.find(name);
    if (found != at->variables.end()) return &found->second;
    if (at->number == 0) break;
  }
  return nullptr;
}

std::optional<std::string> Executor::value_of(std::string_view name) const {
  const Variables& variables = state_.scopes.front().variables;
  const auto found = variables.find(name);
  return found == variables.end() ? std::nullopt : found->second.value;
}

void Executor::go_to(Token& at, const std::string& step, std::uint64_t now_ms) {
  at.step = step;
  at.phase = Token::Phase::kEnter;
  at.scope = at.outer_scope;
  at.wake_ms = now_ms + step_of(at).delay_ms;
  at.deadline_ms = 0;
  at.command = 0;
  at.rounds = 0;
  at.branches_left = 0;
  at.branch_failed = false;
}

void Executor::advance(std::uint64_t now_ms) {
  while (running() && (expire_one(now_ms) || move_one(now_ms))) {
    if (++state_.transitions <= kTransitionsMax) continue;
    state_.status = RunStatus::kFailed;
    state_.problem = fmt::format("it took more than {} steps", kTransitionsMax);
  }
  if (running()) return;
  state_.tokens.clear();
  state_.effects.clear();
}

bool Executor::expire_one(std::uint64_t now_ms) {
  const auto late = std::ranges::find_if(state_.tokens, [&](const Token& at) {
    return at.phase != Token::Phase::kEnter && at.deadline_ms != 0 && at.deadline_ms <= now_ms;
  });
  if (late == state_.tokens.end()) return false;
  const std::uint64_t number = late->number;
  const std::string text = "ACTION_TIMEOUT " + late->step;
  drop_branches(number, now_ms);
  std::erase_if(state_.effects, [&](const Effect& effect) { return effect.token == number; });
  end_step(number, false, "timeout_error", text, now_ms);
  return true;
}

bool Executor::move_one(std::uint64_t now_ms) {
  for (Token& at : state_.tokens) {
    if (at.phase == Token::Phase::kEnter && at.wake_ms <= now_ms) {
      enter(at, now_ms);
      return true;
    }
    if (at.phase != Token::Phase::kWork) continue;
    const std::uint64_t number = at.number;
    if (const auto worked = work(at, step_of(at), now_ms); !worked) {
      end_step(number, false, "failed", worked.error().what, now_ms);
    }
    return true;
  }
  return false;
}

void Executor::enter(Token& at, std::uint64_t now_ms) {
  const Step& step = step_of(at);
  at.record = state_.records.size();
  state_.records.push_back({.step = step.id, .start_ms = now_ms});
  const std::uint64_t number = at.number;
  if (step.type == StepType::kEnd) {
    state_.records.back().status = "successfully_completed";
    end_line(number, true, "", now_ms);
    return;
  }
  Result<void> begun = open_scope(at, step);
  if (begun) begun = begin_step(at, step, now_ms);
  if (!begun) end_step(number, false, "failed", begun.error().what, now_ms);
}

void Executor::end_step(std::uint64_t number, bool ok, const std::string& status,
                        const std::string& text, std::uint64_t now_ms) {
  Token* at = token(number);
  COFF_ASSERT(at != nullptr);
  const Step& step = step_of(*at);
  StepRecord& record = state_.records[at->record];
  record.status = status;
  record.duration_ms = now_ms - std::min(now_ms, record.start_ms);
  if (!text.empty()) record.text = text;
  if (at->scope != at->outer_scope) {
    std::erase_if(state_.scopes, [&](const Scope& each) { return each.number == at->scope; });
  }
  const std::string& next = ok ? step.next() : step.on_failure;
  if (next.empty()) end_line(number, false, text, now_ms);
  else go_to(*at, next, now_ms);
}

void Executor::end_line(std::uint64_t number, bool ok, const std::string& text,
                        std::uint64_t now_ms) {
  Token* at = token(number);
  COFF_ASSERT(at != nullptr);
  if (at->parent == 0) {
    if (!ok && state_.problem.empty()) state_.problem = text;
    if (!ok && !state_.exception_invoked && !playbook_->exception.empty()) {
      state_.exception_invoked = true;
      state_.records[at->record].status = "exception_condition_invoked";
      go_to(*at, playbook_->exception, now_ms);
      return;
    }
    const bool completed = ok && !state_.exception_invoked;
    state_.status = completed ? RunStatus::kCompleted : RunStatus::kFailed;
    std::erase_if(state_.tokens, [&](const Token& each) { return each.number == number; });
    return;
  }
  const std::uint64_t parent_number = at->parent;
  std::erase_if(state_.tokens, [&](const Token& each) { return each.number == number; });
  Token* parent = token(parent_number);
  COFF_ASSERT(parent != nullptr && parent->branches_left > 0);
  --parent->branches_left;
  if (!ok) {
    parent->branch_failed = true;
    if (state_.records[parent->record].text.empty()) state_.records[parent->record].text = text;
  }
  if (parent->branches_left > 0) return;
  if (parent->branch_failed) {
    end_step(parent_number, false, "failed", state_.records[parent->record].text, now_ms);
  } else if (step_of(*parent).type == StepType::kWhile) {
    parent->phase = Token::Phase::kWork;
  } else {
    end_step(parent_number, true, "successfully_completed", "", now_ms);
  }
}

void Executor::drop_branches(std::uint64_t number, std::uint64_t now_ms) {
  std::vector<std::uint64_t> gone = {number};
  for (size_t at = 0; at < gone.size(); ++at) {
    for (const Token& each : state_.tokens) {
      if (each.parent == gone[at]) gone.push_back(each.number);
    }
  }
  gone.erase(gone.begin());
  for (const std::uint64_t each : gone) {
    const Token* at = token(each);
    if (at->phase != Token::Phase::kEnter) {
      StepRecord& record = state_.records[at->record];
      record.status = "failed";
      record.text = "given up: the step around it ended";
      record.duration_ms = now_ms - std::min(now_ms, record.start_ms);
    }
    if (at->scope != at->outer_scope) {
      std::erase_if(state_.scopes, [&](const Scope& one) { return one.number == at->scope; });
    }
    std::erase_if(state_.effects, [&](const Effect& effect) { return effect.token == each; });
  }
  std::erase_if(state_.tokens, [&](const Token& each) {
    return std::ranges::find(gone, each.number) != gone.end();
  });
}

std::optional<std::uint64_t> Executor::next_wake_ms() const {
  std::optional<std::uint64_t> next;
  for (const Token& at : state_.tokens) {
    const std::uint64_t when = at.phase == Token::Phase::kEnter ? at.wake_ms : at.deadline_ms;
    if (when != 0 && (!next || when < *next)) next = when;
  }
  return next;
}

Result<Effect> Executor::start(std::uint64_t number) {
  const auto found = std::ranges::find(state_.effects, number, &Effect::number);
  if (found == state_.effects.end()) return fail(Code::kNotFound, "there is no such effect");
  found->started = true;
  return *found;
}

Result<void> Executor::finish(std::uint64_t number, const Outcome& outcome, std::uint64_t now_ms) {
  const auto found = std::ranges::find(state_.effects, number, &Effect::number);
  if (found == state_.effects.end()) {
    return fail(Code::kNotFound, "nobody waits for this answer any more");
  }
  const std::uint64_t token_number = found->token;
  const EffectKind kind = found->kind;
  state_.effects.erase(found);
  Token* at = token(token_number);
  COFF_ASSERT(at != nullptr);
  const Step& step = step_of(*at);
  StepRecord& record = state_.records[at->record];
  if (!outcome.executed_by.empty()) record.executed_by = outcome.executed_by;
  record.automated = record.automated && kind != EffectKind::kManual;
  record.text = outcome.text.substr(0, kValueBytesMax);
  if (!outcome.ok) {
    end_step(token_number, false, "failed", record.text, now_ms);
    return {};
  }
  if (const auto taken = take_outputs(*at, step, outcome); !taken) {
    end_step(token_number, false, "failed", taken.error().what, now_ms);
    return {};
  }
  ++at->command;
  at->phase = Token::Phase::kWork;
  return {};
}

Result<void> drive(Executor& executor, Effects& effects) {
  while (true) {
    executor.advance(effects.now_ms());
    TRY(effects.save(executor.state()));
    if (!executor.running()) return {};
    const auto& waiting = executor.state().effects;
    const auto next = std::ranges::find(waiting, false, &Effect::started);
    if (next == waiting.end()) {
      // What has been handed out is answered later; delays are waited for here.
      const auto wake = executor.next_wake_ms();
      if (!waiting.empty() || !wake) return {};
      effects.wait_until(*wake);
      continue;
    }
    const Effect effect = TRY(executor.start(next->number));
    TRY(effects.save(executor.state()));
    const auto outcome = effects.perform(effect);
    if (outcome) TRY(executor.finish(effect.number, *outcome, effects.now_ms()));
  }
}

}  // namespace coff::playbook
