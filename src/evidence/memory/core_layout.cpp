// Where everything stands in an ELF core file: headers, notes, and pages of each region.
#include "evidence/memory/core_layout.hpp"

#include <elf.h>
#include <unistd.h>

#include <cstring>

#include "base/json_writer.hpp"

namespace coff::evidence {
namespace {

#if defined(__x86_64__)
constexpr std::uint16_t kMachine = EM_X86_64;
#else
constexpr std::uint16_t kMachine = EM_AARCH64;
#endif

std::uint32_t flags_of(const Region& region) {
  std::uint32_t flags = 0;
  if (region.readable) flags |= PF_R;
  if (region.writable) flags |= PF_W;
  if (region.executable) flags |= PF_X;
  return flags;
}

std::string_view unreadable(const Region& region) {
  if (region.secret()) return "memfd_secret: nobody but the process itself can read it";
  if (region.device) return "memory of a device";
  return {};
}

template <typename T>
void append(std::string& out, const T& value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

std::vector<Segment> segments_of(const std::vector<Region>& regions, const PageScan& scan,
                                 std::uint64_t bytes_max, CoreReport& report) {
  std::vector<Segment> segments;
  std::uint64_t left = bytes_max;
  for (std::size_t at = 0; at < regions.size(); ++at) {
    const Region& region = regions[at];
    report.mapped_bytes += region.size_bytes();
    if (const std::string_view why = unreadable(region); !why.empty()) {
      CoreLayout::add_gap(report, {region.start, region.end, region.path, std::string(why)});
    }
    const std::vector<PageRun>& runs = scan.runs[at];
    if (runs.empty() || runs.front().start > region.start) {
      const std::uint64_t end = runs.empty() ? region.end : runs.front().start;
      segments.push_back({region.start, 0, end - region.start, at});
    }
    for (std::size_t run = 0; run < runs.size(); ++run) {
      const std::uint64_t next = run + 1 < runs.size() ? runs[run + 1].start : region.end;
      const std::uint64_t size = runs[run].end - runs[run].start;
      report.present_bytes += size;
      const std::uint64_t kept = size <= left ? size : 0;
      left -= kept;
      if (kept < size) {
        CoreLayout::add_gap(report, {runs[run].start, runs[run].end, region.path,
                                     "the limit of size for this file was reached"});
      }
      segments.push_back({runs[run].start, kept, next - runs[run].start, at});
    }
  }
  return segments;
}

Elf64_Ehdr file_header(std::size_t headers, bool extended) {
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_CORE;
  header.e_machine = kMachine;
  header.e_version = EV_CURRENT;
  header.e_phoff = sizeof header;
  header.e_ehsize = sizeof header;
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = extended ? PN_XNUM : static_cast<Elf64_Half>(headers);
  return header;
}

}  // namespace

void CoreLayout::add_gap(CoreReport& report, CoreGap gap) {
  if (!report.gaps.empty()) {
    CoreGap& last = report.gaps.back();
    if (last.end == gap.start && last.reason == gap.reason && last.name == gap.name) {
      last.end = gap.end;
      return;
    }
  }
  if (report.gaps.size() < kCoreGapsMax) report.gaps.push_back(std::move(gap));
  else report.gaps.back() = {report.gaps.back().start, gap.end, "", "this and further ranges"};
}

CoreLayout lay_out_core(const std::vector<Region>& regions, const PageScan& scan,
                        const std::string& notes, std::uint64_t size_bytes_max,
                        CoreReport& report) {
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  CoreLayout layout;
  report.regions = regions.size();
  layout.segments = segments_of(regions, scan, size_bytes_max, report);
  for (const Region& region : regions) layout.region_names.push_back(region.path);
  if (scan.cut) {
    layout.add_gap(report,
                   {0, 0, "", "more separate runs of pages than the limit: some are left out"});
  }
  const std::size_t headers = layout.segments.size() + 1;
  const bool extended = headers >= PN_XNUM;
  Elf64_Ehdr header = file_header(headers, extended);
  const std::uint64_t notes_at = sizeof header + headers * sizeof(Elf64_Phdr);
  std::uint64_t section_at = 0;
  if (extended) {
    // gABI: the number stands in sh_info of section 0.
    section_at = (notes_at + notes.size() + 7) / 8 * 8;
    header.e_shoff = section_at;
    header.e_shnum = 1;
    header.e_shentsize = sizeof(Elf64_Shdr);
  }
  const std::uint64_t head_end =
      extended ? section_at + sizeof(Elf64_Shdr) : notes_at + notes.size();
  std::uint64_t place = (head_end + page - 1) / page * page;
  append(layout.head, header);
  append(
      layout.head,
      Elf64_Phdr{.p_type = PT_NOTE, .p_offset = notes_at, .p_filesz = notes.size(), .p_align = 4});
  for (const Segment& segment : layout.segments) {
    append(layout.head, Elf64_Phdr{.p_type = PT_LOAD,
                                   .p_flags = flags_of(regions[segment.region]),
                                   .p_offset = place,
                                   .p_vaddr = segment.address,
                                   .p_filesz = segment.file_bytes,
                                   .p_memsz = segment.memory_bytes,
                                   .p_align = page});
    place += segment.file_bytes;
  }
  layout.head += notes;
  if (extended) {
    layout.head.resize(section_at, '\0');
    append(layout.head,
           Elf64_Shdr{.sh_type = SHT_NULL, .sh_info = static_cast<Elf64_Word>(headers)});
  }
  layout.head.resize((head_end + page - 1) / page * page, '\0');
  layout.size_bytes = place;
  return layout;
}

std::string to_json(const CoreReport& report, const Pinned& process) {
  std::string text;
  JsonWriter json(text);
  const auto hex = [](std::uint64_t number) {
    char digits[20];
    std::snprintf(digits, sizeof digits, "0x%llx", static_cast<unsigned long long>(number));
    return std::string(digits);
  };
  json.begin_object()
      .member("pid", static_cast<std::int64_t>(process.pid()))
      .member("start_ticks", process.start_ticks())
      .member("frozen_by_cgroup_version", report.frozen)
      .member("stop_us", report.registers.stop_ns / 1000)
      .member("registers_problem", report.registers.problem)
      .member("pages_found_by", report.pagemap_scan ? "PAGEMAP_SCAN" : "pagemap")
      .member("ended_meanwhile", report.ended)
      .member("regions", report.regions)
      .member("mapped_bytes", report.mapped_bytes)
      .member("present_bytes", report.present_bytes)
      .member("core_bytes", report.size_bytes);
  json.key("threads").begin_array();
  for (const ThreadState& thread : report.registers.threads) {
    json.begin_object()
        .member("tid", static_cast<std::int64_t>(thread.tid))
        .member("tid_inside", static_cast<std::int64_t>(thread.tid_inside))
        .member("registers_by", thread.method)
        .end_object();
  }
  json.end_array().key("gaps").begin_array();
  for (const CoreGap& gap : report.gaps) {
    json.begin_object()
        .member("start", hex(gap.start))
        .member("end", hex(gap.end))
        .member("name", gap.name)
        .member("reason", gap.reason)
        .end_object();
  }
  json.end_array().end_object();
  text += '\n';
  return text;
}

}  // namespace coff::evidence
