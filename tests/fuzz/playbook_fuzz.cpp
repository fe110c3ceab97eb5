// Playbooks, conditions, SSH signatures, signers and states: no input crashes what reads them.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "incident/incident.hpp"
#include "playbook/approval.hpp"
#include "playbook/condition.hpp"
#include "playbook/executor.hpp"
#include "playbook/show.hpp"
#include "playbook/signature.hpp"
#include "playbook/sshsig.hpp"
#include "playbook/triggers.hpp"
#include "playbook/variables.hpp"

namespace {

using namespace coff;

/// Says yes to everything, in no time.
class Yes : public playbook::Effects {
 public:
  std::optional<playbook::Outcome> perform(const playbook::Effect& effect) override {
    return playbook::Outcome{
        .ok = effect.number % 5 != 0, .text = effect.text, .outputs = {{"stdout", "1"}}};
  }
  std::uint64_t now_ms() override { return now; }
  void wait_until(std::uint64_t wall_ms) override { now = wall_ms; }
  Result<void> save(const playbook::RunState&) override { return {}; }

  std::uint64_t now = 1;
};

void execute(const playbook::Playbook& book) {
  COFF_ASSERT(!playbook::outline(book).empty() && !playbook::mermaid(book).empty());
  (void)playbook::triggers_of(book);
  playbook::RunInput input = {.run = "run", .values = {}, .now_ms = 1};
  for (const auto& [name, variable] : book.variables) {
    if (variable.external) input.values[name] = "1";
  }
  auto executor = playbook::Executor::begin(book, input);
  if (!executor) return;
  Yes yes;
  COFF_ASSERT(playbook::drive(*executor, yes));
  COFF_ASSERT(!executor->running());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const playbook::Checked checked = playbook::check_playbook(text);
  if (checked.sound()) execute(*checked.playbook);
  if (const auto document = playbook::parse_document(text)) {
    const auto again = playbook::parse_document(playbook::pretty(*document));
    COFF_ASSERT(again && playbook::canonical(*again) == playbook::canonical(*document));
    if (document->is_object()) {
      (void)playbook::check_signatures(*document, "2026-01-01T00:00:00Z", {});
    }
    (void)playbook::run_state_from_json(*document);
    (void)playbook::approval_from_json(*document);
    (void)incident::finding_facts(text);
  }
  (void)playbook::Condition::parse(text);
  (void)playbook::parse_signers(text);
  (void)playbook::variables_in(text);
  if (const auto signature = playbook::SshSignature::parse(text)) {
    (void)playbook::verify_ssh_signature(*signature, "x", playbook::kApprovalNamespace);
  }
  return 0;
}
