// Ways to find something in a file, and where in a core's memory a place of its file is.
#include "evidence/search/finder.hpp"

#include <elf.h>
#include <re2/re2.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace coff::evidence {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{4} << 20U;
/// Memory that one expression may take, compiled.
constexpr std::int64_t kRegexBytesMax = std::int64_t{32} << 20;
/// Program headers of a core that are read.
constexpr std::size_t kSegmentsMax = 1'000'000;

Result<std::size_t> read_at(const Fd& file, char* to, std::size_t size, std::uint64_t offset) {
  std::size_t have = 0;
  while (have < size) {
    const ssize_t got =
        ::pread(file.get(), to + have, size - have, static_cast<off_t>(offset + have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("cannot read a file of the bundle");
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  return have;
}

class TextFinder final : public Finder {
 public:
  explicit TextFinder(std::string pattern) : pattern_(std::move(pattern)) {}
  Result<void> find(const Fd& file, const OnHit& on_hit) override {
    return read_pieces(file, pattern_.size() - 1,
                       [&](std::uint64_t offset, std::string_view bytes) {
                         for (std::size_t at = bytes.find(pattern_); at != bytes.npos;
                              at = bytes.find(pattern_, at + 1)) {
                           if (!on_hit({.offset = offset + at, .match = pattern_})) return false;
                         }
                         return true;
                       });
  }

 private:
  std::string pattern_;
};

class RegexFinder final : public Finder {
 public:
  explicit RegexFinder(std::unique_ptr<re2::RE2> expression) : expression_(std::move(expression)) {}
  Result<void> find(const Fd& file, const OnHit& on_hit) override {
    std::uint64_t told_to = 0;  // What the overlap shows a second time is not told again.
    return read_pieces(file, kMatchBytesMax, [&](std::uint64_t offset, std::string_view bytes) {
      const re2::StringPiece text(bytes.data(), bytes.size());
      re2::StringPiece match;
      std::size_t from = told_to > offset ? static_cast<std::size_t>(told_to - offset) : 0;
      while (from < bytes.size() &&
             expression_->Match(text, from, bytes.size(), re2::RE2::UNANCHORED, &match, 1)) {
        const auto at = static_cast<std::size_t>(match.data() - bytes.data());
        const std::size_t end = at + match.size();
        // One that reaches the end may go on in the next piece, which begins before it.
        if (end == bytes.size() && bytes.size() > kMatchBytesMax &&
            at > bytes.size() - kMatchBytesMax) {
          break;
        }
        if (!on_hit({.offset = offset + at, .match = {match.data(), match.size()}})) return false;
        from = std::max(end, at + 1);
        told_to = offset + from;
      }
      return true;
    });
  }

 private:
  std::unique_ptr<re2::RE2> expression_;
};

}  // namespace

Result<std::unique_ptr<Finder>> make_text_finder(std::string pattern) {
  if (pattern.empty() || pattern.size() > kPatternBytesMax) {
    return fail(Code::kInvalid, "a text of 1 to 65536 bytes is needed");
  }
  return std::unique_ptr<Finder>(std::make_unique<TextFinder>(std::move(pattern)));
}

Result<std::unique_ptr<Finder>> make_regex_finder(const std::string& pattern) {
  re2::RE2::Options options(re2::RE2::Latin1);  // Memory is bytes, not text.
  options.set_log_errors(false);
  options.set_dot_nl(true);
  options.set_max_mem(kRegexBytesMax);
  auto expression = std::make_unique<re2::RE2>(pattern, options);
  if (!expression->ok()) {
    return fail(Code::kInvalid, "malformed expression: " + expression->error());
  }
  return std::unique_ptr<Finder>(std::make_unique<RegexFinder>(std::move(expression)));
}

Result<void> read_pieces(const Fd& file, std::size_t overlap, const OnPiece& on_piece) {
  std::vector<char> buffer(kPieceBytes + overlap);
  std::size_t kept = 0;
  for (std::uint64_t offset = 0;;) {
    const std::size_t got = TRY(read_at(file, buffer.data() + kept, kPieceBytes, offset + kept));
    if (got == 0) return {};
    const std::size_t size = kept + got;
    if (!on_piece(offset, {buffer.data(), size})) return {};
    kept = std::min(overlap, size);
    std::memmove(buffer.data(), buffer.data() + size - kept, kept);
    offset += size - kept;
  }
}

CoreMap CoreMap::read(const Fd& file) {
  CoreMap map;
  Elf64_Ehdr header{};
  const auto got = read_at(file, reinterpret_cast<char*>(&header), sizeof header, 0);
  if (!got || *got != sizeof header || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
      header.e_type != ET_CORE || header.e_ident[EI_CLASS] != ELFCLASS64) {
    return map;
  }
  std::size_t count = header.e_phnum;
  if (count == PN_XNUM) {
    Elf64_Shdr section{};
    const auto read =
        read_at(file, reinterpret_cast<char*>(&section), sizeof section, header.e_shoff);
    if (!read || *read != sizeof section) return map;
    count = section.sh_info;
  }
  std::uint64_t place = header.e_phoff;
  for (std::size_t at = 0; at < std::min(count, kSegmentsMax); ++at, place += sizeof(Elf64_Phdr)) {
    Elf64_Phdr segment{};
    const auto read = read_at(file, reinterpret_cast<char*>(&segment), sizeof segment, place);
    if (!read || *read != sizeof segment) break;
    if (segment.p_type == PT_LOAD && segment.p_filesz > 0) {
      map.segments_.push_back({segment.p_offset, segment.p_filesz, segment.p_vaddr});
    }
  }
  std::ranges::sort(map.segments_, {}, &Segment::offset);
  return map;
}

std::uint64_t CoreMap::address_of(std::uint64_t offset) const {
  auto after = std::ranges::upper_bound(segments_, offset, {}, &Segment::offset);
  if (after == segments_.begin()) return 0;
  const Segment& segment = *--after;
  const std::uint64_t within = offset - segment.offset;
  return within < segment.size ? segment.address + within : 0;
}

}  // namespace coff::evidence
