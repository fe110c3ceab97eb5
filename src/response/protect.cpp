// Protect: the engine does not start the container anew, so that an end keeps what there is to see.
#include <linux/capability.h>

#include "base/json_writer.hpp"
#include "response/catalogue.hpp"
#include "response/engine_client.hpp"

namespace coff::response {
namespace {

constexpr unsigned kCapabilities[] = {CAP_DAC_OVERRIDE, CAP_SYS_PTRACE};
/// Names of `Record::before`.
constexpr const char* kPolicy = "restart_policy";
constexpr const char* kEngine = "engine_socket";

Result<void> plan_protect(const Target& target, Record& record, Plan& plan) {
  if (target.engine_socket.empty()) {
    return fail(Code::kUnsupported, "no engine answers, so its restart policy cannot be changed");
  }
  const std::string policy =
      target.about.restart_policy.empty() ? "no" : target.about.restart_policy;
  record.before[kPolicy] = policy;
  record.before[kEngine] = target.engine_socket;
  plan.steps.push_back({"restart policy " + policy + " becomes no", "restart policy " + policy});
  for (const auto& [name, value] : target.about.labels) {
    if (name.starts_with("com.docker.swarm.")) {
      plan.warnings.emplace_back("swarm replaces it all the same, whatever the restart policy");
      break;
    }
  }
  return {};
}

Result<void> perform_protect(const Target& target, Record& record) {
  return set_restart_policy(record.before[kEngine], target.about.id, "no");
}

Result<Measured> measure(const Record& record, const std::string& wanted) {
  const auto about = inspect(record.before.at(kEngine), record.container_id);
  if (!about && about.error().code == Code::kNotFound) {
    return Measured{.as_planned = true, .members = "\"container_gone\":true"};
  }
  if (!about) return std::unexpected(about.error());
  const std::string now = about->restart_policy.empty() ? "no" : about->restart_policy;
  std::string text;
  JsonWriter(text).begin_object().member("restart_policy", now).end_object();
  return Measured{.as_planned = now == wanted, .members = text.substr(1, text.size() - 2)};
}

Result<Measured> verify_protect(const Target&, const Record& record) {
  return measure(record, "no");
}

Result<Measured> release_protect(const Record& record) {
  const auto engine = record.before.find(kEngine);
  const auto policy = record.before.find(kPolicy);
  if (engine == record.before.end() || policy == record.before.end()) {
    return fail(Code::kCorrupt, "the record of a protection does not say what was before");
  }
  if (!inspect(engine->second, record.container_id)) return measure(record, policy->second);
  TRY(set_restart_policy(engine->second, record.container_id, policy->second));
  return measure(record, policy->second);
}

}  // namespace

const Action kProtect{.name = "protect",
                      .sentence = "Keep the engine from starting a container anew when it ends.",
                      .approval_class = 'A',
                      .rate_class = "engine",
                      .capabilities = kCapabilities,
                      .stays = true,
                      .plan = plan_protect,
                      .perform = perform_protect,
                      .verify = verify_protect,
                      .inverse = release_protect,
                      .renew = nullptr};

}  // namespace coff::response
