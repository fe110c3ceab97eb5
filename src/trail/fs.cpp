// Every change that the trail makes to the file system: the real one.
#include "trail/fs.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.hpp"

namespace coff::trail {

namespace {

class RealFile : public FsFile {
 public:
  RealFile(Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  Result<size_t> write(std::string_view bytes, std::uint64_t offset) override {
    for (;;) {
      const ssize_t written =
          ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (written > 0) return static_cast<size_t>(written);
      if (written < 0 && errno == EINTR) continue;
      if (written == 0) errno = ENOSPC;
      return fail_errno("cannot write " + path_);
    }
  }
  Result<void> sync() override {
    if (::fdatasync(fd_.get()) != 0) return fail_errno("cannot sync " + path_);
    return {};
  }
  Result<void> truncate(std::uint64_t size_bytes) override {
    if (::ftruncate(fd_.get(), static_cast<off_t>(size_bytes)) != 0) {
      return fail_errno("cannot truncate " + path_);
    }
    return {};
  }
  Result<void> allocate(std::uint64_t size_bytes) override {
    errno = ::posix_fallocate(fd_.get(), 0, static_cast<off_t>(size_bytes));
    if (errno != 0) return fail_errno("cannot reserve space in " + path_);
    return {};
  }

 private:
  Fd fd_;
  std::string path_;
};

class RealFs : public Fs {
 public:
  Result<std::unique_ptr<FsFile>> open(const std::string& path, Mode mode,
                                       unsigned permissions) override {
    int flags = O_WRONLY | O_NOFOLLOW;
    if (mode == Mode::kCreate) flags |= O_CREAT | O_EXCL;
    if (mode == Mode::kEither) flags |= O_CREAT;
    Fd fd = TRY(open_file(path, flags, permissions));
    return std::make_unique<RealFile>(std::move(fd), path);
  }
  Result<void> rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return fail_errno("cannot rename " + from);
    return {};
  }
  Result<void> unlink(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) return fail_errno("cannot remove " + path);
    return {};
  }
  Result<void> make_directory(const std::string& path, unsigned permissions) override {
    if (::mkdir(path.c_str(), permissions) != 0 && errno != EEXIST) {
      return fail_errno("cannot make directory " + path);
    }
    return {};
  }
  Result<void> sync_directory(const std::string& path) override {
    return coff::sync_directory(path);
  }
};

}  // namespace

Result<void> Fs::replace(const std::string& directory, const std::string& name,
                         std::string_view bytes, unsigned permissions) {
  const std::string path = directory + "/" + name;
  const std::string temporary = path + ".tmp";
  {
    const auto file = TRY(open(temporary, Mode::kEither, permissions));
    TRY(file->truncate(0));
    TRY(write_fully(*file, bytes, 0));
    TRY(file->sync());
  }
  TRY(rename(temporary, path));
  return sync_directory(directory);
}

Result<void> write_fully(FsFile& file, std::string_view bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const size_t written = TRY(file.write(bytes, offset));
    bytes.remove_prefix(written);
    offset += written;
  }
  return {};
}

Fs& real_fs() {
  static RealFs fs;
  return fs;
}

}  // namespace coff::trail
