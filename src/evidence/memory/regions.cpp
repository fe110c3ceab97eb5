// The memory map of a process: regions with their flags, read from /proc/PID/smaps.
#include "evidence/memory/regions.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace coff::evidence {
namespace {

bool take_hex(std::string_view& text, std::uint64_t& number, char after) {
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
  const auto used = static_cast<std::size_t>(end - text.data());
  if (problem != std::errc() || used >= text.size() || *end != after) return false;
  text.remove_prefix(used + 1);
  return true;
}

/// The kernel writes a line break in a name as \012.
std::string unescape(std::string_view text) {
  std::string name;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text.substr(at).starts_with("\\012")) {
      name += '\n';
      at += 3;
    } else {
      name += text[at];
    }
  }
  return name;
}

/// "start-end rwxp offset major:minor inode   path"; false for a line of another kind.
bool take_head(std::string_view line, Region& region) {
  if (!take_hex(line, region.start, '-') || !take_hex(line, region.end, ' ')) return false;
  if (line.size() < 5 || line[4] != ' ' || region.end <= region.start) return false;
  region.readable = line[0] == 'r';
  region.writable = line[1] == 'w';
  region.executable = line[2] == 'x';
  region.shared = line[3] == 's';
  line.remove_prefix(5);
  std::uint64_t ignored = 0;
  if (!take_hex(line, region.offset, ' ') || !take_hex(line, ignored, ':') ||
      !take_hex(line, ignored, ' ')) {
    return false;
  }
  const auto [end, problem] = std::from_chars(line.data(), line.data() + line.size(), region.inode);
  if (problem != std::errc()) return false;
  line.remove_prefix(static_cast<std::size_t>(end - line.data()));
  const std::size_t begin = line.find_first_not_of(' ');
  if (begin != line.npos) region.path = unescape(line.substr(begin));
  return true;
}

void take_flags(std::string_view line, Region& region) {
  line.remove_prefix(std::strlen("VmFlags:"));
  while (!line.empty()) {
    const std::string_view flag = line.substr(0, line.find(' '));
    line.remove_prefix(std::min(flag.size() + 1, line.size()));
    if (flag == "io" || flag == "pf") region.device = true;
    if (flag == "ht") region.huge = true;
    if (flag == "dd") region.dont_dump = true;
  }
}

class Scanner {
 public:
  Scanner(Reader& reader, std::size_t runs_max) : reader_(reader), left_(runs_max) {}

  Result<std::vector<PageRun>> scan(const Region& region) {
    std::vector<PageRun> runs;
    for (std::uint64_t at = region.start; at < region.end && left_ > 0;) {
      std::uint64_t walked_to = region.end;
      auto found =
          fallback_ ? read_map(at, region.end, walked_to) : reader_.scan(at, region.end, walked_to);
      if (!found && found.error().code == Code::kUnsupported && !fallback_) {
        fallback_ = true;
        continue;
      }
      if (!found) return std::unexpected(found.error());
      for (const PageRun& run : *found) add(runs, run);
      if (walked_to <= at) break;
      at = walked_to;
    }
    return runs;
  }
  [[nodiscard]] bool full() const { return left_ == 0; }
  [[nodiscard]] bool fallback() const { return fallback_; }

 private:
  void add(std::vector<PageRun>& runs, const PageRun& run) {
    if (!runs.empty() && runs.back().end == run.start) {
      runs.back().end = run.end;
    } else if (left_ > 0) {
      runs.push_back(run);
      --left_;
    }
  }

  // 8 bytes a page (pagemap.rst): bit 63 present, bit 62 in swap.
  Result<std::vector<PageRun>> read_map(std::uint64_t start, std::uint64_t end,
                                        std::uint64_t& walked_to) {
    const std::uint64_t count =
        std::min<std::uint64_t>((end - start) / page_, kReadBytesMax / sizeof(std::uint64_t));
    const auto bytes =
        TRY(reader_.read(start / page_ * sizeof(std::uint64_t), count * sizeof(std::uint64_t)));
    std::vector<PageRun> runs;
    for (std::size_t at = 0; at + sizeof(std::uint64_t) <= bytes.size();
         at += sizeof(std::uint64_t)) {
      std::uint64_t entry = 0;
      std::memcpy(&entry, bytes.data() + at, sizeof entry);
      if ((entry >> 62U) == 0) continue;
      const std::uint64_t page = start + at / sizeof(std::uint64_t) * page_;
      if (!runs.empty() && runs.back().end == page) runs.back().end += page_;
      else runs.push_back({page, page + page_});
    }
    walked_to = start + bytes.size() / sizeof(std::uint64_t) * page_;
    return runs;
  }

  Reader& reader_;
  std::size_t left_;
  bool fallback_ = false;
  std::uint64_t page_ = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
};

}  // namespace

Result<std::vector<Region>> parse_smaps(std::string_view text) {
  std::vector<Region> regions;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    Region region;
    if (take_head(line, region)) {
      if (regions.size() >= kRegionsMax) return fail(Code::kLimit, "too many regions of memory");
      regions.push_back(std::move(region));
    } else if (line.starts_with("VmFlags:") && !regions.empty()) {
      take_flags(line, regions.back());
    } else if (regions.empty()) {
      return fail(Code::kInvalid, "this is no memory map");
    }
  }
  return regions;
}

Result<PageScan> scan_pages(Reader& reader, const std::string& pagemap,
                            const std::vector<Region>& regions, std::size_t runs_max) {
  TRY(reader.open(pagemap));
  Scanner scanner(reader, runs_max);
  PageScan scan;
  for (const Region& region : regions) {
    const bool skipped = region.device || region.secret() || region.kernels_own();
    scan.runs.push_back(skipped ? std::vector<PageRun>{} : TRY(scanner.scan(region)));
  }
  scan.cut = scanner.full();
  scan.fallback = scanner.fallback();
  return scan;
}

}  // namespace coff::evidence
