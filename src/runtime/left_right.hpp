// Two copies of a value: readers never wait, one writer at a time changes both in turn.
#pragma once

#include <atomic>
#include <mutex>
#include <thread>
#include <utility>

namespace coff::runtime {

/// The left-right technique (Ramalhete and Correia, 2015). read() is wait-free: two counter
/// updates and the function itself, which must be short. write() runs its function twice, once
/// on each copy, so the function must do the same both times; it waits for readers, never they
/// for it. Thread-safe.
template <typename T>
class LeftRight {
 public:
  /// Calls `look` with a const T& that doesn't change meanwhile and gives its result, which must
  /// not refer to the value.
  template <typename F>
  auto read(F look) const {
    const size_t version = version_.load();
    readers_[version].count.fetch_add(1);
    auto result = look(std::as_const(sides_[side_.load()]));
    readers_[version].count.fetch_sub(1);
    return result;
  }

  /// Calls `change` with each copy.
  template <typename F>
  void write(F change) {
    const std::scoped_lock lock(writer_);
    const size_t seen = side_.load();
    change(sides_[1 - seen]);
    side_.store(1 - seen);
    // Readers that came before the switch may still look at the old side; those that come from
    // now on count in the other counter, so that this wait ends.
    const size_t version = version_.load();
    wait_for_readers(1 - version);
    version_.store(1 - version);
    wait_for_readers(version);
    change(sides_[seen]);
  }

 private:
  struct alignas(64) Counter {
    std::atomic<size_t> count = 0;
  };
  void wait_for_readers(size_t version) const {
    while (readers_[version].count.load() != 0) std::this_thread::yield();
  }

  T sides_[2];
  std::atomic<size_t> side_ = 0;
  std::atomic<size_t> version_ = 0;
  mutable Counter readers_[2];
  std::mutex writer_;
};

}  // namespace coff::runtime
