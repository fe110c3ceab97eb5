// What one root file system holds: its system, its packages, and what some of its files are.
#include "inventory/inventory.hpp"

#include <sys/stat.h>

#include <algorithm>

#include "base/mapping.hpp"
#include "inventory/bundle.hpp"
#include "inventory/packages/apk.hpp"
#include "inventory/packages/dpkg.hpp"
#include "inventory/packages/language.hpp"
#include "inventory/packages/rpm.hpp"
#include "inventory/packages/text_lines.hpp"

namespace coff::inventory {
namespace {

/// A value of os-release(5): perhaps in quotes, with backslashes before quotes and dollars.
std::string unquoted(std::string_view value) {
  if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') &&
      value.back() == value.front()) {
    value = value.substr(1, value.size() - 2);
  }
  std::string plain;
  for (std::size_t at = 0; at < value.size() && plain.size() < 256; ++at) {
    if (value[at] == '\\' && at + 1 < value.size()) ++at;
    plain += value[at];
  }
  return plain;
}

void read_os_release(System& system, std::string_view text) {
  TextLines lines(text);
  for (std::string_view line; lines.next(line);) {
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = trim(line.substr(0, equals));
    const std::string value = unquoted(trim(line.substr(equals + 1)));
    if (name == "ID") system.id = value;
    else if (name == "VERSION_ID") system.version = value;
    else if (name == "VERSION_CODENAME") system.codename = value;
    else if (name == "PRETTY_NAME") system.name = value;
  }
}

class Reader {
 public:
  explicit Reader(const std::vector<BundleEntry>& entries) : entries_(entries) {
    for (const BundleEntry& entry : entries) {
      const auto texts = read_texts(entry.bytes);
      if (entry.name == kWantedEntry) wanted_.insert(texts.begin(), texts.end());
      if (entry.name != kLinksEntry) continue;
      for (std::size_t at = 0; at + 1 < texts.size(); at += 2) {
        links_.emplace(texts[at], texts[at + 1]);
      }
    }
  }

  Inventory read() {
    for (const BundleEntry& entry : entries_) read_database(entry);
    // Lists of files need the packages that they belong to.
    const OwnerSearch search{wanted_, links_, diversions_};
    for (const BundleEntry& entry : entries_) {
      if (wanted_.empty() || entry.name.find("/lib/dpkg/") == std::string_view::npos) continue;
      if (entry.name.ends_with(".list")) read_dpkg_list(set_, entry.name, entry.bytes, search);
      if (entry.name.ends_with(".md5sums")) read_dpkg_sums(set_, entry.name, entry.bytes, search);
    }
    return std::move(inventory_);
  }

 private:
  void read_database(const BundleEntry& entry) {
    const std::string_view name = entry.name;
    if (name.ends_with("/os-release")) {
      // /etc comes first and wins.
      if (inventory_.system.id.empty()) read_os_release(inventory_.system, entry.bytes);
    } else if (name.ends_with("/dpkg/status")) {
      read_dpkg_status(set_, name, entry.bytes, DpkgFile::kStatus);
    } else if (name.ends_with("/dpkg/diversions")) {
      diversions_ = read_dpkg_diversions(set_, name, entry.bytes, links_);
    } else if (name.find("/dpkg/status.d/") != std::string_view::npos) {
      if (is_status_part(name)) {
        read_dpkg_status(set_, name, entry.bytes, DpkgFile::kStatusPart);
      }
    } else if (name.ends_with("/apk/db/installed")) {
      read_apk_installed(set_, name, entry.bytes, wanted_, links_);
    } else if (is_rpm(name)) {
      read_rpm_database(set_, name, entry.bytes, log_of(name), wanted_, links_);
    } else if (name.ends_with("/package.json")) {
      read_npm_package(set_, name, entry.bytes);
    } else if (name.ends_with("/METADATA") || name.ends_with("/PKG-INFO") ||
               name.ends_with(".egg-info")) {
      read_python_metadata(set_, name, entry.bytes);
    }
  }

  /// Scripts and sums lie beside the paragraphs.
  static bool is_status_part(std::string_view name) {
    constexpr std::string_view kOthers[] = {".md5sums", ".preinst",   ".postinst", ".prerm",
                                            ".postrm",  ".conffiles", ".list"};
    return std::ranges::none_of(kOthers,
                                [name](std::string_view end) { return name.ends_with(end); });
  }
  static bool is_rpm(std::string_view name) {
    return name.ends_with("/rpmdb.sqlite") || name.ends_with("/Packages.db") ||
           name.ends_with("/rpm/Packages");
  }
  [[nodiscard]] std::string_view log_of(std::string_view name) const {
    const std::string wanted = std::string(name) + "-wal";
    const auto found = std::ranges::find(entries_, std::string_view(wanted), &BundleEntry::name);
    return found == entries_.end() ? std::string_view() : found->bytes;
  }

  const std::vector<BundleEntry>& entries_;
  WantedPaths wanted_;
  TopLinks links_;
  Diversions diversions_;
  Inventory inventory_;
  PackageSet& set_ = inventory_.packages;
};

}  // namespace

Result<Inventory> read_inventory(std::string_view bundle, std::span<const Fd> files) {
  const std::vector<BundleEntry> entries = TRY(read_bundle(bundle));
  Inventory inventory = Reader(entries).read();
  for (const Fd& file : files) {
    FileAnswer answer;
    auto evidence = read_elf_evidence(file);
    if (evidence) answer.evidence = std::move(*evidence);
    else answer.problem = evidence.error().message();
    inventory.files.push_back(std::move(answer));
  }
  return inventory;
}

Result<std::string> answer_inventory(std::span<const Fd> inputs) {
  if (inputs.empty()) return fail(Code::kInvalid, "an inventory needs a bundle");
  struct stat status{};
  if (::fstat(inputs.front().get(), &status) != 0) return fail_errno("cannot stat the bundle");
  const auto size = static_cast<std::size_t>(status.st_size);
  Mapping mapping;
  std::string_view bundle;
  if (size > 0) {
    mapping = TRY(Mapping::map(inputs.front().get(), size));
    bundle = {static_cast<const char*>(mapping.data()), size};
  }
  return to_json(TRY(read_inventory(bundle, inputs.subspan(1))));
}

}  // namespace coff::inventory
