// Approvals: what is asked of people before an action, and whether they signed exactly that.
#include "playbook/approval.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/bytes.hpp"
#include "base/clock.hpp"

namespace coff::playbook {

char class_letter(ApprovalClass approval) {
  return static_cast<char>('A' + static_cast<unsigned char>(approval));
}

std::optional<ApprovalClass> class_of_letter(std::string_view letter) {
  if (letter.size() != 1 || letter[0] < 'A' || letter[0] > 'C') return std::nullopt;
  return static_cast<ApprovalClass>(letter[0] - 'A');
}

std::string text_of(const ApprovalRequest& request) {
  std::string text = "cofferdam approval 1\n";
  const auto line = [&](std::string_view name, std::string_view value) {
    text += fmt::format("{}: {}\n", name, printable(value));
  };
  line("request", request.id);
  line("class", std::string(1, class_letter(request.approval)));
  line("action", request.action);
  line("target", request.target);
  line("reason", request.reason);
  line("requested by", request.requester);
  line("requested at", format_time(request.requested_ns));
  line("expires at", format_time(request.expires_ns));
  if (!request.playbook_hash.empty()) line("playbook sha256", request.playbook_hash);
  line("plan sha256", canonical_hash(request.plan));
  line("plan", canonical(request.plan));
  return text;
}

ApprovalState check_approvals(const ApprovalRequest& request,
                              const std::vector<std::string>& signatures,
                              const std::vector<Signer>& signers, std::int64_t now_ns) {
  ApprovalState state;
  if (request.approval == ApprovalClass::kAutomatic) {
    state.enough = true;
    return state;
  }
  if (now_ns >= request.expires_ns || request.expires_ns <= request.requested_ns ||
      request.expires_ns - request.requested_ns > kApprovalTimeMaxS * 1'000'000'000) {
    state.problems.emplace_back("the request has expired");
    return state;
  }
  const std::string text = text_of(request);
  std::set<std::string> people;
  std::set<std::string> keys;
  for (const std::string& armoured : signatures) {
    const auto refuse = [&](std::string why) { state.problems.push_back(std::move(why)); };
    const auto signature = SshSignature::parse(armoured);
    if (!signature) {
      refuse(signature.error().what);
      continue;
    }
    const std::string fingerprint = ssh_fingerprint(signature->public_key);
    const Signer* signer = find_signer(signers, signature->public_key, kApprovalNamespace, now_ns);
    if (signer == nullptr) {
      refuse(fingerprint + " is enrolled for nobody");
      continue;
    }
    const auto verified = verify_ssh_signature(*signature, text, kApprovalNamespace);
    if (!verified) {
      refuse(fmt::format("{}, {}: {}", signer->person, fingerprint, verified.error().what));
    } else if (request.approval == ApprovalClass::kTwo && signer->person == request.requester) {
      refuse(signer->person + " asks, and can't approve");
    } else if (!keys.insert(fingerprint).second || !people.insert(signer->person).second) {
      refuse(signer->person + " has approved already");
    } else {
      state.approvals.push_back({.person = signer->person, .fingerprint = fingerprint});
    }
  }
  state.enough = state.approvals.size() >= (request.approval == ApprovalClass::kTwo ? 2U : 1U);
  return state;
}

json::value to_json(const ApprovalRequest& request) {
  return json::object{{"format", "cofferdam-approval/1"},
                      {"id", request.id},
                      {"class", std::string(1, class_letter(request.approval))},
                      {"action", request.action},
                      {"target", request.target},
                      {"plan", request.plan},
                      {"reason", request.reason},
                      {"requester", request.requester},
                      {"playbook_hash", request.playbook_hash},
                      {"requested", format_time(request.requested_ns)},
                      {"expires", format_time(request.expires_ns)}};
}

Result<ApprovalRequest> approval_from_json(const json::value& value) {
  const auto* object = value.if_object();
  if (object == nullptr || text_of(*object, "format") != "cofferdam-approval/1") {
    return fail(Code::kCorrupt, "not a request for approval");
  }
  ApprovalRequest request;
  request.id = text_of(*object, "id");
  const auto approval = class_of_letter(text_of(*object, "class"));
  const json::value* plan = member_of(*object, "plan");
  if (!approval || plan == nullptr) return fail(Code::kCorrupt, "a request lacks class or plan");
  request.approval = *approval;
  request.plan = *plan;
  request.action = text_of(*object, "action");
  request.target = text_of(*object, "target");
  request.reason = text_of(*object, "reason");
  request.requester = text_of(*object, "requester");
  request.playbook_hash = text_of(*object, "playbook_hash");
  request.requested_ns = TRY(parse_time(text_of(*object, "requested")));
  request.expires_ns = TRY(parse_time(text_of(*object, "expires")));
  return request;
}

}  // namespace coff::playbook
