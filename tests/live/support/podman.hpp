// A podman service of a test's own: podman's Docker-compatible socket, with stores of its own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "live/support/image.hpp"
#include "live/support/process.hpp"
#include "live/support/workspace.hpp"

namespace coff::live {

/// One running `podman system service` with runc and no network. The destructor removes its
/// containers, stops it and removes its directory.
class PodmanService {
 public:
  static Result<std::unique_ptr<PodmanService>> start();
  ~PodmanService();
  PodmanService(const PodmanService&) = delete;
  PodmanService& operator=(const PodmanService&) = delete;

  [[nodiscard]] const std::string& socket_path() const { return socket_path_; }
  /// Runs the podman client on the same stores: podman({"ps", "-q"}). As run_ok().
  Result<std::string> podman(std::vector<std::string> arguments,
                             const RunOptions& options = {}) const;
  /// Imports kBusyboxImage. Gives its image id.
  Result<std::string> import_busybox_image() const;

 private:
  explicit PodmanService(Workspace workspace);
  [[nodiscard]] std::vector<std::string> with_stores(std::vector<std::string> arguments) const;

  Workspace workspace_;
  std::string socket_path_;
  Child child_;
};

}  // namespace coff::live
