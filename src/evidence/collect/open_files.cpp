// Files that would be lost with their process: deleted ones, memfds, running programs.
#include <sys/stat.h>
#include <unistd.h>

#include <set>
#include <utility>

#include "base/bytes.hpp"
#include "base/json_writer.hpp"
#include "evidence/collect/step.hpp"

namespace coff::evidence {
namespace {

constexpr std::size_t kOpenFilesMax = 100'000;
/// A file with less than half of its size on disk is stored as its extents.
constexpr std::uint64_t kSparseBytesMin = std::uint64_t{16} << 20U;

bool is_gone(std::string_view link) {
  return link.ends_with(" (deleted)") || link.starts_with("/memfd:");
}

class FileCollector {
 public:
  explicit FileCollector(Collection& collection) : collection_(collection) {}

  Result<void> run(const Pinned& process) {
    const std::string folder = "files/" + std::to_string(process.pid()) + "/";
    TRY(keep(process.proc("exe"), folder + "exe"));
    TRY(keep_gone(process, "fd", folder + "fd-"));
    TRY(keep_gone(process, "map_files", folder + "map-"));
    return {};
  }
  [[nodiscard]] const std::string& table() const { return table_; }

 private:
  Result<void> keep_gone(const Pinned& process, const std::string& where, const std::string& item) {
    const auto names = collection_.reader.list(process.proc(where));
    if (!names) {
      collection_.bundle.gap(process.proc(where), names.error().message());
      return {};
    }
    std::size_t count = 0;
    for (const std::string& name : *names) {
      if (++count > kOpenFilesMax) {
        collection_.bundle.gap(process.proc(where), "more open files than the limit");
        break;
      }
      const std::string path = process.proc(where + "/" + name);
      const auto link = collection_.reader.read_link(path);
      if (link && is_gone(*link)) TRY(keep(path, item + name));
    }
    return {};
  }

  Result<void> keep(const std::string& path, const std::string& item) {
    const std::string link = collection_.reader.read_link(path).value_or("");
    const auto opened = collection_.reader.open(path);
    if (!opened) {
      const bool secret = link.starts_with("/secretmem");
      collection_.bundle.gap(path + " " + link,
                             secret ? "memfd_secret: nobody but the process itself can read it"
                                    : opened.error().message());
      return {};
    }
    if (!S_ISREG(opened->mode) || !seen_.emplace(opened->device, opened->inode).second) return {};
    const auto kept = copy(path, link, item, *opened);
    return kept ? Result<void>() : collection_.gap_unless_full(path + " " + link, kept.error());
  }

  Result<void> copy(const std::string& path, const std::string& link, const std::string& item,
                    const OpenedAs& opened) {
    const bool sparse =
        opened.size_bytes > kSparseBytesMin && opened.allocated_bytes < opened.size_bytes / 2;
    const std::uint64_t size = sparse ? opened.allocated_bytes : opened.size_bytes;
    if (size > collection_.options.file_bytes_max) {
      return fail(Code::kLimit, "it has " + std::to_string(size) + " bytes: more than the limit");
    }
    ItemWriter writer = TRY(collection_.bundle.start(sparse ? item + ".extents" : item));
    std::string extents;
    JsonWriter json(extents);
    json.begin_array();
    if (sparse) TRY(copy_extents(writer, json));
    else TRY(copy_range(writer, 0, UINT64_MAX));
    json.end_array();
    const Item kept = TRY(writer.finish(path + " -> " + link));
    tell(path, link, kept, opened, sparse ? extents : "");
    return {};
  }

  Result<void> copy_range(ItemWriter& writer, std::uint64_t from, std::uint64_t end) {
    while (from < end) {
      const auto bytes = TRY(collection_.reader.read(
          from, static_cast<std::size_t>(std::min<std::uint64_t>(kReadBytesMax, end - from))));
      if (bytes.empty()) return {};
      TRY(writer.write(text_of(bytes)));
      from += bytes.size();
      if (writer.size_bytes() > collection_.options.file_bytes_max) {
        return fail(Code::kLimit, "it grew beyond the limit while it was read");
      }
    }
    return {};
  }

  Result<void> copy_extents(ItemWriter& writer, JsonWriter& json) {
    std::uint64_t at = 0;
    for (;;) {
      const auto data = collection_.reader.seek(at, SEEK_DATA);
      if (!data && data.error().os_errno == ENXIO) return {};
      if (!data) return std::unexpected(data.error());
      const std::uint64_t hole = TRY(collection_.reader.seek(*data, SEEK_HOLE));
      if (hole <= *data) return {};
      json.begin_object().member("offset", *data).member("bytes", hole - *data).end_object();
      TRY(copy_range(writer, *data, hole));
      at = hole;
    }
  }

  void tell(const std::string& path, const std::string& link, const Item& item,
            const OpenedAs& opened, const std::string& extents) {
    JsonWriter json(table_);
    json.begin_object()
        .member("item", item.path)
        .member("from", path)
        .member("link", link)
        .member("device", opened.device)
        .member("inode", opened.inode)
        .member("size_bytes", opened.size_bytes)
        .member("sha256", to_hex(item.sha256));
    if (!extents.empty()) json.key("extents").raw(extents);
    json.end_object();
    table_ += '\n';
  }

  Collection& collection_;
  std::set<std::pair<std::uint64_t, std::uint64_t>> seen_;
  std::string table_;
};

}  // namespace

Result<void> collect_open_files(Collection& collection) {
  FileCollector collector(collection);
  std::uint64_t done = 0;
  for (const Pinned& process : collection.processes) {
    if (!process.alive()) {
      collection.bundle.gap(process.proc("fd"), "the process ended before its files were read");
      continue;
    }
    TRY(collector.run(process));
    collection.progress(++done, collection.processes.size());
  }
  return collection.bundle.put("files/files.jsonl", collector.table(), "/proc/PID/fd, map_files");
}

}  // namespace coff::evidence
