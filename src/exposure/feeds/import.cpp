// Imports files and folders of advisories: tells their format, and gives each feed its name.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "base/fd.hpp"
#include "exposure/feeds/feeds.hpp"

namespace coff::exposure {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kProblemsMax = 100;
/// A format shows itself within so many bytes.
constexpr std::size_t kHeadBytes = 65'536;

// In the order of FeedFormat.
constexpr std::string_view kFormatNames[] = {
    "debian-tracker", "debian-list", "alpine", "osv", "kev", "epss"};

/// A feed is what is replaced as a whole: one for each format, and for the formats whose files are
/// parts of a larger set, one for each of those.
std::string feed_name(FeedFormat format, const fs::path& top, std::string_view head) {
  const std::string name(format_name(format));
  if (format == FeedFormat::kDebianList) {
    return name + (head.find("] DLA-") < head.find("] DSA-") ? " DLA" : " DSA");
  }
  if (format == FeedFormat::kOsv || format == FeedFormat::kAlpine) {
    return name + " " + top.filename().string();
  }
  return name;
}

struct File {
  std::string path;
  FeedFormat format = FeedFormat::kOsv;
};

class Importer {
 public:
  Importer(Store& store, fs::path top) : store_(store), top_(std::move(top)) {
    if (!top_.has_filename()) top_ = top_.parent_path();
  }

  void sort_out(const std::string& path) {
    const auto head = head_of(path);
    if (!head) {
      problem(path, head.error().message());
      return;
    }
    const auto format = format_of(*head);
    if (!format) {
      problem(path, "not a format that is read");
      return;
    }
    feeds_[feed_name(*format, top_, *head)].push_back({path, *format});
  }

  Result<Imported> import_all() {
    for (const auto& [name, files] : feeds_) TRY(import_feed(name, files));
    if (result_.feeds.empty()) {
      return fail(Code::kInvalid, result_.problems.empty()
                                      ? "there is no file in " + top_.string()
                                      : "nothing was imported: " + result_.problems.front());
    }
    return std::move(result_);
  }

  void problem(const std::string& path, const std::string& what) {
    if (result_.problems.size() < kProblemsMax) result_.problems.push_back(path + ": " + what);
  }

 private:
  static Result<std::string> head_of(const std::string& path) {
    const Fd file = TRY(open_file(path, O_RDONLY));
    std::string head(kHeadBytes, '\0');
    std::size_t size = 0;
    while (size < head.size()) {
      const ssize_t got = ::read(file.get(), head.data() + size, head.size() - size);
      if (got < 0) return fail_errno("cannot read " + path);
      if (got == 0) break;
      size += static_cast<std::size_t>(got);
    }
    head.resize(size);
    return head;
  }

  Result<void> import_feed(const std::string& name, const std::vector<File>& files) {
    auto import = TRY(store_.begin(name, top_.string()));
    std::int64_t published_ns = 0;
    std::uint64_t read = 0;
    for (const File& file : files) {
      TRY(import.mark());
      const auto done = read_file_into(import, file, published_ns);
      if (done) {
        ++read;
      } else {
        TRY(import.undo());
        problem(file.path, done.error().message());
      }
    }
    if (read == 0) return {};  // The former import stays.
    result_.files += read;
    result_.entries += import.entries();
    result_.feeds.push_back(name);
    return import.finish(published_ns);
  }

  static Result<void> read_file_into(Store::Import& import, const File& file,
                                     std::int64_t& published_ns) {
    const std::string text = TRY(read_file(file.path, kFeedBytesMax));
    const Sink sink = [&import](const Advisory& advisory) { return import.add(advisory); };
    const auto threats = [&import](const std::string& cve, const Threat& threat) {
      return import.add_threat(cve, threat);
    };
    switch (file.format) {
      case FeedFormat::kDebianTracker: return read_debian_tracker(text, sink);
      case FeedFormat::kDebianList: return read_debian_list(text, sink);
      case FeedFormat::kAlpine: return read_alpine(text, sink);
      case FeedFormat::kOsv: return read_osv(text, sink);
      case FeedFormat::kKev: return read_kev(text, published_ns, threats);
      case FeedFormat::kEpss: return read_epss(text, published_ns, threats);
    }
    return fail(Code::kInternal, "unknown format");
  }

  Store& store_;
  fs::path top_;
  std::map<std::string, std::vector<File>> feeds_;
  Imported result_;
};

}  // namespace

std::string_view format_name(FeedFormat format) {
  return kFormatNames[static_cast<std::size_t>(format)];
}

std::optional<FeedFormat> format_of(std::string_view text) {
  const std::string_view head = text.substr(0, kHeadBytes);
  const auto has = [head](std::string_view part) {
    return head.find(part) != std::string_view::npos;
  };
  const std::size_t first = head.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return std::nullopt;
  const char begin = head[first];
  if (begin == '[' && (has("] DSA-") || has("] DLA-"))) return FeedFormat::kDebianList;
  if (has("cve,epss,percentile")) return FeedFormat::kEpss;
  if (has("distroversion") && (has("packages:") || has("\"packages\""))) return FeedFormat::kAlpine;
  if (begin != '{' && begin != '[') return std::nullopt;
  if (has("\"cveID\"") && has("\"vulnerabilities\"")) return FeedFormat::kKev;
  if (has("\"affected\"") && has("\"id\"")) return FeedFormat::kOsv;
  if (begin == '{' && has("\"releases\"") && has("\"status\"")) return FeedFormat::kDebianTracker;
  // OSV objects whose members come in another order.
  if (has("\"schema_version\"") && has("\"id\"")) return FeedFormat::kOsv;
  return std::nullopt;
}

Result<Imported> import_feeds(Store& store, const std::string& path) {
  Importer importer(store, fs::path(path));
  std::error_code problem;
  if (!fs::is_directory(path, problem)) {
    importer.sort_out(path);
    return importer.import_all();
  }
  std::vector<std::string> files;
  fs::recursive_directory_iterator at(path, problem);
  for (; !problem && at != fs::recursive_directory_iterator(); at.increment(problem)) {
    if (at->is_regular_file(problem)) files.push_back(at->path().string());
    if (files.size() > kFeedFilesMax) return fail(Code::kLimit, "too many files in " + path);
  }
  if (problem) return fail(Code::kIo, "cannot list " + path + ": " + problem.message());
  std::ranges::sort(files);
  for (const std::string& file : files) importer.sort_out(file);
  return importer.import_all();
}

}  // namespace coff::exposure
