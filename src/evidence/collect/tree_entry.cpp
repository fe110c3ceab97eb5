// One entry of a tree: its attributes, its line of the table, what the layers below have instead.
#include "evidence/collect/tree_entry.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/json_writer.hpp"
#include "evidence/digest.hpp"

namespace coff::evidence {
namespace {

constexpr std::uint64_t kHashedBelowBytesMax = std::uint64_t{64} << 20U;

/// Overlayfs marks a deleted name with a character device 0:0.
bool is_whiteout(const struct stat& status) {
  return S_ISCHR(status.st_mode) && status.st_rdev == ::makedev(0, 0);
}

std::string path_of(const Fd& folder, const std::string& name) {
  return "/proc/self/fd/" + std::to_string(folder.get()) + "/" + name;
}

Fd open_below(const Fd& layer, const std::string& path) {
  open_how how{};
  how.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return Fd(static_cast<int>(::syscall(SYS_openat2, layer.get(), path.c_str(), &how, sizeof how)));
}

std::int64_t time_ns(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

std::string_view kind_of(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFLNK: return "link";
    case S_IFCHR: return "character device";
    case S_IFBLK: return "block device";
    case S_IFDIR: return "folder";
    case S_IFIFO: return "pipe";
    case S_IFSOCK: return "socket";
    default: return "file";
  }
}

void write_status(JsonWriter& json, const struct stat& status) {
  char mode[8];
  std::snprintf(mode, sizeof mode, "%04o", static_cast<unsigned>(status.st_mode & 07777U));
  json.member("kind", kind_of(status.st_mode))
      .member("mode", std::string_view(mode))
      .member("uid", status.st_uid)
      .member("gid", status.st_gid)
      .member("bytes", static_cast<std::int64_t>(status.st_size))
      .member("mtime", format_time(time_ns(status.st_mtim)));
}

}  // namespace

std::vector<std::pair<std::string, std::string>> attributes_of(const Fd& folder,
                                                               const std::string& name) {
  std::vector<std::pair<std::string, std::string>> found;
  const std::string path = path_of(folder, name);
  std::string names(kAttributeBytesMax, '\0');
  const ssize_t size = ::llistxattr(path.c_str(), names.data(), names.size());
  if (size <= 0) return found;
  std::string value(kAttributeBytesMax, '\0');
  for (ssize_t at = 0; at < size;) {
    const std::string attribute(names.c_str() + at);
    at += static_cast<ssize_t>(attribute.size()) + 1;
    const ssize_t got = ::lgetxattr(path.c_str(), attribute.c_str(), value.data(), value.size());
    if (got >= 0) found.emplace_back(attribute, value.substr(0, static_cast<std::size_t>(got)));
  }
  return found;
}

std::string link_of(const Fd& folder, const std::string& name) {
  std::array<char, 4096> target{};
  const ssize_t size = ::readlinkat(folder.get(), name.c_str(), target.data(), target.size());
  return size > 0 ? std::string(target.data(), static_cast<std::size_t>(size)) : std::string();
}

Comparison compare(const std::vector<Fd>& layers, const TarEntry& entry,
                   const std::string& sha256) {
  Comparison result{.change = "added"};
  if (is_whiteout(entry.status)) result.change = "deleted";
  for (const Fd& layer : layers) {
    const Fd place = open_below(layer, entry.path);
    if (!place.valid()) continue;
    struct stat status{};
    if (::fstat(place.get(), &status) != 0 || is_whiteout(status)) break;
    result.below = status;
    if (result.change == "added") result.change = "changed";
    if (S_ISREG(status.st_mode) && !sha256.empty() &&
        static_cast<std::uint64_t>(status.st_size) <= kHashedBelowBytesMax) {
      std::uint64_t size = 0;
      // Through the descriptor, which is the very file that was looked at.
      const Fd file(::open(path_of(place, "").substr(0, path_of(place, "").size() - 1).c_str(),
                           O_RDONLY | O_CLOEXEC | O_NONBLOCK));
      if (file.valid()) {
        const auto hash = hash_descriptor(file, size);
        if (hash) result.below_sha256 = to_hex(*hash);
      }
    }
    break;
  }
  return result;
}

std::string table_line(const TarEntry& entry, const std::string& sha256, std::string_view note,
                       const Comparison& comparison) {
  std::string line;
  JsonWriter json(line);
  json.begin_object().member("path", entry.path);
  if (!comparison.change.empty()) json.member("change", comparison.change);
  write_status(json, entry.status);
  if (!entry.link.empty()) json.member("link", entry.link);
  if (!sha256.empty()) json.member("sha256", sha256);
  if (!note.empty()) json.member("note", note);
  if (!entry.attributes.empty()) {
    json.key("attributes").begin_object();
    for (const auto& [name, value] : entry.attributes) {
      // An attribute's name is the container's choice: as a value it may hold anything.
      json.key(to_hex(octets(name))).begin_object();
      json.member("name", name).member("hex", to_hex(octets(value))).end_object();
    }
    json.end_object();
  }
  if (comparison.below) {
    json.key("image").begin_object();
    write_status(json, *comparison.below);
    if (!comparison.below_sha256.empty()) json.member("sha256", comparison.below_sha256);
    json.end_object();
  }
  // Names that are no text stand exactly in the archive; here as bytes beside the readable form.
  if (json.replaced_count() > 0) json.member("path_hex", to_hex(octets(entry.path)));
  json.end_object();
  line += '\n';
  return line;
}

}  // namespace coff::evidence
