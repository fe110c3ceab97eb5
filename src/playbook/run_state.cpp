// Run states as JSON and back, and the record of a run for others.
#include "playbook/run_state.hpp"

#include <algorithm>
#include <array>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "playbook/variables.hpp"

namespace coff::playbook {
namespace {

constexpr std::array<std::string_view, 4> kEffects = {"manual", "command", "action", "playbook"};
constexpr std::array<std::string_view, 4> kPhases = {"enter", "work", "effect", "branch"};
constexpr std::array<std::string_view, 3> kStatuses = {"running", "completed", "failed"};

template <typename E, size_t N>
Result<E> one_of(const std::array<std::string_view, N>& names, std::string_view name) {
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) {
    return fail(Code::kCorrupt, "the state of a run has an unknown word: " + std::string(name));
  }
  return static_cast<E>(found - names.begin());
}

json::object texts(const std::map<std::string, std::string>& map) {
  json::object out;
  for (const auto& [name, value] : map) out[name] = value;
  return out;
}
std::map<std::string, std::string> texts(const json::object& object, std::string_view name) {
  std::map<std::string, std::string> out;
  const json::value* value = member_of(object, name);
  if (value == nullptr || !value->is_object()) return out;
  for (const auto& member : value->get_object()) {
    const std::string key(member.key().data(), member.key().size());
    out[key] = text_of(value->get_object(), key);
  }
  return out;
}

json::object to_json(const Effect& effect) {
  return {{"number", effect.number},
          {"token", effect.token},
          {"kind", effect_name(effect.kind)},
          {"step", effect.step},
          {"command", effect.command},
          {"type", effect.type},
          {"text", effect.text},
          {"content", effect.content},
          {"agent", effect.agent},
          {"target", effect.target},
          {"inputs", texts(effect.inputs)},
          {"deadline_ms", effect.deadline_ms},
          {"started", effect.started}};
}
Result<Effect> read_effect(const json::object& object) {
  Effect effect;
  effect.number = number_of(object, "number");
  effect.token = number_of(object, "token");
  effect.kind = TRY(one_of<EffectKind>(kEffects, text_of(object, "kind")));
  effect.step = text_of(object, "step");
  effect.command = number_of(object, "command");
  effect.type = text_of(object, "type");
  effect.text = text_of(object, "text");
  effect.content = text_of(object, "content");
  effect.agent = text_of(object, "agent");
  effect.target = text_of(object, "target");
  effect.inputs = texts(object, "inputs");
  effect.deadline_ms = number_of(object, "deadline_ms");
  effect.started = flag_of(object, "started");
  return effect;
}

json::object to_json(const Token& token) {
  return {{"number", token.number},
          {"parent", token.parent},
          {"step", token.step},
          {"phase", kPhases[static_cast<size_t>(token.phase)]},
          {"scope", token.scope},
          {"outer_scope", token.outer_scope},
          {"wake_ms", token.wake_ms},
          {"deadline_ms", token.deadline_ms},
          {"command", token.command},
          {"rounds", token.rounds},
          {"branches_left", token.branches_left},
          {"branch_failed", token.branch_failed},
          {"record", token.record}};
}
Result<Token> read_token(const json::object& object) {
  Token token;
  token.number = number_of(object, "number");
  token.parent = number_of(object, "parent");
  token.step = text_of(object, "step");
  token.phase = TRY(one_of<Token::Phase>(kPhases, text_of(object, "phase")));
  token.scope = number_of(object, "scope");
  token.outer_scope = number_of(object, "outer_scope");
  token.wake_ms = number_of(object, "wake_ms");
  token.deadline_ms = number_of(object, "deadline_ms");
  token.command = number_of(object, "command");
  token.rounds = number_of(object, "rounds");
  token.branches_left = number_of(object, "branches_left");
  token.branch_failed = flag_of(object, "branch_failed");
  token.record = number_of(object, "record");
  return token;
}

json::object to_json(const StepRecord& record) {
  json::array commands;
  for (const std::string& command : record.commands) commands.emplace_back(command);
  return {{"step", record.step},
          {"start_ms", record.start_ms},
          {"duration_ms", record.duration_ms},
          {"status", record.status},
          {"text", record.text},
          {"commands", std::move(commands)},
          {"executed_by", record.executed_by},
          {"automated", record.automated}};
}
StepRecord read_record(const json::object& object) {
  return {.step = text_of(object, "step"),
          .start_ms = number_of(object, "start_ms"),
          .duration_ms = number_of(object, "duration_ms"),
          .status = text_of(object, "status"),
          .text = text_of(object, "text"),
          .commands = texts_of(object, "commands"),
          .executed_by = text_of(object, "executed_by"),
          .automated = flag_of(object, "automated")};
}

Result<const json::array*> list_of(const json::object& object, std::string_view name) {
  const json::value* value = member_of(object, name);
  if (value == nullptr || !value->is_array() ||
      !std::ranges::all_of(value->get_array(), [](const auto& item) { return item.is_object(); })) {
    return fail(Code::kCorrupt, "the state of a run lacks its " + std::string(name));
  }
  return &value->get_array();
}

template <typename T>
json::array list(const std::vector<T>& items) {
  json::array out;
  for (const T& item : items) out.emplace_back(to_json(item));
  return out;
}

}  // namespace

