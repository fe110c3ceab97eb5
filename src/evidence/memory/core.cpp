// An ELF core file of a running or frozen process, written without killing or changing it.
#include "evidence/memory/core.hpp"

#include <unistd.h>

#include <algorithm>

#include "base/bytes.hpp"
#include "evidence/memory/core_layout.hpp"
#include "evidence/memory/core_notes.hpp"
#include "evidence/memory/regions.hpp"

namespace coff::evidence {
namespace {

constexpr std::size_t kSmallFileBytesMax = std::size_t{1} << 20U;

/// The folder whose maps and mem hold the memory: the process's own, or a thread's where the first
/// thread has ended and the others have not.
Result<std::string> memory_folder(Reader& reader, const Pinned& process, std::string& smaps) {
  smaps = TRY(reader.read_file(process.proc("smaps"), kSmapsBytesMax));
  if (!smaps.empty()) return process.proc("");
  for (const pid_t tid : threads_of(process.pid())) {
    std::string folder = process.proc("task/" + std::to_string(tid) + "/");
    auto text = reader.read_file(folder + "smaps", kSmapsBytesMax);
    if (!text || text->empty()) continue;
    smaps = std::move(*text);
    return folder;
  }
  return fail(Code::kNotFound, "it has no memory: a kernel thread, or it has ended");
}

/// Copies the planned pages, reading one piece ahead.
class Copier {
 public:
  Copier(Reader& reader, const CoreLayout& layout, const CoreOptions& options, const Sink& sink,
         CoreReport& report)
      : reader_(reader), layout_(layout), options_(options), sink_(sink), report_(report) {
    for (const Segment& segment : layout_.segments) total_bytes_ += segment.file_bytes;
  }

  Result<void> run(const std::string& memory) {
    memory_ = memory;
    if (const auto opened = reader_.open(memory_); !opened) {
      lost_ = opened.error().message();
    }
    Piece ahead;
    bool have = next(ahead);
    if (have) ask(ahead);
    while (have) {
      const Piece piece = ahead;
      const bool asked = ahead.asked;
      have = next(ahead);
      if (have) ask(ahead);
      else ahead.asked = false;
      TRY(copy(piece, asked, ahead));
      done_bytes_ += piece.size;
      if (options_.progress) options_.progress(done_bytes_, total_bytes_);
    }
    return {};
  }

 private:
  struct Piece {
    std::uint64_t address = 0;
    std::size_t size = 0;
    const std::string* name = nullptr;
    bool asked = false;
  };

  bool next(Piece& piece) {
    while (segment_ < layout_.segments.size()) {
      const Segment& segment = layout_.segments[segment_];
      if (within_ >= segment.file_bytes) {
        ++segment_;
        within_ = 0;
        continue;
      }
      piece = {segment.address + within_,
               static_cast<std::size_t>(
                   std::min<std::uint64_t>(kReadBytesMax, segment.file_bytes - within_)),
               &layout_.region_names[segment.region], false};
      within_ += piece.size;
      return true;
    }
    return false;
  }

  void ask(Piece& piece) {
    piece.asked = lost_.empty() && reader_.ask(piece.address, piece.size).has_value();
  }

  Result<void> copy(const Piece& piece, bool asked, Piece& ahead) {
    if (!asked) return zeroes(piece.address, piece.size, *piece.name, lost_);
    auto got = reader_.take();
    if (got && got->size() == piece.size) return sink_(text_of(*got));
    if (got && !got->empty()) {
      // What came first is good; the page behind it is looked at one by one.
      TRY(sink_(text_of(*got)));
      return copy_pages(piece, got->size(), ahead);
    }
    if (!got && got.error().code == Code::kTimeout) {
      // The helper is a new one: nothing is open, and nothing is under way.
      ahead.asked = false;
      if (!reader_.open(memory_)) lost_ = got.error().message();
      if (lost_.empty() && ahead.size > 0 && ahead.address != piece.address) ask(ahead);
      return zeroes(piece.address, piece.size, *piece.name, got.error().message());
    }
    return copy_pages(piece, 0, ahead);
  }

  // After an unreadable page: page by page, so that only what is unreadable is missing.
  Result<void> copy_pages(const Piece& piece, std::size_t from, Piece& ahead) {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    const bool again = ahead.asked;
    if (again) {
      [[maybe_unused]] const auto dropped = reader_.take();
      ahead.asked = false;
    }
    unsigned failed = 0;
    for (std::size_t at = from; at < piece.size; at += page) {
      auto got = reader_.read(piece.address + at, page);
      if (got && got->size() == page) {
        TRY(sink_(text_of(*got)));
        continue;
      }
      const std::string reason = got ? "the process has ended" : got.error().message();
      // A whole region that can't be read would take a call for each page.
      constexpr unsigned kFailedMax = 16;
      const bool rest = ++failed > kFailedMax || got.has_value();
      TRY(zeroes(piece.address + at, rest ? piece.size - at : page, *piece.name, reason));
      if (rest) break;
      if (!got && got.error().code == Code::kTimeout && !reader_.open(memory_)) lost_ = reason;
    }
    if (again) ask(ahead);
    return {};
  }

  Result<void> zeroes(std::uint64_t address, std::size_t size, const std::string& name,
                      const std::string& reason) {
    layout_.add_gap(report_, {address, address + size, name, reason});
    static const std::string kZeroes(65536, '\0');
    while (size > 0) {
      const std::size_t part = std::min(size, kZeroes.size());
      TRY(sink_(std::string_view(kZeroes).substr(0, part)));
      size -= part;
    }
    return {};
  }

  Reader& reader_;
  const CoreLayout& layout_;
  const CoreOptions& options_;
  const Sink& sink_;
  CoreReport& report_;
  std::string memory_;
  std::string lost_;  ///< Why nothing more can be read.
  std::size_t segment_ = 0;
  std::uint64_t within_ = 0;
  std::uint64_t done_bytes_ = 0;
  std::uint64_t total_bytes_ = 0;
};

}  // namespace

Result<CoreReport> write_core(Reader& reader, const Pinned& process, const CoreOptions& options,
                              const Sink& sink) {
  CoreReport report;
  report.frozen = frozen_by(process.pid());
  RegisterOptions for_registers = options.registers;
  for_registers.frozen = report.frozen;
  report.registers = TRY(capture_registers(process.pid(), for_registers));

  ProcessText text;
  const auto small = [&](const char* name) {
    return reader.read_file(process.proc(name), kSmallFileBytesMax).value_or("");
  };
  text.stat = small("stat");
  text.status = report.status = small("status");
  text.cmdline = small("cmdline");
  std::string smaps;
  const std::string folder = TRY(memory_folder(reader, process, smaps));
  text.auxv = reader.read_file(folder + "auxv", kSmallFileBytesMax).value_or("");
  const std::vector<Region> regions = TRY(parse_smaps(smaps));
  const PageScan scan = TRY(scan_pages(reader, folder + "pagemap", regions, options.runs_max));
  report.pagemap_scan = !scan.fallback;

  const CoreLayout layout = lay_out_core(regions, scan, core_notes(text, report.registers, regions),
                                         options.size_bytes_max, report);
  TRY(sink(layout.head));
  TRY(Copier(reader, layout, options, sink, report).run(folder + "mem"));
  report.size_bytes = layout.size_bytes;
  report.ended = !process.alive();
  return report;
}

}  // namespace coff::evidence
