// What runs on this host right now: processes, the files that they map, the packages around them.
#include "exposure/scan.hpp"

#include <fcntl.h>

#include <algorithm>
#include <utility>

#include "base/clock.hpp"
#include "inventory/bundle.hpp"
#include "inventory/packages/canonical.hpp"
#include "inventory/root_files.hpp"
#include "runtime/cgroup.hpp"

namespace coff::exposure {
namespace {

using inventory::Inventory;
using inventory::MappedRoot;

/// A process of the root that still runs opens it for us.
Result<inventory::RootFiles> open_root(const MappedRoot& root) {
  Error last{Code::kNotFound, "none of its processes runs any more"};
  constexpr std::size_t kTriesMax = 8;
  for (std::size_t at = 0; at < std::min(root.processes.size(), kTriesMax); ++at) {
    auto files =
        inventory::RootFiles::open("/proc/" + std::to_string(root.processes[at].pid) + "/root");
    if (files) return files;
    last = files.error();
  }
  return std::unexpected(last);
}

/// One root on its way through the parser, some files at a time.
class RootScan {
 public:
  RootScan(Parser& parser, MappedRoot root) : parser_(parser), mapped_(std::move(root)) {
    result_.container = mapped_.container;
  }

  ScannedRoot run() {
    prepare_bundle();
    std::vector<Fd> files;
    std::vector<std::size_t> places;
    bool first = true;
    for (inventory::MappedFile& file : mapped_.files) {
      result_.files.push_back({.mapped = std::move(file)});
      ScannedFile& scanned = result_.files.back();
      auto opened = inventory::open_mapped(scanned.mapped);
      if (!opened) {
        scanned.problem = opened.error().message();
        continue;
      }
      scanned.identity = opened->identity;
      files.push_back(std::move(opened->file));
      places.push_back(result_.files.size() - 1);
      if (files.size() < kFilesOfParseMax) continue;
      parse(std::exchange(first, false), std::exchange(files, {}), std::exchange(places, {}));
    }
    if (first || !files.empty()) parse(first, std::move(files), places);
    find_owners();
    result_.processes = std::move(mapped_.processes);
    return std::move(result_);
  }

 private:
  void prepare_bundle() {
    const auto root = open_root(mapped_);
    if (!root) {
      problem("/", root.error().message());
      return;
    }
    links_ = root->top_links();
    std::vector<std::string> wanted;
    wanted.reserve(mapped_.files.size());
    for (const inventory::MappedFile& file : mapped_.files) {
      wanted.push_back(inventory::canonical_path(file.path, links_));
    }
    inventory::Collected collected = inventory::collect_databases(*root, wanted);
    bundle_ = std::move(collected.bundle);
    for (std::string& what : collected.problems) problem("", std::move(what));
  }

  void problem(std::string file, std::string what) {
    result_.problems.push_back({std::move(file), std::move(what)});
  }

  /// The first call carries the databases. When a file makes the whole call fail, each of its
  /// files gets a call of its own: one hostile file hides no other.
  void parse(bool with_databases, std::vector<Fd> files, const std::vector<std::size_t>& places) {
    std::vector<Fd> again;
    if (files.size() > 1 || with_databases) {
      for (const Fd& file : files) again.emplace_back(::fcntl(file.get(), F_DUPFD_CLOEXEC, 3));
    }
    const std::string nothing;
    auto answer = parser_.parse(with_databases ? bundle_ : nothing, std::move(files));
    if (answer) {
      if (with_databases) take_databases(*answer);
      take_files(*answer, places);
      return;
    }
    if (again.empty()) {
      for (const std::size_t place : places) {
        result_.files[place].problem = answer.error().message();
      }
      return;
    }
    if (with_databases) {
      auto databases = parser_.parse(bundle_, {});
      if (databases) take_databases(*databases);
      else problem("/", "packages are not known: " + databases.error().message());
    }
    for (std::size_t at = 0; at < again.size(); ++at) {
      std::vector<Fd> one;
      one.push_back(std::move(again[at]));
      auto single = parser_.parse(nothing, std::move(one));
      if (single) take_files(*single, {places[at]});
      else result_.files[places[at]].problem = single.error().message();
    }
  }

  void take_databases(Inventory& answer) {
    result_.system = std::move(answer.system);
    result_.packages = std::move(answer.packages.packages);
    owners_ = std::move(answer.packages.owners);
    for (inventory::Problem& one : answer.packages.problems) {
      result_.problems.push_back(std::move(one));
    }
  }

  void take_files(Inventory& answer, const std::vector<std::size_t>& places) {
    for (std::size_t at = 0; at < std::min(places.size(), answer.files.size()); ++at) {
      ScannedFile& file = result_.files[places[at]];
      file.evidence = std::move(answer.files[at].evidence);
      file.problem = std::move(answer.files[at].problem);
    }
  }

  void find_owners() {
    for (ScannedFile& file : result_.files) {
      const auto owner = owners_.find(inventory::canonical_path(file.mapped.path, links_));
      if (owner != owners_.end()) file.owner = static_cast<std::ptrdiff_t>(owner->second);
    }
  }

  Parser& parser_;
  MappedRoot mapped_;
  std::string bundle_;
  inventory::TopLinks links_;
  std::map<std::string, std::size_t> owners_;
  ScannedRoot result_;
};

}  // namespace

Result<Inventory> LocalParser::parse(const std::string& bundle, std::vector<Fd> files) {
  return inventory::read_inventory(bundle, files);
}

std::string container_of_cgroup(std::string_view path) {
  const auto container = runtime::parse_cgroup(path);
  return container ? container->id : std::string();
}

Result<Scan> scan_host(Parser& parser) {
  const std::int64_t begun_ns = boot_now_ns();
  inventory::MappedSweep sweep = TRY(inventory::sweep_processes(&container_of_cgroup));
  Scan scan{.unreadable = sweep.unreadable, .truncated = sweep.truncated};
  scan.sweep_ns = boot_now_ns() - begun_ns;
  for (MappedRoot& root : sweep.roots) {
    scan.processes += root.processes.size();
    scan.roots.push_back(RootScan(parser, std::move(root)).run());
  }
  scan.parse_ns = boot_now_ns() - begun_ns - scan.sweep_ns;
  return scan;
}

Result<void> learn_builds(Store& store, const Scan& scan) {
  for (const ScannedRoot& root : scan.roots) {
    std::vector<LearnedBuild> builds;
    for (const ScannedFile& file : root.files) {
      const std::string& build_id = file.evidence.identity.build_id;
      if (file.mapped.deleted || file.owner < 0 || build_id.empty()) continue;
      const inventory::Package& package = root.packages[static_cast<std::size_t>(file.owner)];
      builds.push_back(
          {build_id, package.name, package.version, package.source, package.source_version});
    }
    TRY(store.learn(root.container, builds));
  }
  return {};
}

}  // namespace coff::exposure
