// Approvals of actions: the agent plans, people sign exactly that plan, the agent checks it again.
#include "cli/approval_ask.hpp"

#include <unistd.h>

#include <algorithm>

#include "base/clock.hpp"
#include "cli/control.hpp"
#include "cli/json_read.hpp"
#include "cli/playbook.hpp"
#include "playbook/approval_store.hpp"

namespace coff::cli {
namespace {

namespace json = boost::json;
using playbook::ApprovalClass;

constexpr std::int64_t kSecondNs = 1'000'000'000;
constexpr int kPlanTimeoutMs = 130'000;

std::string requester() {
  const char* name = ::getlogin();
  return name != nullptr ? name : "uid " + std::to_string(::getuid());
}

/// The agent's plan without what guard rails say: as response::facts_of() has it.
Result<json::object> facts_from_agent(const Global& global, const std::string& socket,
                                      const json::object& arguments) {
  auto client = TRY(connect_to_agent(global, socket));
  json::object facts;
  TRY(client.call(
      "respond.plan", json::serialize(arguments),
      [&](std::string_view item) {
        const auto stage = playbook::parse_document(item);
        if (stage && stage->is_object()) facts = object_or_empty(stage->get_object(), "plan");
        return true;
      },
      kPlanTimeoutMs));
  if (facts.empty()) return fail(Code::kInvalid, "the agent told no plan");
  facts.erase("refusals");
  facts.erase("sha256");
  return facts;
}

playbook::ApprovalRequest request_for(const ApprovalQuestion& question, ApprovalClass needed,
                                      const json::object& facts) {
  const std::int64_t now_ns = wall_now_ns();
  const auto ttl_s = std::min<std::int64_t>(static_cast<std::int64_t>(question.ttl_s),
                                            playbook::kApprovalTimeMaxS);
  return {.id = question.id,
          .approval = needed,
          .action = std::string(text_in(facts, "action")),
          .target = std::string(text_in(facts, "container_id")),
          .plan = facts,
          .reason = std::string(text_in(question.arguments, "reason")),
          .requester = requester(),
          .playbook_hash = question.playbook_hash,
          .requested_ns = now_ns,
          .expires_ns = now_ns + ttl_s * kSecondNs};
}

}  // namespace

Result<ApprovalAnswer> ask_approval(const Global& global, const std::string& socket,
                                    const std::string& approvals, const std::string& signers,
                                    const ApprovalQuestion& question) {
  const json::object facts = TRY(facts_from_agent(global, socket, question.arguments));
  return ask_approval_of(global, approvals, signers, question, facts);
}

Result<ApprovalAnswer> ask_approval_of(const Global& global, const std::string& approvals,
                                       const std::string& signers, const ApprovalQuestion& question,
                                       const json::object& facts) {
  const auto own = playbook::class_of_letter(text_in(facts, "approval_class"));
  const ApprovalClass needed = std::max(own.value_or(ApprovalClass::kTwo), question.at_least);
  if (needed == ApprovalClass::kAutomatic) return ApprovalAnswer{};
  const playbook::ApprovalStore store(approvals);
  const auto request = store.read(question.id);
  if (!request) {
    TRY(store.ask(request_for(question, needed, facts)));
    return ApprovalAnswer{.waits = true};
  }
  if (playbook::canonical(request->plan) != playbook::canonical(facts) ||
      request->playbook_hash != question.playbook_hash || request->approval < needed) {
    return fail(Code::kDenied, "what was approved is not what is to be done");
  }
  const std::int64_t now_ns = wall_now_ns();
  if (now_ns >= request->expires_ns) return fail(Code::kTimeout, "nobody approved it in time");
  const auto given = store.signatures(question.id);
  const auto enrolled = TRY(playbook::read_signers(TRY(approvers_file(global, signers))));
  if (!playbook::check_approvals(*request, given, enrolled, now_ns).enough) {
    return ApprovalAnswer{.waits = true};
  }
  json::array signatures;
  for (const std::string& signature : given) signatures.emplace_back(signature);
  return ApprovalAnswer{.approval = json::object{{"request", playbook::to_json(*request)},
                                                 {"signatures", std::move(signatures)}}};
}

}  // namespace coff::cli
