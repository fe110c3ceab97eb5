// A CACAO 2.0 playbook: its document, kept whole, and what execution needs of it as values.
#include "playbook/playbook.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/bytes.hpp"
#include "playbook/names.hpp"
#include "playbook/schema.hpp"

namespace coff::playbook {
namespace {

constexpr std::array<std::string_view, 8> kStepTypes = {
    "start",    "end",          "action",          "playbook-action",
    "parallel", "if-condition", "while-condition", "switch-condition"};

json::object extension_of(const json::object& object, std::string_view member) {
  const json::value* extensions = member_of(object, member);
  if (extensions == nullptr) return {};
  const json::value* ours = member_of(*extensions, kExtensionId);
  return ours != nullptr && ours->is_object() ? ours->get_object() : json::object();
}

// Text, or the same in base64; text that can't be decoded is a problem.
std::string plain_or_encoded(const json::object& object, const std::string& name,
                             const std::string& place, Problems& problems) {
  const bool plain = object.contains(name);
  const json::value* encoded = member_of(object, name + "_b64");
  if (plain && encoded != nullptr) {
    problems.add(Problem::Kind::kSemantic, place,
                 fmt::format("{0} and {0}_b64 exclude each other", name));
  }
  if (encoded == nullptr || !encoded->is_string()) return text_of(object, name);
  auto decoded = from_base64(view(encoded->get_string()));
  if (decoded) return std::move(*decoded);
  problems.add(Problem::Kind::kSemantic, place + '/' + name + "_b64", "it is not base64");
  return "";
}

std::vector<std::pair<std::string, std::string>> read_headers(const json::object& object) {
  std::vector<std::pair<std::string, std::string>> headers;
  const json::value* value = member_of(object, "headers");
  if (value == nullptr || !value->is_object()) return headers;
  for (const auto& member : value->get_object()) {
    const std::string name(member.key().data(), member.key().size());
    for (std::string& text : texts_of(value->get_object(), name)) {
      headers.emplace_back(name, std::move(text));
    }
  }
  return headers;
}

void read_commands(Step& step, const json::object& object, Problems& problems) {
  const json::value* commands = member_of(object, "commands");
  if (commands == nullptr || !commands->is_array()) return;
  const std::string place = "/workflow/" + step.id + "/commands";
  if (commands->get_array().size() > kCommandsMax) {
    problems.add(Problem::Kind::kSemantic, place,
                 fmt::format("a step may have at most {} commands", kCommandsMax));
    return;
  }
  for (size_t at = 0; at < commands->get_array().size(); ++at) {
    const json::value& item = commands->get_array()[at];
    if (!item.is_object()) continue;
    const json::object& each = item.get_object();
    const std::string inner = fmt::format("{}/{}", place, at);
    step.commands.push_back({.type = text_of(each, "type"),
                             .text = plain_or_encoded(each, "command", inner, problems),
                             .content = plain_or_encoded(each, "content", inner, problems),
                             .headers = read_headers(each)});
  }
}

std::uint64_t read_wait(const json::object& object, std::string_view name, const Step& step,
                        Problems& problems) {
  const json::value* value = member_of(object, name);
  if (value == nullptr) return 0;
  const std::uint64_t wait = number_of(object, name);
  if (wait == 0 || wait > kWaitMaxMs) {
    problems.add(Problem::Kind::kSemantic, fmt::format("/workflow/{}/{}", step.id, name),
                 fmt::format("it must be 1 to {} milliseconds", kWaitMaxMs));
  }
  return std::min(wait, kWaitMaxMs);
}

Step read_step(const std::string& id, const json::object& object, Problems& problems) {
  Step step;
  step.id = id;
  const std::string type = text_of(object, "type");
  const auto found = std::ranges::find(kStepTypes, type);
  step.type = static_cast<StepType>(found - kStepTypes.begin());
  step.name = text_of(object, "name");
  step.delay_ms = read_wait(object, "delay", step, problems);
  step.timeout_ms = read_wait(object, "timeout", step, problems);
  step.variables = read_variables(member_of(object, "step_variables"));
  step.on_completion = text_of(object, "on_completion");
  step.on_success = text_of(object, "on_success");
  step.on_failure = text_of(object, "on_failure");
  read_commands(step, object, problems);
  step.agent = text_of(object, "agent");
  step.targets = texts_of(object, "targets");
  step.in_args = texts_of(object, "in_args");
  step.out_args = texts_of(object, "out_args");
  step.playbook_id = text_of(object, "playbook_id");
  step.playbook_version = text_of(object, "playbook_version");
  step.next_steps = texts_of(object, "next_steps");
  step.condition = text_of(object, step.type == StepType::kSwitch ? "switch" : "condition");
  step.on_true = text_of(object, "on_true");
  step.on_false = text_of(object, "on_false");
  if (const json::value* cases = member_of(object, "cases");
      cases != nullptr && cases->is_object()) {
    for (const auto& member : cases->get_object()) {
      const std::string name(member.key().data(), member.key().size());
      step.cases.emplace_back(name, text_of(cases->get_object(), name));
    }
  }
  step.extension = extension_of(object, "step_extensions");
  return step;
}

void read_parties(const json::object& document, std::string_view name,
                  std::map<std::string, Party, std::less<>>& parties) {
  const json::value* value = member_of(document, name);
  if (value == nullptr || !value->is_object()) return;
  for (const auto& member : value->get_object()) {
    const auto* object = member.value().if_object();
    if (object == nullptr) continue;
    parties[std::string(member.key().data(), member.key().size())] = {
        .type = text_of(*object, "type"),
        .name = text_of(*object, "name"),
        .members = *object,
        .extension = extension_of(*object, "agent_target_extensions")};
  }
}

void read_steps(Playbook& playbook, const json::object& workflow, Problems& problems) {
  if (workflow.size() > kStepsMax) {
    problems.add(Problem::Kind::kSemantic, "/workflow",
                 fmt::format("a playbook may have at most {} steps", kStepsMax));
    return;
  }
  for (const auto& member : workflow) {
    const std::string id(member.key().data(), member.key().size());
    const std::string place = "/workflow/" + id;
    const auto* object = member.value().if_object();
    const std::string type = object == nullptr ? "" : text_of(*object, "type");
    if (std::ranges::find(kStepTypes, type) == kStepTypes.end()) {
      problems.add(Problem::Kind::kSemantic, place,
                   fmt::format("\"{}\" is no type of step of CACAO 2.0", type));
      continue;
    }
    if (!is_identifier(id)) {
      problems.add(Problem::Kind::kSemantic, place, "its name is no identifier, type--UUID");
    } else if (type_of_identifier(id) != type) {
      problems.add(Problem::Kind::kSemantic, place,
                   fmt::format("its identifier does not begin with its type, {}", type));
    }
    playbook.steps[id] = read_step(id, *object, problems);
  }
}

}  // namespace

std::string_view step_type_name(StepType type) { return kStepTypes[static_cast<size_t>(type)]; }

std::vector<std::string> Step::branches() const {
  std::vector<std::string> all = next_steps;
  // Only one branch of these is gone, so that two of them may begin with the same step.
  const auto add = [&all](const std::string& step) {
    if (!step.empty() && std::ranges::find(all, step) == all.end()) all.push_back(step);
  };
  add(on_true);
  add(on_false);
  for (const auto& [value, step] : cases) add(step);
  return all;
}

const Step* Playbook::step(std::string_view wanted) const {
  const auto found = steps.find(wanted);
  return found == steps.end() ? nullptr : &found->second;
}

std::string Playbook::hash() const {
  json::value bare = document;
  bare.as_object().erase("signatures");
  return canonical_hash(bare);
}

Variables read_variables(const json::value* value) {
  Variables variables;
  if (value == nullptr || !value->is_object()) return variables;
  for (const auto& member : value->get_object()) {
    const auto* object = member.value().if_object();
    const std::string name(member.key().data(), member.key().size());
    if (object == nullptr || !is_variable_name(name)) continue;
    Variable& variable = variables[name];
    variable.type = text_of(*object, "type");
    variable.constant = flag_of(*object, "constant");
    variable.external = flag_of(*object, "external");
    const json::value* text = member_of(*object, "value");
    if (text != nullptr && text->is_string()) variable.value = view(text->get_string());
  }
  return variables;
}

Checked check_playbook(json::value document) {
  Checked checked;
  check_schema(document, checked.problems);
  if (!checked.problems.list().empty()) return checked;
  Playbook playbook;
  playbook.document = std::move(document);
  const json::object& object = playbook.document.get_object();
  playbook.id = text_of(object, "id");
  playbook.name = text_of(object, "name");
  playbook.description = text_of(object, "description");
  playbook.modified = text_of(object, "modified");
  playbook.revoked = flag_of(object, "revoked");
  playbook.start = text_of(object, "workflow_start");
  playbook.exception = text_of(object, "workflow_exception");
  playbook.variables = read_variables(member_of(object, "playbook_variables"));
  read_steps(playbook, object.at("workflow").as_object(), checked.problems);
  read_parties(object, "agent_definitions", playbook.agents);
  read_parties(object, "target_definitions", playbook.targets);
  check_semantics(playbook, checked.problems);
  checked.playbook = std::move(playbook);
  return checked;
}

Checked check_playbook(std::string_view text) {
  auto document = parse_document(text);
  if (document) return check_playbook(std::move(*document));
  Checked checked;
  checked.problems.add(Problem::Kind::kSchema, "", document.error().what);
  return checked;
}

Result<Playbook> load_playbook(std::string_view text) {
  Checked checked = check_playbook(text);
  if (checked.sound()) return std::move(*checked.playbook);
  for (const Problem& problem : checked.problems.list()) {
    if (problem.kind == Problem::Kind::kWarning) continue;
    return fail(Code::kInvalid, fmt::format("not a playbook that can be executed: {}: {}",
                                            problem.place, problem.message));
  }
  return fail(Code::kInternal, "not a playbook");
}

}  // namespace coff::playbook
