// What the keeper does with redacted values: a sidecar beside the tree holds them until erased.
#include "agent/keeper.hpp"
#include "base/log.hpp"

namespace coff::agent {

void Keeper::lose_values(const Error& error) {
  if (counters_.values_lost % 1000 == 0) {
    log_error("keeper", "redacted values can't be stored: " + error.message());
  }
  counters_.values_lost += values_unflushed_;
  values_unflushed_ = 0;
  // A transaction that failed may be half open; the next value begins on a new connection.
  sidecar_.reset();
}

Result<void> Keeper::open_sidecar() {
  if (!sidecar_) {
    sidecar_ =
        TRY(trail::Sidecar::open(settings_.trail_dir() + "/" + std::string(trail::kSidecarFile),
                                 trail::Sidecar::Mode::kReadWrite));
  }
  return {};
}

Result<void> Keeper::erase_values_before(std::int64_t wall_ns) {
  TRY(open_sidecar());
  TRY(sidecar_->erase_before(wall_ns));
  return {};
}

void Keeper::store_values(std::span<const trail::Disclosure> values) {
  for (const trail::Disclosure& value : values) {
    ++values_unflushed_;
    ++counters_.values;
    if (auto opened = open_sidecar(); !opened) {
      lose_values(opened.error());
      continue;
    }
    if (auto stored = sidecar_->store(value); !stored) lose_values(stored.error());
  }
}

}  // namespace coff::agent
