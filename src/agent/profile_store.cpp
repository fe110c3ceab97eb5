// Profiles of learned behaviour on disk: one file for each service, in a directory of the sensor's.
#include "agent/profile_store.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "base/bytes.hpp"
#include "base/fd.hpp"

namespace coff::agent {

namespace {

constexpr std::string_view kSuffix = ".json";

std::string file_of(std::string_view service) {
  const Hash hash = sha256(service);
  return to_hex(std::span(hash).first(16)) + std::string(kSuffix);
}

Result<baseline::Profile> read_profile(const std::string& path, std::size_t features_max) {
  // Not blocking: what lies there may be a pipe.
  const Fd file = TRY(open_file(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  const std::string text = TRY(read_to_end(file, baseline::kProfileBytesMax));
  baseline::Profile profile = TRY(baseline::parse_profile(text, features_max));
  if (!path.ends_with('/' + file_of(profile.service))) {
    return fail(Code::kInvalid, "the file has the name of another service");
  }
  return profile;
}

}  // namespace

ProfileStore::ProfileStore(std::string directory)
    : directory_(std::move(directory)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

ProfileStore::~ProfileStore() {
  thread_.request_stop();
  thread_.join();
}

std::string ProfileStore::path_of(std::string_view service) const {
  return directory_ + '/' + file_of(service);
}

LoadedProfiles ProfileStore::load(std::size_t features_max) const {
  LoadedProfiles loaded;
  std::error_code problem;
  std::vector<std::string> paths;
  for (std::filesystem::directory_iterator at(directory_, problem), end; !problem && at != end;
       at.increment(problem)) {
    const std::string path = at->path().string();
    if (path.ends_with(kSuffix)) paths.push_back(path);
    if (paths.size() >= kFilesMax) break;
  }
  if (problem && problem != std::errc::no_such_file_or_directory) {
    loaded.problems.push_back("cannot read " + directory_ + ": " + problem.message());
  }
  std::ranges::sort(paths);
  for (const std::string& path : paths) {
    auto profile = read_profile(path, features_max);
    if (profile) {
      loaded.profiles.push_back(std::move(*profile));
      continue;
    }
    loaded.problems.push_back(printable(path) + ": " + profile.error().message() +
                              "; it is kept as *.bad, and the service is learned anew");
    std::filesystem::rename(path, path + ".bad", problem);
  }
  return loaded;
}

void ProfileStore::write(const std::string& service, std::string text) {
  const std::lock_guard lock(mutex_);
  waiting_[service] = std::move(text);
  wake_.notify_one();
}

void ProfileStore::flush() {
  std::unique_lock lock(mutex_);
  done_.wait(lock, [this] { return waiting_.empty() && !busy_; });
}

std::string ProfileStore::take_problem() {
  const std::lock_guard lock(mutex_);
  return std::exchange(problem_, {});
}

void ProfileStore::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, stop, [this] { return !waiting_.empty(); });
    if (waiting_.empty()) return;  // Told to stop, and nothing is left to do.
    const auto next = waiting_.extract(waiting_.begin());
    busy_ = true;
    lock.unlock();
    const std::string path = path_of(next.key());
    Result<void> outcome;
    if (!next.mapped().empty()) outcome = replace_file(path, next.mapped(), 0600);
    else if (::unlink(path.c_str()) != 0 && errno != ENOENT)
      outcome = fail_errno("cannot remove " + path);
    ++(outcome ? written_ : failed_);
    lock.lock();
    if (!outcome) problem_ = outcome.error().message();
    busy_ = false;
    done_.notify_all();
  }
}

}  // namespace coff::agent
