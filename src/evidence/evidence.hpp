// Evidence of one container: collected, sealed and recorded in one call.
#pragma once

#include <optional>
#include <string>

#include "evidence/bundle/seal.hpp"
#include "evidence/bundle/store.hpp"
#include "evidence/collect/collect.hpp"
#include "evidence/timestamp.hpp"

namespace coff::evidence {

/// Who collects what, and why.
struct Request {
  Target target;
  std::string case_id;
  std::string purpose;
  std::string authority;
  std::string marking = "TLP:RED";
  std::string operator_name;
  std::uint32_t operator_uid = 0;
  std::uint32_t operator_login_uid = 4294967295U;
  std::string examiner_name;
  std::optional<trail::SigningKey> examiner_key;
  std::string resume;  ///< Id of an interrupted collection; "" begins a new one.
  std::uint64_t quota_bytes = std::uint64_t{32} << 30U;  ///< Of the whole store.
  CollectOptions options;
  TimestampOptions timestamp;  ///< RFC 3161; nobody is asked without a URL.
};

struct Outcome {
  std::string id;
  Sealed sealed;
  Collected collected;
  std::string host_key;           ///< Base64 of the public key.
  std::string timestamp_problem;  ///< Why there is no token although one was wanted.
};

/// The one entry to collection, for the command line and for actions. Custody: begin, each step,
/// seal. The caller records the outcome in the trail and says so with continue_custody().
Result<Outcome> collect_evidence(const Store& store, const Request& request);

}  // namespace coff::evidence
