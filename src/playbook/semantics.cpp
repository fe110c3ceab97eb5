// What the schemas can't check: references, branches, cycles, variables, conditions.
#include <fmt/format.h>

#include <algorithm>
#include <list>

#include "playbook/condition.hpp"
#include "playbook/names.hpp"
#include "playbook/playbook.hpp"
#include "playbook/variables.hpp"

namespace coff::playbook {
namespace {

/// A line of steps from an entry to its ends: the playbook itself, or one branch of a step.
struct Region {
  const Region* outer = nullptr;
  const Step* owner = nullptr;  ///< Null: the playbook.
};

class Semantics {
 public:
  Semantics(const Playbook& playbook, Problems& problems)
      : playbook_(playbook), problems_(problems) {}

  void check() {
    for (const auto& [id, step] : playbook_.steps) check_step(step);
    const Step* start = resolve(playbook_.start, "/workflow_start");
    if (start != nullptr && start->type != StepType::kStart) {
      error("/workflow_start", "it must be a step of type start");
    }
    main_ = &regions_.emplace_back();
    if (start != nullptr) walk(*start, *main_);
    if (!playbook_.exception.empty()) {
      const Step* exception = resolve(playbook_.exception, "/workflow_exception");
      if (exception != nullptr) walk(*exception, *main_);
    }
    for (const auto& [id, step] : playbook_.steps) {
      if (!region_of_.contains(&step)) {
        warning("/workflow/" + id, "no other step leads to it");
      }
    }
    check_cycles();
    for (const auto& [step, region] : region_of_) check_variables(*step, *region);
    check_document();
  }

 private:
  void error(std::string place, std::string message) {
    problems_.add(Problem::Kind::kSemantic, std::move(place), std::move(message));
  }
  void warning(std::string place, std::string message) {
    problems_.add(Problem::Kind::kWarning, std::move(place), std::move(message));
  }

  const Step* resolve(const std::string& id, const std::string& place) {
    const Step* step = playbook_.step(id);
    if (step == nullptr) error(place, fmt::format("{} is not in the workflow", id));
    return step;
  }

  void check_step(const Step& step) {
    const std::string place = "/workflow/" + step.id;
    const bool result = !step.on_success.empty() || !step.on_failure.empty();
    if (!step.on_completion.empty() && result) {
      error(place, "on_completion excludes on_success and on_failure");
    }
    if (step.type == StepType::kEnd && (result || !step.on_completion.empty())) {
      error(place, "no step may follow an end");
    }
    if (step.type == StepType::kStart && (result || step.on_completion.empty())) {
      error(place, "a start has on_completion, and neither on_success nor on_failure");
    }
    if (step.type != StepType::kEnd && step.type != StepType::kStart && step.next().empty()) {
      error(place, "its branch has no end: on_completion or on_success is missing");
    }
    if (step.type == StepType::kAction) check_action(step, place);
    if (step.type == StepType::kSwitch && step.cases.empty()) error(place, "it has no cases");
    if (step.type == StepType::kIf || step.type == StepType::kWhile) {
      const auto condition = Condition::parse(step.condition);
      if (!condition) error(place + "/condition", condition.error().what);
    }
  }

  void check_action(const Step& step, const std::string& place) {
    if (!playbook_.agents.contains(step.agent)) {
      error(place + "/agent", step.agent + " is not in agent_definitions");
    }
    for (const std::string& target : step.targets) {
      if (playbook_.targets.contains(target) || playbook_.agents.contains(target)) continue;
      error(place + "/targets", target + " is not in target_definitions");
    }
    for (size_t at = 0; at < step.commands.size(); ++at) {
      const Command& command = step.commands[at];
      const std::string inner = fmt::format("{}/commands/{}", place, at);
      if (!is_listed(command_types(), command.type)) {
        warning(inner + "/type", command.type + " is no type of command of CACAO 2.0");
      }
      if (command.text.empty()) error(inner, "there is nothing in it to be done");
    }
  }

  // Puts the steps of one line into its region, and those of each branch into one of their own.
  void walk(const Step& first, const Region& region) {
    std::vector<const Step*> waiting = {&first};
    while (!waiting.empty()) {
      const Step& step = *waiting.back();
      waiting.pop_back();
      const auto [place, is_new] = region_of_.try_emplace(&step, &region);
      if (!is_new) {
        if (place->second != &region) {
          error("/workflow/" + step.id, "two branches share it: each needs steps of its own");
        }
        continue;
      }
      for (const std::string* next : {&step.on_completion, &step.on_success, &step.on_failure}) {
        if (next->empty()) continue;
        const Step* to = resolve(*next, "/workflow/" + step.id);
        if (to != nullptr) waiting.push_back(to);
      }
      for (const std::string& branch : step.branches()) branches_.emplace_back(&step, branch);
    }
    if (&region != main_) return;
    // Breadth first and without recursion: a playbook may nest as deep as it has steps.
    for (size_t at = 0; at < branches_.size(); ++at) {
      const auto [owner, branch] = branches_[at];
      const Step* entry = resolve(branch, "/workflow/" + owner->id);
      if (entry == nullptr) continue;
      if (regions_.size() > kStepsMax) return;
      walk(*entry, regions_.emplace_back(Region{region_of_.at(owner), owner}));
    }
    branches_.clear();
  }

