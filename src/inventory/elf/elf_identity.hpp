// What an ELF file says about itself: build id, name, needed libraries, interpreter.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace coff::inventory {

/// Needed libraries of one file at most; glibc-based programs have tens.
inline constexpr std::size_t kNeededMax = 4096;

struct ElfIdentity {
  std::string machine;                ///< "x86_64", "aarch64", or the number of e_machine.
  bool shared = false;                ///< ET_DYN: a library or a position-independent program.
  std::string build_id;               ///< Lower-case hexadecimal; empty when there is none.
  std::string soname;                 ///< DT_SONAME.
  std::string interpreter;            ///< PT_INTERP; empty for static programs and libraries.
  std::vector<std::string> needed;    ///< DT_NEEDED in order.
  std::vector<std::string> runpaths;  ///< DT_RPATH and DT_RUNPATH.
  std::string package_note;           ///< JSON of the ELF package note; "" when there is none.
};

/// Reads 32- or 64-bit little-endian ELF (System V gABI) from a seekable descriptor. The file is
/// hostile: every offset and count is checked against the file and stated limits. kInvalid: not
/// ELF or malformed; kUnsupported: big-endian.
Result<ElfIdentity> parse_elf(const Fd& file);

/// Where a section lies in the file; size 0 when there is none of that name.
struct ElfSection {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};
/// Finds a section by name. A file without section headers has none; those that contradict
/// themselves are taken for absent, since nothing at run time needs them.
Result<ElfSection> find_elf_section(const Fd& file, std::string_view name);

/// parse_elf() as JSON; texts that are no UTF-8 have U+FFFD in them.
Result<std::string> read_elf_identity(const Fd& file);

}  // namespace coff::inventory
