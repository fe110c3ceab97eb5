// Approvals: what is asked of people before an action, and whether they signed exactly that.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "playbook/document.hpp"
#include "playbook/sshsig.hpp"

namespace coff::playbook {

/// What ssh-keygen -n must say, so that no other signature of a person is an approval.
inline constexpr std::string_view kApprovalNamespace = "cofferdam-approval";
/// Longest time that an approval may be asked for.
inline constexpr std::int64_t kApprovalTimeMaxS = 7 * 24 * 3600;

/// How many people must agree.
enum class ApprovalClass : unsigned char {
  kAutomatic,  ///< A: nobody.
  kOne,        ///< B: one person.
  kTwo,        ///< C: two people, neither of them who asks.
};
/// 'A', 'B' or 'C'.
char class_letter(ApprovalClass approval);
std::optional<ApprovalClass> class_of_letter(std::string_view letter);

/// What is to be approved. Everything of it is in the text that people sign.
struct ApprovalRequest {
  std::string id;  ///< approval--UUID, or a name that the caller derives from what it is for.
  ApprovalClass approval = ApprovalClass::kTwo;
  std::string action;
  std::string target;  ///< Pinned: an id that can't come to mean something else.
  json::value plan;    ///< All that will be done, parameters too.
  std::string reason;
  std::string requester;
  std::string playbook_hash;  ///< "" when no playbook asks.
  std::int64_t requested_ns = 0;
  std::int64_t expires_ns = 0;
};

/// The text to be signed, one fact a line; control characters can't make lines of their own.
std::string text_of(const ApprovalRequest& request);

/// A signature that counts.
struct Approval {
  std::string person;
  std::string fingerprint;
};
struct ApprovalState {
  std::vector<Approval> approvals;    ///< At most one for each person.
  std::vector<std::string> problems;  ///< Why other signatures do not count.
  bool enough = false;
};

/// Checks signatures over the request at `now_ns`. Nothing counts when the request has expired. A
/// person counts once, however many keys they have, and a key once, whoever it is enrolled for.
ApprovalState check_approvals(const ApprovalRequest& request,
                              const std::vector<std::string>& signatures,
                              const std::vector<Signer>& signers, std::int64_t now_ns);

json::value to_json(const ApprovalRequest& request);
Result<ApprovalRequest> approval_from_json(const json::value& value);

}  // namespace coff::playbook
