// What an ELF file says about itself: build id, name, needed libraries, interpreter.
#include "inventory/elf/elf_identity.hpp"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/bytes.hpp"
#include "base/json_writer.hpp"
#include "inventory/elf/elf_file.hpp"

namespace coff::inventory {
namespace {

constexpr std::size_t kProgramHeadersMax = 512;
constexpr std::uint64_t kDynamicBytesMax = 1U << 20U;
constexpr std::uint64_t kNoteBytesMax = 1U << 20U;
/// SHA-1 has 20, other linkers write up to 32; more is not a build id.
constexpr std::uint64_t kBuildIdBytesMax = 64;

struct Elf32 {
  using Header = Elf32_Ehdr;
  using Segment = Elf32_Phdr;
  using Dynamic = Elf32_Dyn;
  using Section = Elf32_Shdr;
};
struct Elf64 {
  using Header = Elf64_Ehdr;
  using Segment = Elf64_Phdr;
  using Dynamic = Elf64_Dyn;
  using Section = Elf64_Shdr;
};

/// systemd.io/ELF_PACKAGE_METADATA.
constexpr Elf64_Word kPackageNote = 0xcafe1a7e;
constexpr std::uint64_t kPackageNoteBytesMax = 65536;

/// Build id and package note of one note segment: each note is name size, content size, type,
/// name, content, the last two padded to 4 bytes.
void read_notes(std::string_view notes, ElfIdentity& identity) {
  while (notes.size() >= sizeof(Elf64_Nhdr)) {
    Elf64_Nhdr note;
    std::memcpy(&note, notes.data(), sizeof note);
    notes.remove_prefix(sizeof note);
    const std::uint64_t name_size = (std::uint64_t{note.n_namesz} + 3) & ~std::uint64_t{3};
    const std::uint64_t content_size = (std::uint64_t{note.n_descsz} + 3) & ~std::uint64_t{3};
    if (name_size > notes.size() || note.n_descsz > notes.size() - name_size) return;
    const std::string_view name = notes.substr(0, note.n_namesz);
    const std::string_view content = notes.substr(name_size, note.n_descsz);
    if (name == std::string_view("GNU\0", 4) && note.n_type == NT_GNU_BUILD_ID &&
        content.size() <= kBuildIdBytesMax && identity.build_id.empty()) {
      identity.build_id = to_hex(octets(content));
    } else if (name == std::string_view("FDO\0", 4) && note.n_type == kPackageNote &&
               content.size() <= kPackageNoteBytesMax) {
      identity.package_note = content.substr(0, content.find('\0'));
    }
    notes.remove_prefix(std::min<std::uint64_t>(name_size + content_size, notes.size()));
  }
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
Result<void> read_dynamic(const ElfFile& file, const typename Format::Segment& segment,
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
Result<ElfIdentity> parse(const ElfFile& file) {
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
    } else if (segment.p_type == PT_NOTE && segment.p_filesz <= kNoteBytesMax) {
      read_notes(TRY(file.read(segment.p_offset, segment.p_filesz)), identity);
    } else if (segment.p_type == PT_DYNAMIC) {
      TRY(read_dynamic<Format>(file, segment, segments, identity));
    }
  }
  return identity;
}

template <typename Format>
Result<ElfSection> find_section(const ElfFile& file, std::string_view wanted) {
  using Section = typename Format::Section;
  const auto header = TRY(file.value<typename Format::Header>(0));
  if (header.e_shoff == 0 || header.e_shnum == 0 || header.e_shentsize != sizeof(Section) ||
      header.e_shstrndx >= header.e_shnum) {
    return ElfSection{};
  }
  const auto table = file.read(header.e_shoff, header.e_shnum * std::uint64_t{sizeof(Section)});
  if (!table) return ElfSection{};
  const auto section_at = [&table](std::size_t at) {
    Section section;
    std::memcpy(&section, table->data() + at * sizeof section, sizeof section);
    return section;
  };
  const Section names = section_at(header.e_shstrndx);
  for (std::size_t at = 0; at < header.e_shnum; ++at) {
    const Section section = section_at(at);
    if (section.sh_type == SHT_NOBITS || section.sh_name >= names.sh_size) continue;
    const std::uint64_t most =
        std::min<std::uint64_t>(names.sh_size - section.sh_name, wanted.size() + 1);
    const auto name = file.read(std::uint64_t{names.sh_offset} + section.sh_name, most);
    if (name && std::string_view(*name).substr(0, name->find('\0')) == wanted) {
      return ElfSection{section.sh_offset, section.sh_size};
    }
  }
  return ElfSection{};
}

}  // namespace

Result<ElfSection> find_elf_section(const Fd& fd, std::string_view name) {
  const ElfFile file = TRY(ElfFile::open(fd));
  const std::string ident = TRY(file.read(0, EI_NIDENT));
  if (ident[EI_CLASS] == ELFCLASS64) return find_section<Elf64>(file, name);
  return find_section<Elf32>(file, name);
}

Result<ElfIdentity> parse_elf(const Fd& fd) {
  const ElfFile file = TRY(ElfFile::open(fd));
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

}  // namespace coff::inventory
