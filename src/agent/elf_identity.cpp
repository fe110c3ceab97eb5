// What an ELF file says about itself: build id, name, needed libraries, interpreter.
#include "agent/elf_identity.hpp"

#include <elf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <span>

#include "base/bytes.hpp"
#include "base/json_writer.hpp"

namespace coff::agent {
namespace {

constexpr std::size_t kProgramHeadersMax = 512;
constexpr std::uint64_t kDynamicBytesMax = 1U << 20U;
constexpr std::uint64_t kNoteBytesMax = 1U << 20U;
constexpr std::uint64_t kNameBytesMax = 4096;
/// SHA-1 has 20, other linkers write up to 32; more is not a build id.
constexpr std::uint64_t kBuildIdBytesMax = 64;

struct Elf32 {
  using Header = Elf32_Ehdr;
  using Segment = Elf32_Phdr;
  using Dynamic = Elf32_Dyn;
};
struct Elf64 {
  using Header = Elf64_Ehdr;
  using Segment = Elf64_Phdr;
  using Dynamic = Elf64_Dyn;
};

class File {
 public:
  static Result<File> open(const Fd& fd) {
    struct stat status{};
    if (::fstat(fd.get(), &status) != 0) return fail_errno("cannot stat the file");
    if (!S_ISREG(status.st_mode)) return fail(Code::kInvalid, "not a regular file");
    return File(fd, static_cast<std::uint64_t>(status.st_size));
  }

