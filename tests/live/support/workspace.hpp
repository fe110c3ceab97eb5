// A directory of a test's own, gone when the test is.
#pragma once

#include <string>

#include "base/result.hpp"

namespace coff::live {

/// A fresh directory (mode 0711) below $TMPDIR or /tmp. Its destructor first detaches whatever is
/// still mounted below it, so that removing it never reaches into a container's files. Its path
/// is short, so that Unix sockets (107 bytes) fit below it.
class Workspace {
 public:
  static Result<Workspace> create();
  Workspace(Workspace&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  Workspace& operator=(Workspace&&) = delete;
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  ~Workspace();

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string operator/(std::string_view name) const {
    return path_ + "/" + std::string(name);
  }

 private:
  explicit Workspace(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace coff::live
