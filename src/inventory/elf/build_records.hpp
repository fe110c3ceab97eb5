// Records that compilers and packagers leave in a program: Go build info, Rust crates, package
// note.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "inventory/packages/package.hpp"

namespace coff::inventory {

/// First bytes of Go's build info; it begins at a multiple of 16.
inline constexpr std::string_view kGoMagic("\xff Go buildinf:", 14);

/// Reads Go build info of Go 1.18 and later (debug/buildinfo: flag 2, the release and the modules
/// inline) from `bytes`, which begin with the magic. Modules become packages, a replaced one its
/// replacement; the release becomes "stdlib". kUnsupported: older.
Result<std::vector<Package>> read_go_build_info(std::string_view bytes);

/// Reads section .dep-v0 (cargo-auditable): zlib, then JSON. At most 16 MiB unpacked.
Result<std::vector<Package>> read_rust_crates(std::string_view section);

/// Reads the JSON of an ELF package note (systemd.io/ELF_PACKAGE_METADATA). Nothing when it names
/// a type that is none of ours.
Result<std::vector<Package>> read_package_note(std::string_view json);

}  // namespace coff::inventory