  // A line that comes back to itself never ends: only while-condition may repeat.
  void check_cycles() {
    std::map<const Step*, int> state;
    for (const auto& [step, region] : region_of_) {
      std::vector<std::pair<const Step*, size_t>> path = {{step, 0}};
      if (state[step] != 0) continue;
      state[step] = 1;
      while (!path.empty()) {
        auto& [at, edge] = path.back();
        const std::string* edges[] = {&at->on_completion, &at->on_success, &at->on_failure};
        if (edge == std::size(edges)) {
          state[at] = 2;
          path.pop_back();
          continue;
        }
        const Step* to = playbook_.step(*edges[edge++]);
        if (to == nullptr || state[to] == 2) continue;
        if (state[to] == 1) {
          error("/workflow/" + at->id,
                "it leads back to " + to->id + " for ever; repetition needs a while-condition");
          return;
        }
        state[to] = 1;
        path.emplace_back(to, 0);
      }
    }
  }

  const Variable* find(std::string_view name, const Step& step, const Region& region) const {
    const auto own = step.variables.find(name);
    if (own != step.variables.end()) return &own->second;
    for (const Region* at = &region; at != nullptr && at->owner != nullptr; at = at->outer) {
      const auto found = at->owner->variables.find(name);
      if (found != at->owner->variables.end()) return &found->second;
    }
    const auto found = playbook_.variables.find(name);
    return found == playbook_.variables.end() ? nullptr : &found->second;
  }

  void need(const std::string& name, const Step& step, const Region& region,
            const std::string& what) {
    if (find(name, step, region) == nullptr) {
      error("/workflow/" + step.id + '/' + what, name + " is not declared where it is used");
    }
  }

  void check_variables(const Step& step, const Region& region) {
    check_values(step.variables, "/workflow/" + step.id + "/step_variables");
    for (const std::string& name : step.in_args) need(name, step, region, "in_args");
    for (const std::string& name : step.out_args) {
      need(name, step, region, "out_args");
      const Variable* variable = find(name, step, region);
      if (variable != nullptr && variable->constant) {
        error("/workflow/" + step.id + "/out_args", name + " is constant");
      }
    }
    for (const Command& command : step.commands) {
      for (const std::string* text : {&command.text, &command.content}) {
        for (const std::string& name : variables_in(*text)) need(name, step, region, "commands");
      }
    }
    if (step.type == StepType::kSwitch) {
      std::string name = step.condition;
      if (name.ends_with(":value")) name.resize(name.size() - 6);
      need(name, step, region, "switch");
    }
    const auto condition = Condition::parse(step.condition);
    if (step.type != StepType::kSwitch && condition) {
      for (const std::string& name : condition->variables()) {
        need(name, step, region, "condition");
      }
    }
  }

  void check_values(const Variables& variables, const std::string& place) {
    if (variables.size() > kVariablesMax) {
      error(place, fmt::format("there may be at most {}", kVariablesMax));
    }
    for (const auto& [name, variable] : variables) {
      if (variable.value && !value_fits(variable.type, *variable.value) &&
          variables_in(*variable.value).empty()) {
        error(place + '/' + name, fmt::format("its value is no {}", variable.type));
      }
    }
  }

  void check_document() {
    check_values(playbook_.variables, "/playbook_variables");
    const json::object& document = playbook_.document.get_object();
    for (const std::string& type : texts_of(document, "playbook_types")) {
      if (!is_listed(playbook_types(), type)) {
        warning("/playbook_types", type + " is not in the vocabulary");
      }
    }
    for (const std::string& activity : texts_of(document, "playbook_activities")) {
      if (!is_listed(playbook_activities(), activity)) {
        warning("/playbook_activities", activity + " is not in the vocabulary");
      }
    }
    if (text_of(document, "modified") < text_of(document, "created")) {
      warning("/modified", "it was modified before it was created");
    }
    const json::value* markings = member_of(document, "data_marking_definitions");
    for (const std::string& marking : texts_of(document, "markings")) {
      if (markings == nullptr || member_of(*markings, marking) == nullptr) {
        warning("/markings", marking + " is not in data_marking_definitions");
      }
    }
  }

  const Playbook& playbook_;
  Problems& problems_;
  std::list<Region> regions_;
  const Region* main_ = nullptr;
  std::map<const Step*, const Region*> region_of_;
  std::vector<std::pair<const Step*, std::string>> branches_;
};

}  // namespace

void check_semantics(const Playbook& playbook, Problems& problems) {
  Semantics(playbook, problems).check();
}

}  // namespace coff::playbook
