// What the keeper does when a witness answers, above all when one knows a past that the disk lacks.
#include "agent/keeper.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"

namespace coff::agent {
namespace {

/// Between two new epochs for a rollback. A witness that lies could otherwise make thousands.
constexpr std::int64_t kRollbackWaitNs = 3'600'000'000'000;

}  // namespace

Result<void> Keeper::handle_witness(Frame&& frame) {
  // It reads answers from the network and may have been taken over: count, don't obey.
  if (frame.type != static_cast<std::uint16_t>(Message::kWitnessAnswer)) {
    ++counters_.malformed;
    return {};
  }
  const auto contradiction = witnesses_.handle(log_, frame.payload);
  if (!contradiction) {
    ++counters_.malformed;
    return {};
  }
  return *contradiction ? begin_epoch(**contradiction) : Result<void>();
}

/// Leaves the epoch that a witness contradicts as it is, and goes on in a new one.
Result<void> Keeper::begin_epoch(const std::string& detail) {
  const std::int64_t now_ns = boot_now_ns();
  log_error("keeper", "the trail was rolled back or changed, says the witness " + detail);
  if (rolled_back_boot_ns_ != 0 && now_ns - rolled_back_boot_ns_ < kRollbackWaitNs) return {};
  TRY(commit());
  // A full disk: the next round asks again.
  if (pending_bytes_ > 0) return {};
  if (auto last = log_.checkpoint(); !last) {
    log_error("keeper", "no checkpoint: " + last.error().message());
  }
  const trail::LogOptions options = options_of(settings_);
  {
    const trail::Log closed = std::move(log_);
  }  // Its lock has to go first.
  log_closed_ = true;
  auto fresh = trail::Log::open_new_epoch(options, trail::EpochReason::kRollback, detail);
  if (!fresh) {
    log_error("keeper", "no new epoch: " + fresh.error().message());
    fresh = trail::Log::open(options);
  }
  if (!fresh) return std::unexpected(fresh.error());
  log_ = std::move(*fresh);
  log_closed_ = false;
  rolled_back_boot_ns_ = now_ns;
  witnesses_.forget_sizes();
  if (index_) index_->announce(log_.epoch(), log_.durable_size());
  return {};
}

}  // namespace coff::agent
