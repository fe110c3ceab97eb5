// Reads the lanes' rings in an order that makes sense of them together.
#include "sensor/rings.hpp"

#include <bpf/libbpf.h>

#include <algorithm>
#include <cstring>

namespace coff::sensor {

void Rings::RingDeleter::operator()(ring_buffer* ring) const { ring_buffer__free(ring); }

Rings::Rings(Rings&&) noexcept = default;
Rings& Rings::operator=(Rings&&) noexcept = default;
Rings::~Rings() = default;

Result<Rings> Rings::open(const std::array<int, COFF_LANES>& fds) {
  Rings rings;
  for (size_t at = 0; at < COFF_LANES; ++at) {
    rings.lanes_[at] = std::make_unique<Lane>();
    Lane& lane = *rings.lanes_[at];
    lane.ring.reset(ring_buffer__new(fds[at], &Rings::take, &lane, nullptr));
    if (lane.ring == nullptr) return fail_errno("cannot map the ring of a lane");
  }
  rings.poll_fd_ = ring_buffer__epoll_fd(rings.lanes_[COFF_LANE_PRIO]->ring.get());
  return rings;
}

int Rings::poll_fd() const { return poll_fd_; }

int Rings::take(void* lane_pointer, void* data, size_t size) {
  Lane& lane = *static_cast<Lane*>(lane_pointer);
  // Records are read as structs: keep each on an 8-byte boundary.
  const size_t offset = (lane.bytes.size() + 7) & ~size_t{7};
  lane.bytes.resize(offset + size);
  std::memcpy(lane.bytes.data() + offset, data, size);
  lane.records.emplace_back(offset, size);
  // Any negative number ends this round and keeps the record consumed.
  return lane.bytes.size() >= lane.bytes_max ? -ECANCELED : 0;
}

Result<std::span<const RawRecord>> Rings::read(size_t bytes_max) {
  batch_.clear();
  for (const coff_lane which : {COFF_LANE_FILE, COFF_LANE_NET, COFF_LANE_PRIO}) {
    Lane& lane = *lanes_[which];
    lane.bytes.clear();
    lane.records.clear();
    lane.bytes_max = which == COFF_LANE_PRIO ? SIZE_MAX : bytes_max;
    const int taken = ring_buffer__consume(lane.ring.get());
    if (taken < 0 && taken != -ECANCELED) {
      errno = -taken;
      return fail_errno("cannot read the ring of a lane");
    }
    for (const auto& [offset, size] : lane.records) {
      std::uint64_t time = 0;
      if (size >= sizeof(coff_hdr)) {
        std::memcpy(&time, lane.bytes.data() + offset + offsetof(coff_hdr, time), sizeof time);
      }
      batch_.push_back({time, {lane.bytes.data() + offset, size}});
    }
  }
  std::stable_sort(batch_.begin(), batch_.end(),
                   [](const RawRecord& a, const RawRecord& b) { return a.time < b.time; });
  return std::span<const RawRecord>(batch_);
}

}  // namespace coff::sensor
