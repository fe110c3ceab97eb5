// A folder as a tar archive and a table, compared with the layers below it.
#include "evidence/collect/tree_archive.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <memory>

#include "base/bytes.hpp"
#include "evidence/collect/tree_entry.hpp"

namespace coff::evidence {
namespace {

class Archiver {
 public:
  Archiver(Collection& collection, const Tree& tree, ItemWriter& archive, ItemWriter& table)
      : collection_(collection),
        tree_(tree),
        table_(table),
        tar_([&archive](std::string_view bytes) { return archive.write(bytes); }) {}

  Result<void> run() {
    TRY(walk(tree_.folder, "", 0));
    return tar_.finish();
  }

 private:
  Result<void> walk(const Fd& folder, const std::string& path, int depth) {
    Fd copy(::fcntl(folder.get(), F_DUPFD_CLOEXEC, 3));
    if (!copy.valid()) return gap(path, fail_errno("cannot read the folder").error());
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(copy.get()), &::closedir);
    if (!stream) return gap(path, fail_errno("cannot read the folder").error());
    [[maybe_unused]] const int given = copy.release();
    for (;;) {
      errno = 0;
      const dirent* entry = ::readdir(stream.get());
      if (entry == nullptr) {
        return errno == 0 ? Result<void>() : gap(path, fail_errno("cannot list it").error());
      }
      const std::string name = entry->d_name;
      if (name == "." || name == "..") continue;
      if (++entries_ > collection_.options.entries_max) {
        return fail(Code::kLimit, "more files than the limit: the rest is left out");
      }
      if (entries_ % 256 == 0) collection_.progress(entries_, 0);
      TRY(take(folder, name, path.empty() ? name : path + "/" + name, depth));
    }
  }

  Result<void> take(const Fd& folder, const std::string& name, const std::string& path, int depth) {
    TarEntry entry{.path = path};
    if (::fstatat(folder.get(), name.c_str(), &entry.status, AT_SYMLINK_NOFOLLOW) != 0) {
      return gap(path, fail_errno("it went away").error());
    }
    if (S_ISSOCK(entry.status.st_mode)) {
      // The archive has no kind for it.
      return write_table(entry, "", "socket");
    }
    entry.attributes = attributes_of(folder, name);
    if (S_ISLNK(entry.status.st_mode)) entry.link = link_of(folder, name);
    if (S_ISREG(entry.status.st_mode)) return take_file(folder, name, entry);
    TRY(tar_.head(entry));
    TRY(write_table(entry, "", ""));
    if (!S_ISDIR(entry.status.st_mode)) return {};
    if (entry.status.st_dev != tree_.device) return {};
    if (depth >= kTreeDepthMax) {
      collection_.bundle.gap(path, "deeper than the limit: what is in it is left out");
      return {};
    }
    auto below = open_file_at(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NOATIME);
    if (!below) return gap(path, below.error());
    return walk(*below, path, depth + 1);
  }

  Result<void> take_file(const Fd& folder, const std::string& name, TarEntry& entry) {
    auto file = open_file_at(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOATIME);
    if (!file) {
      TRY(gap(entry.path, file.error()));
      return write_table(entry, "", "unreadable");
    }
    // Whatever the name means by now: this is what is read.
    if (::fstat(file->get(), &entry.status) != 0 || !S_ISREG(entry.status.st_mode)) {
      return gap(entry.path, Error{Code::kInvalid, "it became another kind of file"});
    }
    const auto size = static_cast<std::uint64_t>(entry.status.st_size);
    if (size > collection_.options.file_bytes_max || size >= collection_.bundle.left_bytes()) {
      TRY(gap(entry.path, Error{Code::kLimit,
                                "its " + std::to_string(size) + " bytes are more than the limit"}));
      return write_table(entry, "", "too large");
    }
    TRY(tar_.head(entry));
    Digest digest;
    for (std::uint64_t at = 0; at < size;) {
      const ssize_t got =
          ::pread(file->get(), buffer_.data(), buffer_.size(), static_cast<off_t>(at));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) break;
      const auto kept = static_cast<std::size_t>(
          std::min<std::uint64_t>(static_cast<std::uint64_t>(got), size - at));
      digest.update({buffer_.data(), kept});
      TRY(tar_.body({buffer_.data(), kept}));
      at += kept;
    }
    if (const std::uint64_t missing = TRY(tar_.end_body()); missing > 0) {
      TRY(gap(entry.path, Error{Code::kIo, "its last " + std::to_string(missing) +
                                               " bytes could not be read: zeroes stand there"}));
    }
    return write_table(entry, to_hex(digest.finish()), "");
  }

  Result<void> write_table(const TarEntry& entry, const std::string& sha256,
                           std::string_view note) {
    const Comparison found =
        tree_.below.empty() && !tree_.layer ? Comparison{} : compare(tree_.below, entry, sha256);
    return table_.write(table_line(entry, sha256, note, found));
  }

  Result<void> gap(const std::string& path, const Error& error) {
    collection_.bundle.gap(tree_.source + "/" + path, error.message());
    return {};
  }

  Collection& collection_;
  const Tree& tree_;
  ItemWriter& table_;
  TarWriter tar_;
  std::vector<char> buffer_ = std::vector<char>(std::size_t{1} << 18U);
  std::uint64_t entries_ = 0;
};

}  // namespace

Result<void> archive_tree(Collection& collection, Tree tree) {
  ItemWriter archive = TRY(collection.bundle.start(tree.item + ".tar"));
  ItemWriter table = TRY(collection.bundle.start(tree.item + ".jsonl"));
  struct stat status{};
  if (::fstat(tree.folder.get(), &status) != 0) return fail_errno("cannot stat " + tree.source);
  tree.device = status.st_dev;
  Archiver archiver(collection, tree, archive, table);
  const auto outcome = archiver.run();
  // What was archived before a limit is kept: tar reads it up to there.
  if (!outcome) collection.bundle.gap(tree.source, outcome.error().message());
  TRY(archive.finish(tree.source));
  TRY(table.finish(tree.source));
  return {};
}

}  // namespace coff::evidence