  /// Fills `bytes` from this place, or an error.
  [[nodiscard]] Result<void> read_into(std::uint64_t offset, std::span<char> bytes) const {
    if (offset > size_ || bytes.size() > size_ - offset) {
      return fail(Code::kInvalid, "the ELF file refers to bytes behind its end");
    }
    while (!bytes.empty()) {
      const ssize_t got =
          ::pread(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return fail_errno("cannot read the ELF file");
      if (got == 0) return fail(Code::kInvalid, "the ELF file became shorter while it was read");
      bytes = bytes.subspan(static_cast<std::size_t>(got));
      offset += static_cast<std::uint64_t>(got);
    }
    return {};
  }
  /// Exactly these bytes; nothing is allocated for bytes that the file doesn't have.
  [[nodiscard]] Result<std::string> read(std::uint64_t offset, std::uint64_t size) const {
    if (offset > size_ || size > size_ - offset) {
      return fail(Code::kInvalid, "the ELF file refers to bytes behind its end");
    }
    std::string bytes(size, '\0');
    TRY(read_into(offset, bytes));
    return bytes;
  }
  template <typename T>
  [[nodiscard]] Result<T> value(std::uint64_t offset) const {
    T value{};
    TRY(read_into(offset, std::span(reinterpret_cast<char*>(&value), sizeof value)));
    return value;
  }
  /// A text ended by NUL at `offset`, at most `size` bytes of which are looked at.
  [[nodiscard]] Result<std::string> text(std::uint64_t offset, std::uint64_t size) const {
    if (offset >= size_) return fail(Code::kInvalid, "an ELF string is behind the file's end");
    const std::uint64_t most = std::min({size, size_ - offset, kNameBytesMax});
    std::string bytes = TRY(read(offset, most));
    const std::size_t end = bytes.find('\0');
    if (end == std::string::npos) return fail(Code::kInvalid, "an ELF string has no end");
    bytes.resize(end);
    return bytes;
  }

 private:
  File(const Fd& fd, std::uint64_t size) : fd_(fd), size_(size) {}

  const Fd& fd_;
  std::uint64_t size_;
};

/// Build id of one note segment: each note is name size, content size, type, name, content, the
/// last two padded to 4 bytes.
std::optional<std::string> build_id(std::string_view notes) {
  while (notes.size() >= sizeof(Elf64_Nhdr)) {
    Elf64_Nhdr note;
    std::memcpy(&note, notes.data(), sizeof note);
    notes.remove_prefix(sizeof note);
    const std::uint64_t name_size = (std::uint64_t{note.n_namesz} + 3) & ~std::uint64_t{3};
    const std::uint64_t content_size = (std::uint64_t{note.n_descsz} + 3) & ~std::uint64_t{3};
    if (name_size > notes.size() || note.n_descsz > notes.size() - name_size) return std::nullopt;
    const bool is_gnu = note.n_namesz == 4 && std::memcmp(notes.data(), "GNU", 4) == 0;
    if (is_gnu && note.n_type == NT_GNU_BUILD_ID && note.n_descsz <= kBuildIdBytesMax) {
      return to_hex(octets(notes.substr(name_size, note.n_descsz)));
    }
    notes.remove_prefix(std::min<std::uint64_t>(name_size + content_size, notes.size()));
  }
  return std::nullopt;
}

template <typename Segment>
std::optional<std::uint64_t> file_offset(const std::vector<Segment>& segments,
                                         std::uint64_t address) {
  for (const Segment& segment : segments) {
    if (segment.p_type != PT_LOAD || address < segment.p_vaddr) continue;
    const std::uint64_t inside = address - segment.p_vaddr;
    if (inside < segment.p_filesz) return segment.p_offset + inside;
  }
  return std::nullopt;
}

template <typename Format>
Result<void> read_dynamic(const File& file, const typename Format::Segment& segment,
                          const std::vector<typename Format::Segment>& segments,
                          ElfIdentity& identity) {
  using Dynamic = typename Format::Dynamic;
  if (segment.p_filesz > kDynamicBytesMax) {
    return fail(Code::kInvalid, "the ELF file's dynamic section is too long");
  }
  const std::string bytes = TRY(file.read(segment.p_offset, segment.p_filesz));
  std::vector<Dynamic> entries;
  for (std::size_t at = 0; at + sizeof(Dynamic) <= bytes.size(); at += sizeof(Dynamic)) {
    Dynamic entry;
    std::memcpy(&entry, bytes.data() + at, sizeof entry);
    if (entry.d_tag == DT_NULL) break;
    entries.push_back(entry);
  }
  std::optional<std::uint64_t> strings;
  std::uint64_t strings_size = 0;
  for (const Dynamic& entry : entries) {
    if (entry.d_tag == DT_STRTAB) strings = file_offset(segments, entry.d_un.d_ptr);
    if (entry.d_tag == DT_STRSZ) strings_size = entry.d_un.d_val;
  }
  for (const Dynamic& entry : entries) {
    const auto tag = entry.d_tag;
    const std::uint64_t at = entry.d_un.d_val;
    if (tag != DT_NEEDED && tag != DT_SONAME && tag != DT_RPATH && tag != DT_RUNPATH) continue;
    if (!strings || at >= strings_size) {
      return fail(Code::kInvalid, "an ELF name is outside of the string table");
    }
    std::string name = TRY(file.text(*strings + at, strings_size - at));
    if (tag == DT_SONAME) identity.soname = std::move(name);
    else if (tag == DT_NEEDED) identity.needed.push_back(std::move(name));
    else identity.runpaths.push_back(std::move(name));
    if (identity.needed.size() > kNeededMax || identity.runpaths.size() > kNeededMax) {
      return fail(Code::kInvalid, "the ELF file needs too many libraries");
    }
  }
  return {};
}

template <typename Format>
Result<ElfIdentity> parse(const File& file) {
  using Segment = typename Format::Segment;
  const auto header = TRY(file.value<typename Format::Header>(0));
  if (header.e_phnum > kProgramHeadersMax ||
      (header.e_phnum > 0 && header.e_phentsize != sizeof(Segment))) {
    return fail(Code::kInvalid, "the ELF file's program headers are malformed");
  }
  ElfIdentity identity;
  identity.machine = header.e_machine == EM_X86_64    ? "x86_64"
                     : header.e_machine == EM_AARCH64 ? "aarch64"
                                                      : std::to_string(header.e_machine);
  identity.shared = header.e_type == ET_DYN;
  const std::string table =
      TRY(file.read(header.e_phoff, header.e_phnum * std::uint64_t{sizeof(Segment)}));
  std::vector<Segment> segments(header.e_phnum);
  if (!table.empty()) std::memcpy(segments.data(), table.data(), table.size());
  for (const Segment& segment : segments) {
    if (segment.p_type == PT_INTERP) {
      identity.interpreter = TRY(file.text(segment.p_offset, segment.p_filesz));
    } else if (segment.p_type == PT_NOTE && identity.build_id.empty() &&
               segment.p_filesz <= kNoteBytesMax) {
      identity.build_id = build_id(TRY(file.read(segment.p_offset, segment.p_filesz))).value_or("");
    } else if (segment.p_type == PT_DYNAMIC) {
      TRY(read_dynamic<Format>(file, segment, segments, identity));
    }
  }
  return identity;
}

}  // namespace

Result<ElfIdentity> parse_elf(const Fd& fd) {
  const File file = TRY(File::open(fd));
  const std::string ident = TRY(file.read(0, EI_NIDENT));
  if (ident.compare(0, SELFMAG, ELFMAG) != 0) return fail(Code::kInvalid, "not an ELF file");
  if (ident[EI_DATA] != ELFDATA2LSB) {
    return fail(Code::kUnsupported, "only little-endian ELF files are read");
  }
  if (ident[EI_CLASS] == ELFCLASS64) return parse<Elf64>(file);
  if (ident[EI_CLASS] == ELFCLASS32) return parse<Elf32>(file);
  return fail(Code::kInvalid, "the ELF file's class is unknown");
}

Result<std::string> read_elf_identity(const Fd& file) {
  const ElfIdentity identity = TRY(parse_elf(file));
  std::string text;
  JsonWriter json(text);
  json.begin_object()
      .member("machine", identity.machine)
      .member("shared", identity.shared)
      .member("build_id", identity.build_id)
      .member("soname", identity.soname)
      .member("interpreter", identity.interpreter);
  json.key("needed").begin_array();
  for (const std::string& name : identity.needed) json.string(name);
  json.end_array().key("runpaths").begin_array();
  for (const std::string& path : identity.runpaths) json.string(path);
  json.end_array().end_object();
  return text;
}

}  // namespace coff::agent
