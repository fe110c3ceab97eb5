// Evidence of one container: collected, sealed and recorded in one call.
#include "evidence/evidence.hpp"

#include "base/clock.hpp"

namespace coff::evidence {
namespace {

SealFacts facts_of(const Request& request, const Outcome& outcome, std::int64_t begun_wall_ns,
                   const trail::SigningKey& host) {
  SealFacts facts{.id = outcome.id,
                  .case_id = request.case_id,
                  .purpose = request.purpose,
                  .authority = request.authority,
                  .marking = request.marking,
                  .operator_name = request.operator_name,
                  .operator_uid = request.operator_uid,
                  .operator_login_uid = request.operator_login_uid,
                  .container_name = outcome.collected.container_name,
                  .image = outcome.collected.image,
                  .begun_wall_ns = begun_wall_ns,
                  .target = request.target};
  facts.signers.push_back({.role = "host", .name = "", .key = &host});
  if (request.examiner_key) {
    facts.signers.push_back(
        {.role = "examiner", .name = request.examiner_name, .key = &*request.examiner_key});
  }
  return facts;
}

Result<OpenBundle> open_bundle(const Store& store, const Request& request, Outcome& outcome,
                               std::int64_t now_ns) {
  const std::uint64_t left = TRY(store.left_bytes(request.quota_bytes));
  if (!request.resume.empty()) {
    outcome.id = request.resume;
    return OpenBundle::resume(TRY(store.find_open(request.resume)), left);
  }
  outcome.id = new_bundle_id(request.case_id, request.target.container, now_ns);
  return OpenBundle::create(store.folder() + "/" + outcome.id + std::string(kOpenEnding), left);
}

}  // namespace

Result<Outcome> collect_evidence(const Store& store, const Request& request) {
  const std::int64_t begun_ns = wall_now_ns();
  const trail::SigningKey host = TRY(store.host_key());
  Outcome outcome;
  outcome.host_key = to_base64(host.public_key());
  OpenBundle bundle = TRY(open_bundle(store, request, outcome, begun_ns));
  TRY(bundle.custody().append({.actor = request.operator_name,
                               .role = "operator",
                               .action = request.resume.empty() ? "begin" : "resume",
                               .object = outcome.id,
                               .purpose = request.purpose,
                               .authority = request.authority}));
  outcome.collected = TRY(collect(bundle, request.target, request.options));
  outcome.sealed = TRY(seal(bundle, facts_of(request, outcome, begun_ns, host)));
  if (!request.timestamp.url.empty()) {
    const auto stamped = timestamp_bundle(outcome.sealed.folder, request.timestamp);
    if (!stamped) outcome.timestamp_problem = stamped.error().message();
  }
  return outcome;
}

}  // namespace coff::evidence