std::string_view effect_name(EffectKind kind) { return kEffects[static_cast<size_t>(kind)]; }
std::string_view status_name(RunStatus status) { return kStatuses[static_cast<size_t>(status)]; }

json::value to_json(const RunState& state) {
  json::array scopes;
  for (const Scope& scope : state.scopes) {
    scopes.push_back(json::object{
        {"number", scope.number}, {"outer", scope.outer}, {"variables", to_json(scope.variables)}});
  }
  return json::object{{"format", "cofferdam-run/1"},
                      {"run", state.run},
                      {"playbook", state.playbook},
                      {"version", state.version},
                      {"playbook_hash", state.playbook_hash},
                      {"status", status_name(state.status)},
                      {"problem", state.problem},
                      {"exception_invoked", state.exception_invoked},
                      {"transitions", state.transitions},
                      {"next_number", state.next_number},
                      {"tokens", list(state.tokens)},
                      {"scopes", std::move(scopes)},
                      {"effects", list(state.effects)},
                      {"records", list(state.records)}};
}

Result<RunState> run_state_from_json(const json::value& value) {
  const auto* object = value.if_object();
  if (object == nullptr || text_of(*object, "format") != "cofferdam-run/1") {
    return fail(Code::kCorrupt, "not the state of a run");
  }
  RunState state;
  state.run = text_of(*object, "run");
  state.playbook = text_of(*object, "playbook");
  state.version = text_of(*object, "version");
  state.playbook_hash = text_of(*object, "playbook_hash");
  state.status = TRY(one_of<RunStatus>(kStatuses, text_of(*object, "status")));
  state.problem = text_of(*object, "problem");
  state.exception_invoked = flag_of(*object, "exception_invoked");
  state.transitions = number_of(*object, "transitions");
  state.next_number = number_of(*object, "next_number");
  for (const json::value& item : *TRY(list_of(*object, "tokens"))) {
    state.tokens.push_back(TRY(read_token(item.get_object())));
  }
  for (const json::value& item : *TRY(list_of(*object, "scopes"))) {
    const json::object& scope = item.get_object();
    state.scopes.push_back({.number = number_of(scope, "number"),
                            .outer = number_of(scope, "outer"),
                            .variables = read_variables(member_of(scope, "variables"))});
  }
  for (const json::value& item : *TRY(list_of(*object, "effects"))) {
    state.effects.push_back(TRY(read_effect(item.get_object())));
  }
  for (const json::value& item : *TRY(list_of(*object, "records"))) {
    state.records.push_back(read_record(item.get_object()));
  }
  for (const Token& token : state.tokens) {
    if (token.record >= state.records.size() && token.phase != Token::Phase::kEnter) {
      return fail(Code::kCorrupt, "the state of a run names a record that it lacks");
    }
  }
  return state;
}

json::value execution_record(const RunState& state) {
  json::array steps;
  for (const StepRecord& record : state.records) {
    json::array commands;
    for (const std::string& command : record.commands) {
      commands.emplace_back(to_base64(octets(command)));
    }
    json::object entry = {
        {"type", "execution-status"},
        {"workflow_id", state.playbook},
        {"workflow_step", record.step},
        {"start_time", format_time(static_cast<std::int64_t>(record.start_ms) * 1'000'000)},
        {"duration", record.duration_ms},
        {"status", record.status},
        {"command_b64", std::move(commands)},
        {"automated_execution", record.automated}};
    if (!record.text.empty()) entry["status_text"] = record.text;
    if (!record.executed_by.empty()) entry["executed_by"] = record.executed_by;
    steps.push_back(std::move(entry));
  }
  return json::object{{"run", state.run},
                      {"playbook", state.playbook},
                      {"playbook_version", state.version},
                      {"playbook_sha256", state.playbook_hash},
                      {"status", status_name(state.status)},
                      {"problem", state.problem},
                      {"steps", std::move(steps)}};
}

}  // namespace coff::playbook
