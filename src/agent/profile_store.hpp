// Profiles of learned behaviour on disk: one file for each service, in a directory of the sensor's.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "baseline/profile.hpp"

namespace coff::agent {

/// What load() found.
struct LoadedProfiles {
  std::vector<baseline::Profile> profiles;
  std::vector<std::string> problems;  ///< Files that could not be used, and why; sentences.
};

/// Writes on a thread of its own: a slow disk delays no event. Each file is replaced atomically and
/// named by the SHA-256 of its service. Belongs to one thread.
class ProfileStore {
 public:
  static constexpr std::size_t kFilesMax = 4096;

  explicit ProfileStore(std::string directory);
  ProfileStore(const ProfileStore&) = delete;
  ProfileStore& operator=(const ProfileStore&) = delete;
  /// Writes what is waiting, then ends.
  ~ProfileStore();

  /// Reads every profile of the directory, which may hold anything. A file that is no profile is
  /// left out, renamed to *.bad, and named in the problems.
  [[nodiscard]] LoadedProfiles load(std::size_t features_max) const;
  /// Replaces the file of a service; an empty text removes it. Only the newest waits.
  void write(const std::string& service, std::string text);
  /// Waits until nothing waits.
  void flush();
  [[nodiscard]] std::uint64_t written() const { return written_; }
  [[nodiscard]] std::uint64_t failed() const { return failed_; }
  /// Why the last one that failed did; empty: none did since it was taken.
  std::string take_problem();

 private:
  void run(const std::stop_token& stop);
  [[nodiscard]] std::string path_of(std::string_view service) const;

  std::string directory_;
  std::atomic<std::uint64_t> written_ = 0;
  std::atomic<std::uint64_t> failed_ = 0;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::condition_variable_any done_;
  std::map<std::string, std::string> waiting_;  ///< Guarded by mutex_, and so are those below.
  bool busy_ = false;
  std::string problem_;
  std::jthread thread_;
};

}  // namespace coff::agent
