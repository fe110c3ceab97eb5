// Actions that playbooks ask for: approved where they must be, then done by the running agent.
#include "cli/playbook_act.hpp"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>

#include "base/clock.hpp"
#include "cli/control.hpp"
#include "playbook/approval_store.hpp"

namespace coff::cli {
namespace {

namespace json = boost::json;
using playbook::ApprovalClass;
using playbook::Effect;
using playbook::Outcome;

constexpr std::int64_t kSecondNs = 1'000'000'000;
constexpr std::uint64_t kApprovalDefaultS = 3600;
constexpr int kActionTimeoutMs = 300'000;

// Collecting is automatic but for memory, which holds secrets; what ends a process or a container
// can't be undone.
constexpr std::pair<std::string_view, ApprovalClass> kClasses[] = {
    {"collect", ApprovalClass::kAutomatic}, {"quarantine", ApprovalClass::kOne},
    {"freeze", ApprovalClass::kOne},        {"protect", ApprovalClass::kOne},
    {"cut", ApprovalClass::kOne},           {"dump_memory", ApprovalClass::kOne},
    {"capture", ApprovalClass::kOne},       {"release", ApprovalClass::kOne},
    {"kill_process", ApprovalClass::kOne},  {"kill", ApprovalClass::kTwo}};

Outcome failed(std::string why) { return {.ok = false, .text = std::move(why)}; }

std::string requester() {
  const char* name = ::getlogin();
  return name != nullptr ? name : "uid " + std::to_string(::getuid());
}

class Actor {
 public:
  Actor(const Global& global, ActOptions options, std::string approvals)
      : global_(global), options_(std::move(options)), store_(std::move(approvals)) {}

  std::optional<Outcome> operator()(const playbook::RunState& run, const Effect& effect,
                                    const playbook::Playbook& playbook) const {
    auto plan = playbook::parse_document(effect.content.empty() ? "{}" : effect.content);
    if (!plan || !plan->is_object()) return failed("the content of the action is no JSON object");
    const std::string target = playbook::text_of(plan->get_object(), "container");
    if (target.empty()) return failed("the action names no container");
    const playbook::Step* step = playbook.step(effect.step);
    const ApprovalClass needed = class_of(effect.type, step);
    plan->get_object()["action"] = effect.type;
    if (needed != ApprovalClass::kAutomatic) {
      const auto approved = ask(run, effect, *plan, target, needed, step);
      if (!approved) return failed(approved.error().message());
      if (!*approved) return std::nullopt;
    }
    return act(effect, plan->get_object());
  }

 private:
  // The request of an action is made once; later it is read, and must still be about this.
  Result<bool> ask(const playbook::RunState& run, const Effect& effect, const json::value& plan,
                   const std::string& target, ApprovalClass needed,
                   const playbook::Step* step) const {
    const std::string id = run.run + "." + std::to_string(effect.number);
    const std::int64_t now = wall_now_ns();
    auto request = store_.read(id);
    if (!request) {
      const std::uint64_t ttl_s = std::min<std::uint64_t>(
          step == nullptr
              ? kApprovalDefaultS
              : playbook::number_of(step->extension, "approval_ttl_s", kApprovalDefaultS),
          playbook::kApprovalTimeMaxS);
      TRY(store_.ask({.id = id,
                      .approval = needed,
                      .action = effect.type,
                      .target = target,
                      .plan = plan,
                      .reason = run.run,
                      .requester = requester(),
                      .playbook_hash = run.playbook_hash,
                      .requested_ns = now,
                      .expires_ns = now + static_cast<std::int64_t>(ttl_s) * kSecondNs}));
      return false;
    }
    if (request->plan != plan || request->target != target || request->action != effect.type ||
        request->playbook_hash != run.playbook_hash || request->approval < needed) {
      return fail(Code::kDenied, "what was approved is not what is to be done");
    }
    if (now >= request->expires_ns) return fail(Code::kTimeout, "nobody approved it in time");
    const auto signers = TRY(playbook::read_signers(options_.signers));
    return playbook::check_approvals(*request, store_.signatures(id), signers, now).enough;
  }

  Outcome act(const Effect& effect, const json::object& plan) const {
    auto client = connect_to_agent(global_, options_.socket);
    if (!client) return failed(client.error().message());
    json::object arguments = plan;
    if (!arguments.contains("reason")) arguments["reason"] = "playbook " + effect.step;
    std::string last;
    std::string stage;
    const auto asked = client->call(
        effect.type == "release" ? "respond.release" : "respond.run", json::serialize(arguments),
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
  playbook::ApprovalStore store_;
};

}  // namespace

void add_act_options(CLI::App& command, ActOptions& options) {
  command.add_flag("--act", options.allowed, "Actions of the agent may be done");
  command.add_option("--signers", options.signers, "Who may approve: an allowed-signers file")
      ->type_name("FILE")
      ->capture_default_str();
  command.add_option("--socket", options.socket, "Control socket instead of the configured one")
      ->type_name("PATH");
}

ApprovalClass class_of(const std::string& action, const playbook::Step* step) {
  const auto* found =
      std::ranges::find(kClasses, action, &std::pair<std::string_view, ApprovalClass>::first);
  ApprovalClass needed = found == std::end(kClasses) ? ApprovalClass::kTwo : found->second;
  if (step == nullptr) return needed;
  const auto asked =
      playbook::class_of_letter(playbook::text_of(step->extension, "approval_class"));
  return asked ? std::max(needed, *asked) : needed;
}

playbook::Act make_act(const Global& global, const ActOptions& options,
                       const std::string& approvals) {
  if (!options.allowed) return {};
  return Actor(global, options, approvals);
}

}  // namespace coff::cli
