// The root file system that live tests run containers from.
#pragma once

#include <string>

#include "base/result.hpp"

namespace coff::live {

/// Name of the image that import_busybox_image() makes.
inline constexpr const char* kBusyboxImage = "coff/busybox:1";

/// Writes `path`, a tar archive of a root file system: this machine's static busybox under
/// /bin with a link for each of its applets, and empty /etc, /tmp, /proc, /sys, /dev.
Result<void> write_busybox_archive(const std::string& path);

/// Connects to a Unix socket and asks GET /_ping; true when the answer's status is 200.
bool engine_answers(const std::string& socket_path);

}  // namespace coff::live
