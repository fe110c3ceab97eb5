// A tar archive as a stream: POSIX pax interchange format, with extended attributes.
#pragma once

#include <sys/stat.h>

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "evidence/memory/core.hpp"

namespace coff::evidence {

/// One member. Names may hold anything but NUL; they are stored without a leading '/'.
struct TarEntry {
  std::string path;
  struct stat status{};
  std::string link;                                             ///< Target of a symbolic link.
  std::vector<std::pair<std::string, std::string>> attributes;  ///< Extended attributes.
};

class TarWriter {
 public:
  explicit TarWriter(Sink sink) : sink_(std::move(sink)) {}
  /// A member's head; for a regular file exactly `status.st_size` bytes must follow by body().
  Result<void> head(const TarEntry& entry);
  Result<void> body(std::string_view bytes);
  /// Fills what is missing of the body with zeroes; tells how many bytes that were.
  Result<std::uint64_t> end_body();
  /// The two blocks of zeroes.
  Result<void> finish();

 private:
  Sink sink_;
  std::uint64_t left_ = 0;
  std::uint64_t padding_ = 0;
};

}  // namespace coff::evidence
