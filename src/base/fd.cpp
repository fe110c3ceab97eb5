// Owning file descriptor and whole-buffer reads and writes.
#include "base/fd.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace coff {

void Fd::reset(int number) {
  if (number_ >= 0) ::close(number_);
  number_ = number;
}

Result<Fd> open_file(const std::string& path, int flags, unsigned mode) {
  Fd fd(::open(path.c_str(), flags | O_CLOEXEC, mode));
  if (!fd.valid()) return fail_errno("cannot open " + path);
  return fd;
}

Result<Fd> open_file_at(const Fd& dir, const std::string& path, int flags, unsigned mode) {
  Fd fd(::openat(dir.get(), path.c_str(), flags | O_CLOEXEC, mode));
  if (!fd.valid()) return fail_errno("cannot open " + path);
  return fd;
}

Result<void> write_all(const Fd& fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail_errno("cannot write");
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return {};
}

Result<std::string> read_to_end(const Fd& fd, size_t size_bytes_max) {
  std::string content;
  char buffer[16384];
  for (;;) {
    const ssize_t got = ::read(fd.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("cannot read");
    if (got == 0) return content;
    content.append(buffer, static_cast<size_t>(got));
    if (content.size() > size_bytes_max) {
      return fail(Code::kLimit,
                  "file is longer than the limit of " + std::to_string(size_bytes_max) + " bytes");
    }
  }
}

Result<std::string> read_file(const std::string& path, size_t size_bytes_max) {
  const Fd fd = TRY(open_file(path, O_RDONLY));
  auto content = read_to_end(fd, size_bytes_max);
  if (!content) content.error().what = path + ": " + content.error().what;
  return content;
}

Result<void> sync_directory(const std::string& path) {
  const Fd dir = TRY(open_file(path, O_RDONLY | O_DIRECTORY));
  if (::fsync(dir.get()) != 0) return fail_errno("cannot sync directory " + path);
  return {};
}

Result<void> replace_file(const std::string& path, std::string_view bytes, unsigned mode) {
  const std::string temporary = path + ".tmp";
  {
    const Fd fd = TRY(open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC, mode));
    TRY(write_all(fd, bytes));
    if (::fsync(fd.get()) != 0) return fail_errno("cannot sync " + temporary);
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) return fail_errno("cannot rename to " + path);
  const size_t slash = path.rfind('/');
  return sync_directory(slash == std::string::npos ? "." : path.substr(0, slash + 1));
}

}  // namespace coff
