// The producer's side of the way to the trail keeper: batching, acknowledgement, exact loss counts.
#include "agent/trail_writer.hpp"

#include "agent/payload.hpp"
#include "base/clock.hpp"

namespace coff::agent {
namespace {
/// Wait before batches that a slow keeper refused are offered again.
constexpr int kRetryMs = 20;
}  // namespace

Result<void> TrailWriter::connect(Peer& peer) {
  peer_ = &peer;
  for (Batch& batch : batches_) {
    if (batch.sent) counters_.resent += batch.count;
    batch.sent = false;
  }
  return send_waiting();
}

void TrailWriter::add_redacted(std::span<const trail::Disclosure> redacted) {
  const std::size_t before = open_.redacted.size();
  for (const trail::Disclosure& value : redacted) {
    if (open_.redacted.size() - before + value.value.size() > kDisclosureBytesMax) {
      ++counters_.values_dropped;
      continue;
    }
    PayloadWriter(open_.redacted).text(text_of(value.salt)).text(value.value);
    ++open_.redacted_count;
  }
  counters_.waiting_bytes += open_.redacted.size() - before;
}

Result<std::uint64_t> TrailWriter::append(std::string_view object,
                                          std::span<const trail::Disclosure> redacted,
                                          std::span<const EntryReference> references) {
  COFF_ASSERT(references.size() <= kReferencesMax);
  if (object.size() > kEntryBytesMax) {
    ++counters_.refused_size;
    return fail(Code::kLimit, "an entry of " + std::to_string(object.size()) +
                                  " bytes is over the limit of " + std::to_string(kEntryBytesMax));
  }
  if (counters_.waiting_bytes + object.size() > kUnackedBytesMax) {
    ++counters_.refused_full;
    return fail(Code::kLimit, "the trail keeper is behind by " +
                                  std::to_string(counters_.waiting_bytes) + " bytes");
  }
  if (open_.count == 0) {
    open_.first = counters_.accepted;
    open_.begun_boot_ns = boot_now_ns();
  }
  for (const EntryReference& each : references) {
    PayloadWriter(open_.references).number(open_.count).number(each.offset).number(each.number);
    ++open_.reference_count;
  }
  PayloadWriter(open_.entries).text(object);
  ++open_.count;
  counters_.waiting_bytes += object.size() + sizeof(std::uint32_t);
  const std::uint64_t number = counters_.accepted++;
  add_redacted(redacted);
  if (open_.entries.size() + open_.redacted.size() >= kBatchBytes) TRY(flush());
  return number;
}

void TrailWriter::close_batch() {
  if (open_.count == 0) return;
  batches_.push_back(std::move(open_));
  open_ = Batch();
}

Result<void> TrailWriter::flush() {
  close_batch();
  return send_waiting();
}

Result<int> TrailWriter::flush_due() {
  const std::int64_t age_ms = (boot_now_ns() - open_.begun_boot_ns) / 1'000'000;
  if (open_.count > 0 && age_ms < kBatchDelayMs) return static_cast<int>(kBatchDelayMs - age_ms);
  TRY(flush());
  const bool refused =
      peer_ != nullptr && peer_->attached() && !batches_.empty() && !batches_.back().sent;
  return refused ? kRetryMs : -1;
}

Result<void> TrailWriter::send_waiting() {
  if (peer_ == nullptr || !peer_->attached()) return {};
  std::string payload;
  for (Batch& batch : batches_) {
    if (batch.sent) continue;
    payload.clear();
    payload.reserve(batch.entries.size() + batch.redacted.size() + batch.references.size() + 20);
    PayloadWriter(payload).number(batch.first).number(batch.count);
    payload += batch.entries;
    PayloadWriter(payload).number(batch.redacted_count);
    payload += batch.redacted;
    PayloadWriter(payload).number(batch.reference_count);
    payload += batch.references;
    auto sent = peer_->send(static_cast<std::uint16_t>(Message::kAppend), payload);
    if (sent) {
      batch.sent = true;
      continue;
    }
    // A slow keeper: the next flush tries again. A broken channel: its end is reported separately,
    // and the batch waits for the next keeper.
    return {};
  }
  return {};
}

Result<void> TrailWriter::handle_ack(std::string_view payload) {
  PayloadReader reader(payload);
  const auto next = reader.number<std::uint64_t>();
  const auto sequence = reader.number<std::uint64_t>();
  TRY(reader.done());
  while (!batches_.empty() && batches_.front().first + batches_.front().count <= next) {
    counters_.durable += batches_.front().count;
    counters_.waiting_bytes -= batches_.front().entries.size() + batches_.front().redacted.size();
    batches_.pop_front();
  }
  counters_.last_sequence = sequence;
  if (on_ack_ && next > 0) on_ack_(next - 1, sequence);
  return {};
}

}  // namespace coff::agent
