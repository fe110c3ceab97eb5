// A read-only shared memory mapping that unmaps itself.
#pragma once

#include <cstddef>
#include <utility>

#include "base/result.hpp"

namespace coff {

/// Owns one mmap(2) region. Move-only; empty by default.
class Mapping {
 public:
  Mapping() = default;
  /// Maps `size_bytes` of `fd` from its beginning, shared and read-only. The descriptor may be
  /// closed afterwards.
  static Result<Mapping> map(int fd, size_t size_bytes);
  Mapping(Mapping&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_bytes_(other.size_bytes_) {}
  Mapping& operator=(Mapping&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_bytes_, other.size_bytes_);
    return *this;
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping();

  [[nodiscard]] const void* data() const { return data_; }
  [[nodiscard]] size_t size_bytes() const { return size_bytes_; }

 private:
  void* data_ = nullptr;
  size_t size_bytes_ = 0;
};

}  // namespace coff
