// Bounded binary encoding of the values that our own processes send each other.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace coff::agent {

/// Appends values to a payload, in the byte order of this machine: both ends run the same binary.
class PayloadWriter {
 public:
  explicit PayloadWriter(std::string& out) : out_(out) {}

  /// Appends an integer or a bool at its own width.
  template <typename T>
  PayloadWriter& number(T value) {
    static_assert(std::is_integral_v<T>);
    out_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  /// Appends a u32 length and the bytes.
  PayloadWriter& text(std::string_view value) {
    number(static_cast<std::uint32_t>(value.size()));
    out_.append(value);
    return *this;
  }

 private:
  std::string& out_;
};

/// Reads what PayloadWriter wrote. The bytes may be hostile: the first value that doesn't fit
/// makes every later one zero or empty, and done() an error. Views live as long as the payload.
class PayloadReader {
 public:
  explicit PayloadReader(std::string_view bytes) : rest_(bytes) {}

  template <typename T>
  T number() {
    static_assert(std::is_integral_v<T>);
    if constexpr (std::is_same_v<T, bool>) {
      return number<std::uint8_t>() != 0;
    } else {
      T value{};
      const std::string_view bytes = take(sizeof value);
      if (!failed_) std::memcpy(&value, bytes.data(), sizeof value);
      return value;
    }
  }
  std::string_view text() { return take(number<std::uint32_t>()); }
  /// Number of elements that follow; fails when each needs `size_bytes_min` and they can't fit.
  std::uint32_t count(std::size_t size_bytes_min) {
    const auto value = number<std::uint32_t>();
    if (value > rest_.size() / size_bytes_min) failed_ = true;
    return failed_ ? 0 : value;
  }

  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] bool empty() const { return rest_.empty(); }
  /// An error unless everything was read and nothing was missing.
  [[nodiscard]] Result<void> done() const {
    if (failed_) return fail(Code::kInvalid, "a message between our processes is too short");
    if (!rest_.empty()) return fail(Code::kInvalid, "a message between our processes is too long");
    return {};
  }

 private:
  std::string_view take(std::size_t size) {
    if (failed_ || size > rest_.size()) {
      failed_ = true;
      return {};
    }
    const std::string_view bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return bytes;
  }

  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace coff::agent
