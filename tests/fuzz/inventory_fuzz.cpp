// Package databases, programs and build records: no input crashes a reader, and answers come back.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "inventory/bundle.hpp"
#include "inventory/elf/build_records.hpp"
#include "inventory/inventory.hpp"

namespace {

using namespace coff;

// The first byte says as what the rest is read.
constexpr const char* kNames[] = {"/var/lib/dpkg/status",     "/var/lib/dpkg/status.d/x",
                                  "/var/lib/dpkg/diversions", "/var/lib/dpkg/info/a.list",
                                  "/lib/apk/db/installed",    "/var/lib/rpm/rpmdb.sqlite",
                                  "/var/lib/rpm/Packages.db", "/a/node_modules/b/package.json",
                                  "/a/x.dist-info/METADATA",  "/etc/os-release"};

void check(const std::string& bundle, std::span<const Fd> files) {
  const auto inventory = inventory::read_inventory(bundle, files);
  COFF_ASSERT(inventory.has_value());
  const auto back = inventory::inventory_of(inventory::to_json(*inventory));
  COFF_ASSERT(back.has_value());
  COFF_ASSERT(back->packages.packages.size() == inventory->packages.packages.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const size_t kind = data[0] % (std::size(kNames) + 3);
  const std::string bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  std::string bundle;
  if (kind < std::size(kNames)) {
    std::string wanted;
    inventory::append_text(wanted, "/usr/lib/a.so");
    inventory::append_entry(bundle, inventory::kWantedEntry, wanted);
    inventory::append_entry(bundle, kNames[kind], bytes);
    check(bundle, {});
    return 0;
  }
  if (kind == std::size(kNames)) {
    std::string info(inventory::kGoMagic);
    [[maybe_unused]] const auto go = inventory::read_go_build_info(info + bytes);
    [[maybe_unused]] const auto crates = inventory::read_rust_crates(bytes);
    [[maybe_unused]] const auto note = inventory::read_package_note(bytes);
    return 0;
  }
  if (kind == std::size(kNames) + 1) {
    // A bundle is ours, but a broken one must not crash either.
    [[maybe_unused]] const auto read = inventory::read_inventory(bytes, {});
    [[maybe_unused]] const auto answer = inventory::inventory_of(bytes);
    return 0;
  }
  Fd files[1] = {Fd(::memfd_create("fuzz", MFD_CLOEXEC))};
  COFF_ASSERT(write_all(files[0], bytes).has_value());
  check(bundle, files);
  return 0;
}
