// Copies the package databases of a root file system into a bundle.
#include "inventory/bundle.hpp"
#include "inventory/root_files.hpp"

namespace coff::inventory {
namespace {

constexpr std::size_t kFileBytesMax = std::size_t{96} << 20U;
constexpr std::size_t kListsMax = 20'000;

class Collector {
 public:
  explicit Collector(const RootFiles& root) : root_(root) {}

  void add(const std::string& path) {
    auto bytes = root_.read(path, kFileBytesMax);
    if (!bytes) {
      if (bytes.error().code != Code::kNotFound) {
        collected_.problems.push_back(bytes.error().message());
      }
      return;
    }
    if (collected_.bundle.size() + bytes->size() > kBundleBytesMax) {
      if (!full_) collected_.problems.push_back(path + " and others are left out: too large");
      full_ = true;
      return;
    }
    append_entry(collected_.bundle, path, *bytes);
  }

  void add_all(const std::string& folder, std::string_view ending) {
    for (const std::string& name : root_.list(folder, kListsMax)) {
      if (name.ends_with(ending)) add(folder + "/" + name);
    }
  }

  void note(std::string_view name, std::string_view list) {
    append_entry(collected_.bundle, name, list);
  }
  Collected take() { return std::move(collected_); }

 private:
  const RootFiles& root_;
  Collected collected_;
  bool full_ = false;
};

}  // namespace

Collected collect_databases(const RootFiles& root, const std::vector<std::string>& wanted) {
  Collector collector(root);
  std::string list;
  for (const std::string& path : wanted) append_text(list, path);
  collector.note(kWantedEntry, list);
  list.clear();
  for (const auto& [name, target] : root.top_links()) {
    append_text(list, name);
    append_text(list, target);
  }
  collector.note(kLinksEntry, list);
  for (const char* path :
       {"/etc/os-release", "/usr/lib/os-release", "/var/lib/dpkg/status",
        "/var/lib/dpkg/diversions", "/lib/apk/db/installed", "/usr/lib/apk/db/installed",
        "/var/lib/rpm/rpmdb.sqlite", "/var/lib/rpm/rpmdb.sqlite-wal", "/var/lib/rpm/Packages.db",
        "/var/lib/rpm/Packages", "/usr/lib/sysimage/rpm/rpmdb.sqlite",
        "/usr/lib/sysimage/rpm/rpmdb.sqlite-wal", "/usr/lib/sysimage/rpm/Packages.db",
        "/usr/lib/sysimage/rpm/Packages"}) {
    collector.add(path);
  }
  for (const char* folder : {"/var/lib/dpkg/status.d", "/usr/lib/dpkg/status.d"}) {
    collector.add_all(folder, "");
  }
  if (!wanted.empty()) collector.add_all("/var/lib/dpkg/info", ".list");
  return collector.take();
}

}  // namespace coff::inventory
