// Events for those who follow them: from the sensor to the control process, only while wanted.
#include "agent/live_feed.hpp"

#include "agent/messages.hpp"
#include "agent/payload.hpp"

namespace coff::agent {
namespace {
/// Bytes that may wait for the control process before events for followers are dropped.
constexpr std::size_t kLiveQueueBytesMax = 2U << 20U;
constexpr std::size_t kLiveEventBytesMin = 16;
}  // namespace

Result<void> LiveFeed::publish(const LiveEvent& event) {
  if (!wanted()) return {};
  if (control_.queued_bytes() > kLiveQueueBytesMax || event.json.size() > kPayloadBytesMax / 2) {
    ++dropped_;
    return {};
  }
  PayloadWriter(batch_)
      .text(event.kind)
      .text(event.container_id)
      .text(event.container_name)
      .text(event.json);
  ++count_;
  ++published_;
  return batch_.size() >= kLiveBatchBytes ? flush() : Result<void>();
}

Result<void> LiveFeed::flush() {
  if (count_ == 0) return {};
  std::string payload;
  payload.reserve(batch_.size() + 16);
  PayloadWriter(payload).number(dropped_).number(count_);
  payload += batch_;
  // A refusal means that the control process is slow or gone; followers then miss these.
  if (!control_.send(static_cast<std::uint16_t>(Message::kLive), payload)) dropped_ += count_;
  batch_.clear();
  count_ = 0;
  return {};
}

Result<std::vector<LiveEvent>> read_live_batch(std::string_view payload, std::uint64_t& dropped) {
  PayloadReader reader(payload);
  dropped = reader.number<std::uint64_t>();
  const std::uint32_t count = reader.count(kLiveEventBytesMin);
  std::vector<LiveEvent> events;
  events.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    LiveEvent event;
    event.kind = reader.text();
    event.container_id = reader.text();
    event.container_name = reader.text();
    event.json = reader.text();
    events.push_back(event);
  }
  TRY(reader.done());
  return events;
}

}  // namespace coff::agent
