// Bounded reading of one hostile file by offset: nothing behind its end, nothing without a limit.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace coff::inventory {

/// Names of libraries, interpreters and sections are at most this long.
inline constexpr std::uint64_t kNameBytesMax = 4096;

/// A regular file as it was when it was opened. Borrows the descriptor.
class ElfFile {
 public:
  static Result<ElfFile> open(const Fd& fd) {
    struct stat status{};
    if (::fstat(fd.get(), &status) != 0) return fail_errno("cannot stat the file");
    if (!S_ISREG(status.st_mode)) return fail(Code::kInvalid, "not a regular file");
    return ElfFile(fd, static_cast<std::uint64_t>(status.st_size));
  }

  /// Fills `bytes` from this place, or an error.
  [[nodiscard]] Result<void> read_into(std::uint64_t offset, std::span<char> bytes) const {
    if (offset > size_ || bytes.size() > size_ - offset) {
      return fail(Code::kInvalid, "the ELF file refers to bytes behind its end");
    }
    while (!bytes.empty()) {
      const ssize_t got =
          ::pread(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return fail_errno("cannot read the ELF file");
      if (got == 0) return fail(Code::kInvalid, "the ELF file became shorter while it was read");
      bytes = bytes.subspan(static_cast<std::size_t>(got));
      offset += static_cast<std::uint64_t>(got);
    }
    return {};
  }
  /// Exactly these bytes; nothing is allocated for bytes that the file doesn't have.
  [[nodiscard]] Result<std::string> read(std::uint64_t offset, std::uint64_t size) const {
    if (offset > size_ || size > size_ - offset) {
      return fail(Code::kInvalid, "the ELF file refers to bytes behind its end");
    }
    std::string bytes(size, '\0');
    TRY(read_into(offset, bytes));
    return bytes;
  }
  template <typename T>
  [[nodiscard]] Result<T> value(std::uint64_t offset) const {
    T value{};
    TRY(read_into(offset, std::span(reinterpret_cast<char*>(&value), sizeof value)));
    return value;
  }
  /// A text ended by NUL at `offset`, at most `size` bytes of which are looked at.
  [[nodiscard]] Result<std::string> text(std::uint64_t offset, std::uint64_t size) const {
    if (offset >= size_) return fail(Code::kInvalid, "an ELF string is behind the file's end");
    const std::uint64_t most = std::min({size, size_ - offset, kNameBytesMax});
    std::string bytes = TRY(read(offset, most));
    const std::size_t end = bytes.find('\0');
    if (end == std::string::npos) return fail(Code::kInvalid, "an ELF string has no end");
    bytes.resize(end);
    return bytes;
  }

  [[nodiscard]] std::uint64_t size() const { return size_; }

 private:
  ElfFile(const Fd& fd, std::uint64_t size) : fd_(fd), size_(size) {}

  const Fd& fd_;
  std::uint64_t size_;
};

}  // namespace coff::inventory
