// Making and clearing away a test's own directory.
#include "live/support/workspace.hpp"

#include <sys/mount.h>
#include <sys/stat.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <thread>
#include <vector>

#include "base/fd.hpp"

namespace coff::live {
namespace {

constexpr size_t kMountTableBytesMax = 16U << 20U;

// Newest first, since a mount may lie on another one.
void detach_mounts_below(const std::string& path) {
  const auto table = read_file("/proc/self/mountinfo", kMountTableBytesMax);
  if (!table) return;
  std::vector<std::string> places;
  std::istringstream lines(*table);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string word;
    for (int number = 0; number < 5; ++number) words >> word;
    if (word.starts_with(path + "/")) places.push_back(word);
  }
  for (auto place = places.rbegin(); place != places.rend(); ++place)
    ::umount2(place->c_str(), MNT_DETACH);
}

}  // namespace

Result<Workspace> Workspace::create() {
  const char* base = std::getenv("TMPDIR");
  std::string path = std::string(base != nullptr ? base : "/tmp") + "/coff.XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) return fail_errno("cannot make " + path);
  // An engine with remapped users looks into its own folders as one of them.
  ::chmod(path.c_str(), 0711);
  return Workspace(std::move(path));
}

Workspace::~Workspace() {
  if (path_.empty()) return;
  // An engine's helpers may end a moment after it and still write here.
  for (int attempt = 0; attempt < 20 && std::filesystem::exists(path_); ++attempt) {
    if (attempt > 0) std::this_thread::sleep_for(std::chrono::milliseconds(100));
    detach_mounts_below(path_);
    std::error_code problem;
    std::filesystem::remove_all(path_, problem);
  }
}

}  // namespace coff::live
