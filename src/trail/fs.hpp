// Every change that the trail makes to the file system, as an interface so that tests can fail it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace coff::trail {

/// A file opened for writing. Closing it makes nothing durable.
class FsFile {
 public:
  FsFile() = default;
  FsFile(const FsFile&) = delete;
  FsFile& operator=(const FsFile&) = delete;
  virtual ~FsFile() = default;
  /// pwrite(2): may write less than given, never 0 without an error.
  virtual Result<size_t> write(std::string_view bytes, std::uint64_t offset) = 0;
  /// fdatasync(2). After a failure the file's state on disk is unknown: don't try again.
  virtual Result<void> sync() = 0;
  /// ftruncate(2).
  virtual Result<void> truncate(std::uint64_t size_bytes) = 0;
  /// posix_fallocate(3): really takes the space.
  virtual Result<void> allocate(std::uint64_t size_bytes) = 0;
};

/// Reading doesn't go through here: only what changes the disk can break a promise.
class Fs {
 public:
  Fs() = default;
  Fs(const Fs&) = delete;
  Fs& operator=(const Fs&) = delete;
  virtual ~Fs() = default;
  enum class Mode : unsigned char {
    kCreate,  ///< Must not exist yet.
    kOpen,    ///< Must exist.
    kEither,
  };
  virtual Result<std::unique_ptr<FsFile>> open(const std::string& path, Mode mode,
                                               unsigned permissions) = 0;
  virtual Result<void> rename(const std::string& from, const std::string& to) = 0;
  virtual Result<void> unlink(const std::string& path) = 0;
  /// Existing is no error.
  virtual Result<void> make_directory(const std::string& path, unsigned permissions) = 0;
  virtual Result<void> sync_directory(const std::string& path) = 0;

  /// Replaces a small file so that a crash leaves the old or the new one whole: temporary file,
  /// sync, rename, sync of the directory.
  Result<void> replace(const std::string& directory, const std::string& name,
                       std::string_view bytes, unsigned permissions);
};

/// Writes all bytes, going on after short writes.
Result<void> write_fully(FsFile& file, std::string_view bytes, std::uint64_t offset);

/// The real file system.
Fs& real_fs();

}  // namespace coff::trail
