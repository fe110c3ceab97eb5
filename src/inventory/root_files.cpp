// Files of a process's root file system, opened so that no link leads out of it.
#include "inventory/root_files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

namespace coff::inventory {

Result<RootFiles> RootFiles::open(const std::string& folder) {
  return RootFiles(TRY(coff::open_file(folder, O_PATH | O_DIRECTORY)));
}

Result<Fd> RootFiles::resolve(const std::string& path, int flags) const {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  const long number = ::syscall(SYS_openat2, root_.get(), path.c_str(), &how, sizeof how);
  if (number < 0) return fail_errno("cannot open " + path);
  return Fd(static_cast<int>(number));
}

Result<Fd> RootFiles::open_file(const std::string& path) const {
  const Fd place = TRY(resolve(path, O_PATH));
  struct stat status{};
  if (::fstat(place.get(), &status) != 0) return fail_errno("cannot stat " + path);
  if (!S_ISREG(status.st_mode)) return fail(Code::kInvalid, path + " is no regular file");
  // The very file that was looked at: its name may lead to a pipe by now.
  return coff::open_file("/proc/self/fd/" + std::to_string(place.get()), O_RDONLY | O_NONBLOCK);
}

Result<std::string> RootFiles::read(const std::string& path, std::size_t size_bytes_max) const {
  return read_to_end(TRY(open_file(path)), size_bytes_max);
}

std::vector<std::string> RootFiles::list(const std::string& path, std::size_t count_max) const {
  std::vector<std::string> names;
  auto folder = resolve(path, O_RDONLY | O_DIRECTORY | O_NONBLOCK);
  if (!folder) return names;
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(folder->get()), &::closedir);
  if (!stream) return names;
  [[maybe_unused]] const int given = folder->release();
  while (names.size() < count_max) {
    const dirent* entry = ::readdir(stream.get());
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  std::ranges::sort(names);
  return names;
}

TopLinks RootFiles::top_links() const {
  TopLinks links;
  for (const char* name : {"bin", "sbin", "lib", "lib32", "lib64", "libx32"}) {
    char target[256];
    const ssize_t size = ::readlinkat(root_.get(), name, target, sizeof target);
    if (size > 0 && static_cast<std::size_t>(size) < sizeof target) {
      links.emplace(name, std::string(target, static_cast<std::size_t>(size)));
    }
  }
  return links;
}

}  // namespace coff::inventory
