// Files of a process's root file system, opened so that no link leads out of it.
#pragma once

#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "inventory/packages/canonical.hpp"

namespace coff::inventory {

/// One root folder. Every name is resolved inside of it by the kernel (openat2(2),
/// RESOLVE_IN_ROOT): a link that a container made can't lead to a file of the host. Nothing is
/// parsed here.
class RootFiles {
 public:
  /// `folder` is a path such as "/proc/7/root".
  static Result<RootFiles> open(const std::string& folder);

  /// Opens a regular file for reading. kNotFound: there is none; kInvalid: it is something else
  /// (a pipe or a device is never opened).
  [[nodiscard]] Result<Fd> open_file(const std::string& path) const;
  /// All bytes of a regular file of at most `size_bytes_max`.
  [[nodiscard]] Result<std::string> read(const std::string& path, std::size_t size_bytes_max) const;
  /// Names in a folder, sorted, at most `count_max`; empty when there is no such folder.
  [[nodiscard]] std::vector<std::string> list(const std::string& path, std::size_t count_max) const;
  /// "lib" to "usr/lib" and the like, as far as they are links.
  [[nodiscard]] TopLinks top_links() const;

 private:
  explicit RootFiles(Fd root) : root_(std::move(root)) {}
  [[nodiscard]] Result<Fd> resolve(const std::string& path, int flags) const;

  Fd root_;
};

/// What a root's packages are read from.
struct Collected {
  std::string bundle;                 ///< bundle.hpp
  std::vector<std::string> problems;  ///< Databases that are there and were not collected.
};
/// Copies the package databases of a root into a bundle, with the lists of files when owners are
/// wanted. At most kBundleBytesMax; what doesn't fit is a problem.
Collected collect_databases(const RootFiles& root, const std::vector<std::string>& wanted);

inline constexpr std::size_t kBundleBytesMax = std::size_t{192} << 20U;

}  // namespace coff::inventory
