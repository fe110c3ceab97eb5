// Runs actions from plan to proof: pins, plans, keeps the guard rails, records, acts, measures,
// undoes.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "response/catalogue.hpp"
#include "response/guard_rails.hpp"

namespace coff::response {

/// What is asked for.
struct Request {
  std::string action;     ///< Name in the catalogue.
  std::string container;  ///< Id, beginning of one (12 digits or more), or name.
  std::string reason;     ///< Why, for whoever reads the trail.
  std::string who;        ///< JSON object: the caller as the trail names it.
  /// Asked once the plan is known, for JSON that says who approved exactly it; an error says why
  /// nobody did. Empty: nobody was asked.
  std::function<Result<std::string>(const Plan&)> approve;
  std::string break_glass;  ///< Why guard rails and approvals are passed over; "" to keep them.
  std::int64_t ttl_s = 0;   ///< Released by itself after so long; 0: not.
  std::vector<std::string> allowed;  ///< Investigators' addresses.
  std::int64_t pid = 0;              ///< Of the process, for kill_process.
  bool dry_run = false;              ///< The plan and nothing else.
};

/// Longest automatic release, in seconds: 30 days.
inline constexpr std::int64_t kTtlMaxSeconds = std::int64_t{30} * 86'400;
/// Longest reason, in bytes.
inline constexpr std::size_t kReasonBytesMax = 1024;

/// Where a stage is told: "planned", "started", "done", "verified", "failed", "released",
/// "resumed", "renewed"; `members` is a JSON object without braces. Each becomes a trail entry.
using Tell = std::function<Result<void>(std::string_view stage, std::string_view members)>;

/// Runs actions on this host. One at a time on the host: the journal's lock. Not thread-safe.
class Responder {
 public:
  struct Settings {
    std::vector<std::string> engine_sockets;
    std::string directory;  ///< Of the journal.
    GuardRails rails;
    bool approvals_wanted = false;  ///< Class B needs an approval too; class C always does.
  };
  static Result<Responder> open(Settings settings, Tell tell);

  /// Called with the capabilities of the action right before it is planned, to give up the others.
  using Confine = std::function<Result<void>(std::span<const unsigned> kept)>;
  void confine_with(Confine confine) { confine_ = std::move(confine); }

  /// kDenied: a guard rail or a missing approval. An action that fails in the middle is undone.
  Result<void> run(const Request& request);
  /// Releases what is in force on the container, the newest first; of `action` alone unless "".
  Result<void> release(const std::string& container, const std::string& action,
                       const std::string& who, const std::string& reason);
  /// Replaces the addresses that a quarantine lets through.
  Result<void> allow(const Request& request);
  /// Finishes what a crash left half done, releases what is due, and makes quarantines hold for
  /// interfaces and starts that came since.
  Result<void> tend();
  /// What is in force.
  [[nodiscard]] Result<std::vector<Record>> list() const { return journal_.list(); }

 private:
  Responder(Settings settings, Journal journal, Tell tell)
      : settings_(std::move(settings)), journal_(std::move(journal)), tell_(std::move(tell)) {}
  Result<Plan> make_plan(const Action& action, const Request& request, const Target& target,
                         Record& record);
  std::string approval_of(const Action& action, const Request& request, Plan& plan) const;
  Result<void> carry_out(const Action& action, const Target& target, Record& record);
  Result<void> give_up(const Action& action, Record& record, const Error& why);
  Result<void> undo(Record record, std::string_view cause, const std::string& who);
  Result<void> verify(const Action& action, const Target& target, const Record& record);
  Result<void> tend_one(Record record);
  Result<void> renew(const Action& action, Record record);
  Result<void> finish(Record record);
  [[nodiscard]] Result<std::vector<Record>> matching(const std::string& container,
                                                     const std::string& action) const;

  Settings settings_;
  Journal journal_;
  Tell tell_;
  Confine confine_;
};

}  // namespace coff::response
