// What one root file system holds: its system, its packages, and what some of its files are.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hpp"
#include "inventory/elf/elf_evidence.hpp"
#include "inventory/packages/package.hpp"

namespace coff::inventory {

/// Of /etc/os-release (os-release(5)); empty where there is none.
struct System {
  std::string id;        ///< "debian", "alpine", "rhel".
  std::string version;   ///< VERSION_ID: "12", "3.18.4".
  std::string codename;  ///< VERSION_CODENAME: "bookworm".
  std::string name;      ///< PRETTY_NAME.
};

/// One file that was asked about.
struct FileAnswer {
  ElfEvidence evidence;
  std::string problem;  ///< Why there is no evidence; "" when there is.
};

struct Inventory {
  System system;
  PackageSet packages;
  std::vector<FileAnswer> files;  ///< In the order of the descriptors.
};

/// Reads a bundle (bundle.hpp; entries are named by their paths inside the root) and the files
/// behind it. Everything in them is hostile. Never fails as a whole but for a bundle that is cut
/// off: what can't be read is a problem of its file.
Result<Inventory> read_inventory(std::string_view bundle, std::span<const Fd> files);

/// read_inventory() for a worker: the first descriptor is the bundle, the answer is JSON. Texts
/// that are no UTF-8 have U+FFFD in them.
Result<std::string> answer_inventory(std::span<const Fd> inputs);
std::string to_json(const Inventory& inventory);
/// Reads an answer back. kInvalid: not what to_json() writes.
Result<Inventory> inventory_of(std::string_view json);

/// Answers of a worker are at most this long.
inline constexpr std::size_t kAnswerBytesMax = std::size_t{64} << 20U;

}  // namespace coff::inventory
