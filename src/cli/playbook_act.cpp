// Actions that playbooks ask for: approved where they must be, then done by the running agent.
#include "cli/playbook_act.hpp"

#include <CLI/CLI.hpp>
#include <utility>

#include "cli/approval_ask.hpp"
#include "cli/control.hpp"
#include "cli/evidence.hpp"

namespace coff::cli {
namespace {

namespace json = boost::json;
using playbook::ApprovalClass;
using playbook::Effect;
using playbook::Outcome;

constexpr int kActionTimeoutMs = 300'000;
/// What is in force is released by people who may respond, without another approval.
constexpr std::string_view kRelease = "release";
/// Done by this program, as root; the others by the agent.
constexpr std::string_view kCollect = "collect";
constexpr std::string_view kDumpMemory = "dump_memory";

bool is_evidence(std::string_view action) { return action == kCollect || action == kDumpMemory; }

Outcome failed(std::string why) { return {.ok = false, .text = std::move(why)}; }

class Actor {
 public:
  Actor(const Global& global, ActOptions options, std::string approvals)
      : global_(global), options_(std::move(options)), approvals_(std::move(approvals)) {}

  std::optional<Outcome> operator()(const playbook::RunState& run, const Effect& effect,
                                    const playbook::Playbook& playbook) const {
    auto plan = playbook::parse_document(effect.content.empty() ? "{}" : effect.content);
    if (!plan || !plan->is_object()) return failed("the content of the action is no JSON object");
    json::object arguments = plan->get_object();
    if (playbook::text_of(arguments, "container").empty()) {
      return failed("the action names no container");
    }
    arguments["action"] = effect.type;
    if (!arguments.contains("reason")) arguments["reason"] = "playbook " + effect.step;
    if (effect.type != kRelease) {
      const auto answer = ask(run, effect, arguments, playbook.step(effect.step));
      if (!answer) return failed(answer.error().message());
      if (answer->waits) return std::nullopt;
      if (!answer->approval.is_null()) arguments["approval"] = answer->approval;
    }
    return is_evidence(effect.type) ? collect(effect, arguments) : act(effect, arguments);
  }

 private:
  // Whether it may be done now: actions of the agent by its own plan, evidence by what is
  // collected.
  Result<ApprovalAnswer> ask(const playbook::RunState& run, const Effect& effect,
                             const json::object& arguments, const playbook::Step* step) const {
    ApprovalQuestion question{.id = run.run + "." + std::to_string(effect.number),
                              .arguments = arguments,
                              .playbook_hash = run.playbook_hash};
    if (step != nullptr) {
      question.at_least =
          playbook::class_of_letter(playbook::text_of(step->extension, "approval_class"))
              .value_or(ApprovalClass::kAutomatic);
      question.ttl_s = playbook::number_of(step->extension, "approval_ttl_s", question.ttl_s);
    }
    if (!is_evidence(effect.type)) {
      return ask_approval(global_, options_.socket, approvals_, options_.signers, question);
    }
    const bool memory = effect.type == kDumpMemory;
    const std::string id = TRY(evidence_container(global_, evidence_of(arguments, memory)));
    // Memory holds secrets of people who have done nothing.
    const json::object facts{
        {"action", effect.type},
        {"container_id", id},
        {"approval_class", memory ? "B" : "A"},
        {"collects", memory ? "memory of every process, and all that collect takes"
                            : "processes, files, connections, logs, events; no memory"}};
    return ask_approval_of(global_, approvals_, options_.signers, question, facts);
  }

  [[nodiscard]] EvidenceOptions evidence_of(const json::object& arguments, bool memory) const {
    EvidenceOptions options;
    options.socket = options_.socket;
    options.container = playbook::text_of(arguments, "container");
    options.case_id = playbook::text_of(arguments, "case");
    options.purpose = playbook::text_of(arguments, "reason");
    options.no_memory = !memory;
    return options;
  }

  [[nodiscard]] Outcome collect(const Effect& effect, const json::object& arguments) const {
    Global global = global_;
    const auto told =
        collect_evidence_apart(global, evidence_of(arguments, effect.type == kDumpMemory));
    if (!told) return failed(told.error().message());
    Outcome outcome{.ok = true, .text = *told};
    outcome.executed_by = "cofferdam";
    outcome.outputs["stdout"] = *told;
    return outcome;
  }

  Outcome act(const Effect& effect, const json::object& arguments) const {
    auto client = connect_to_agent(global_, options_.socket);
    if (!client) return failed(client.error().message());
    std::string last;
    std::string stage;
    const auto asked = client->call(
        effect.type == kRelease ? "respond.release" : "respond.run", json::serialize(arguments),
        [&](std::string_view item) {
          last = item;
          const auto value = playbook::parse_document(item);
          if (value && value->is_object()) stage = playbook::text_of(value->get_object(), "stage");
          return true;
        },
        kActionTimeoutMs);
    if (!asked) return failed(asked.error().message());
    Outcome outcome{.ok = stage != "failed" && !stage.empty(), .text = last};
    outcome.executed_by = "cofferdam";
    outcome.outputs["stdout"] = last;
    return outcome;
  }

  const Global& global_;
  ActOptions options_;
  std::string approvals_;
};

}  // namespace

void add_act_options(CLI::App& command, ActOptions& options) {
  command.add_flag("--act", options.allowed, "Actions of the agent may be done");
  command
      .add_option("--signers", options.signers,
                  "Who may approve: an allowed-signers file, instead of response.approvers")
      ->type_name("FILE");
  command.add_option("--socket", options.socket, "Control socket instead of the configured one")
      ->type_name("PATH");
}

playbook::Act make_act(const Global& global, const ActOptions& options,
                       const std::string& approvals) {
  if (!options.allowed) return {};
  return Actor(global, options, approvals);
}

}  // namespace coff::cli
