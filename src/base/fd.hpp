// Owning file descriptor and whole-buffer reads and writes.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.hpp"

namespace coff {

/// Owns one file descriptor and closes it on destruction. Move-only; -1 means empty.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int number) : number_(number) {}
  Fd(Fd&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    reset(std::exchange(other.number_, -1));
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }

  [[nodiscard]] int get() const { return number_; }
  [[nodiscard]] bool valid() const { return number_ >= 0; }
  /// Gives the descriptor up without closing it.
  [[nodiscard]] int release() { return std::exchange(number_, -1); }
  void reset(int number = -1);

 private:
  int number_ = -1;
};

/// open(2) with O_CLOEXEC added; the error names the path.
Result<Fd> open_file(const std::string& path, int flags, unsigned mode = 0600);
/// openat(2) with O_CLOEXEC added; the error names the path.
Result<Fd> open_file_at(const Fd& dir, const std::string& path, int flags, unsigned mode = 0600);

/// Writes every byte, going on after short writes and EINTR.
Result<void> write_all(const Fd& fd, std::string_view bytes);
/// Reads until `size_bytes_max` or end of file; an error when the file is longer than the limit.
Result<std::string> read_to_end(const Fd& fd, size_t size_bytes_max);
/// Opens and reads a whole file of at most `size_bytes_max` bytes.
Result<std::string> read_file(const std::string& path, size_t size_bytes_max);
/// Replaces `path` atomically: temporary file, fsync, rename, fsync of the directory.
Result<void> replace_file(const std::string& path, std::string_view bytes, unsigned mode = 0644);
/// fsync of a directory, so that renames in it survive a crash.
Result<void> sync_directory(const std::string& path);

}  // namespace coff
