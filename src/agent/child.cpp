// What every child of the supervisor does first: take its settings, lock itself in, report.
#include "agent/child.hpp"

#include <signal.h>

#include "agent/payload.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "trail/entries.hpp"

namespace coff::agent {
namespace {
/// The supervisor sends the settings right after the start; it is stuck when they don't come.
constexpr int kSetupTimeoutMs = 10'000;

Result<config::Config> parse(std::string_view text, std::string_view file) {
  config::Parsed parsed = config::parse_config(text, file);
  if (!parsed.problems.empty()) {
    return fail(Code::kInvalid, config::to_text(parsed.problems.front()));
  }
  set_log_level(parsed.config.log_level);
  return std::move(parsed.config);
}

}  // namespace

std::string encode_setup(const Identity& identity, std::string_view config_text,
                         std::string_view file) {
  std::string payload;
  PayloadWriter(payload).number(identity.uid).number(identity.gid).text(config_text).text(file);
  return payload;
}

Result<Setup> receive_setup(Channel& supervisor) {
  // A writer whose reader died must see an error, not die with it.
  ::signal(SIGPIPE, SIG_IGN);
  // The terminal's interrupt goes to all; the supervisor decides the order of the end.
  ::signal(SIGINT, SIG_IGN);
  ::signal(SIGHUP, SIG_IGN);
  // Entries carry it, and /proc is out of reach once the process is locked in.
  boot_id();
  const Frame frame = TRY(supervisor.receive_wait(kSetupTimeoutMs));
  if (frame.type != static_cast<std::uint16_t>(Message::kSetup)) {
    return fail(Code::kInvalid, "the supervisor's first message isn't the settings");
  }
  PayloadReader reader(frame.payload);
  Setup setup;
  setup.uid = reader.number<uid_t>();
  setup.gid = reader.number<gid_t>();
  const std::string_view text = reader.text();
  const std::string_view file = reader.text();
  TRY(reader.done());
  setup.config_file = file;
  setup.settings = TRY(parse(text, file));
  return setup;
}

Result<void> lock_in(Sandbox& sandbox, Channel& supervisor) {
  const SandboxReport report = TRY(sandbox.enter());
  std::string payload;
  PayloadWriter(payload)
      .number(static_cast<std::uint8_t>(report.landlock_abi))
      .number(report.landlocked)
      .number(report.filtered);
  return supervisor.send(static_cast<std::uint16_t>(Message::kReady), payload);
}

Result<config::Config> read_settings(std::string_view payload) {
  PayloadReader reader(payload);
  const std::string_view text = reader.text();
  const std::string_view file = reader.text();
  TRY(reader.done());
  return parse(text, file);
}

int end_child(Role role, const Result<void>& outcome, Channel& supervisor) {
  if (outcome) return 0;
  log_error(role_name(role), outcome.error().message());
  if (supervisor.valid()) {
    std::string payload;
    PayloadWriter(payload).text(outcome.error().message());
    [[maybe_unused]] const auto ignored =
        supervisor.send(static_cast<std::uint16_t>(Message::kFatal), payload);
  }
  return 3;
}

std::string make_agent_entry(std::string_view type, std::string_view members) {
  return trail::make_entry(trail::EntryTime::now(), type, members);
}

}  // namespace coff::agent
