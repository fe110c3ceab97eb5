// Approvals that come with a call for an action: checked here, where the action is done.
#include "agent/action_approval.hpp"

#include "base/clock.hpp"
#include "base/json_writer.hpp"
#include "playbook/approval.hpp"

namespace coff::agent {
namespace {

namespace json = boost::json;

constexpr std::size_t kSignaturesMax = 16;

Result<std::vector<std::string>> signatures_in(const json::object& approval) {
  std::vector<std::string> signatures;
  const json::value* list = approval.if_contains("signatures");
  if (list == nullptr || !list->is_array() || list->get_array().size() > kSignaturesMax) {
    return fail(Code::kInvalid, "approval.signatures: a list of at most 16 signatures");
  }
  for (const json::value& each : list->get_array()) {
    if (!each.is_string()) return fail(Code::kInvalid, "approval.signatures: a list of texts");
    signatures.emplace_back(each.get_string());
  }
  return signatures;
}

std::string told(const playbook::ApprovalRequest& request, const playbook::ApprovalState& state) {
  std::string text;
  JsonWriter writer(text);
  writer.begin_object().member("request", request.id).member("requester", request.requester);
  writer.key("people").begin_array();
  for (const playbook::Approval& approval : state.approvals) {
    writer.begin_object()
        .member("person", approval.person)
        .member("key", approval.fingerprint)
        .end_object();
  }
  writer.end_array().end_object();
  return text;
}

}  // namespace

Result<std::string> check_approval(const json::value& approval, const response::Plan& plan,
                                   const std::string& approvers) {
  const json::object* object = approval.if_object();
  const json::value* asked = object == nullptr ? nullptr : object->if_contains("request");
  if (asked == nullptr) return fail(Code::kInvalid, "approval: an object with request, signatures");
  const playbook::ApprovalRequest request = TRY(playbook::approval_from_json(*asked));
  const std::vector<std::string> signatures = TRY(signatures_in(*object));
  if (request.action != plan.action || request.target != plan.container_id) {
    return fail(Code::kDenied, "it was given for another action or container");
  }
  const json::value facts = TRY(playbook::parse_document(response::facts_of(plan)));
  if (playbook::canonical(facts) != playbook::canonical(request.plan)) {
    return fail(Code::kDenied, "the plan has changed since: ask again");
  }
  const auto needed = playbook::class_of_letter(std::string_view(&plan.approval_class, 1));
  if (!needed || request.approval < *needed) {
    return fail(Code::kDenied, "it was asked for as of a lower class");
  }
  const auto signers = TRY(playbook::read_signers(approvers));
  const auto state = playbook::check_approvals(request, signatures, signers, wall_now_ns());
  if (state.enough) return told(request, state);
  std::string why;
  for (const std::string& problem : state.problems) why += "; " + problem;
  return fail(Code::kDenied, std::to_string(state.approvals.size()) + " of " +
                                 (request.approval == playbook::ApprovalClass::kTwo ? "2" : "1") +
                                 " people have approved it" + why);
}

}  // namespace coff::agent
