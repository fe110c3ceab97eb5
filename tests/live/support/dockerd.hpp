// A Docker engine of a test's own: starts without systemd, beside any other, and leaves nothing.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "live/support/image.hpp"
#include "live/support/process.hpp"
#include "live/support/workspace.hpp"

namespace coff::live {

/// What containers of an engine can be connected to.
enum class Bridge : unsigned char {
  kNone,     ///< Only --network none and host; nothing on the host changes.
  kPrivate,  ///< A bridge of this engine's own with a /24 of its own. No packet filter rule is
             ///< touched, so containers reach each other and the host, and nothing beyond.
};

struct DockerdOptions {
  Bridge bridge = Bridge::kNone;
  std::vector<std::string> arguments;  ///< More arguments for dockerd.
};

/// One running dockerd (with its own containerd) in a directory of its own. Not thread-safe,
/// except docker(), which any number of threads may call. The destructor removes all its
/// containers, stops it (SIGTERM, SIGKILL after 20 s) and removes its bridge and directory.
class Dockerd {
 public:
  /// Starts it and waits until it answers (30 s at most); the error quotes the end of its log.
  static Result<std::unique_ptr<Dockerd>> start(DockerdOptions options = {});
  ~Dockerd();
  Dockerd(const Dockerd&) = delete;
  Dockerd& operator=(const Dockerd&) = delete;

  [[nodiscard]] const std::string& socket_path() const { return socket_path_; }
  [[nodiscard]] pid_t pid() const { return child_.pid(); }
  /// For files of the test's own beside the engine's; goes with the engine.
  [[nodiscard]] const Workspace& workspace() const { return workspace_; }
  /// Gateway of the private bridge, e.g. "10.130.7.1"; "" without one.
  [[nodiscard]] const std::string& gateway() const { return gateway_; }

  /// Runs the docker client on this engine: docker({"ps", "-q"}). As run_ok().
  Result<std::string> docker(std::vector<std::string> arguments,
                             const RunOptions& options = {}) const;
  /// Imports kBusyboxImage, unless it is there. Gives its image id.
  Result<std::string> import_busybox_image() const;

  /// Ends dockerd in good order; the image store and the socket's path stay.
  void stop();
  /// Ends it with SIGKILL, as a crash would.
  void kill();
  /// Starts it again after stop() or kill(), with the same directories.
  Result<void> start_again();

 private:
  Dockerd(Workspace workspace, DockerdOptions options);
  Result<void> make_bridge();

  Workspace workspace_;
  DockerdOptions options_;
  std::string socket_path_;
  std::string bridge_name_;
  std::string gateway_;
  Child child_;
};

}  // namespace coff::live
