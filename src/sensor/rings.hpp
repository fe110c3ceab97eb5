// Reads the lanes' rings in an order that makes sense of them together.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "bpf/wire.h"

struct ring_buffer;

namespace coff::sensor {

/// One record of a batch. Valid until the next read().
struct RawRecord {
  std::uint64_t time = 0;  ///< hdr.time, for the order.
  std::span<const std::byte> bytes;
};

/// The consumer of the three rings. Reads the file and the net lane first and the priority lane
/// last, so that whatever a task did before it appears in the batch (its fork, its exec) is in the
/// same batch or an earlier one, and returns all sorted by time. Not thread-safe.
class Rings {
 public:
  /// `fds` are the ring maps in the order of enum coff_lane; they are borrowed.
  static Result<Rings> open(const std::array<int, COFF_LANES>& fds);
  Rings(Rings&&) noexcept;
  Rings& operator=(Rings&&) noexcept;
  ~Rings();

  /// At most about `bytes_max` of each of the lesser lanes; all of the priority lane. Empty when
  /// nothing waits.
  Result<std::span<const RawRecord>> read(size_t bytes_max);
  /// Becomes readable when a ring is filling up; empty rings are looked at by time.
  [[nodiscard]] int poll_fd() const;

 private:
  struct RingDeleter {
    void operator()(ring_buffer* ring) const;
  };
  /// Copies of records, so that their place in the ring is free again at once.
  struct Lane {
    std::vector<std::byte> bytes;
    std::vector<std::pair<size_t, size_t>> records;  ///< Offset and size.
    size_t bytes_max = 0;
    std::unique_ptr<ring_buffer, RingDeleter> ring;
  };
  static int take(void* lane, void* data, size_t size);

  Rings() = default;

  std::array<std::unique_ptr<Lane>, COFF_LANES> lanes_;
  std::vector<RawRecord> batch_;
  int poll_fd_ = -1;
};

}  // namespace coff::sensor
