// Alpine's database of installed packages.
#include "inventory/packages/apk.hpp"

#include "inventory/packages/text_lines.hpp"

namespace coff::inventory {
namespace {

class Reader {
 public:
  Reader(PackageSet& set, std::string_view file, const WantedPaths& wanted, const TopLinks& links)
      : set_(set), file_(file), wanted_(wanted), links_(links) {}

  void take(std::string_view line, std::size_t number) {
    if (line.size() < 2 || line[1] != ':') {
      add_problem(set_, file_, "line " + std::to_string(number) + " is no field");
      return;
    }
    any_ = true;
    const std::string_view value = line.substr(2);
    switch (line[0]) {
      case 'P': package_.name = value; break;
      case 'V': package_.version = value; break;
      case 'A': package_.arch = value; break;
      case 'o': package_.source = value; break;
      case 'F': folder_ = value; break;
      case 'R': take_file(value); break;
      default: break;
    }
  }

  void end_block() {
    if (any_ && (package_.name.empty() || package_.version.empty())) {
      add_problem(set_, file_,
                  package_.name.empty() ? std::string("a package has no name")
                                        : "package " + package_.name + " has no version");
    } else if (any_) {
      package_.type = PackageType::kApk;
      package_.database = file_;
      const std::size_t index = set_.packages.size();
      if (add_package(set_, std::move(package_))) {
        for (std::string& path : owned_) set_.owners.emplace(std::move(path), index);
      }
    }
    package_ = {};
    owned_.clear();
    folder_ = {};
    any_ = false;
  }

 private:
  void take_file(std::string_view name) {
    if (wanted_.empty()) return;
    std::string path = canonical_path(std::string(folder_).append("/").append(name), links_);
    if (wanted_.contains(path)) owned_.push_back(std::move(path));
  }

  PackageSet& set_;
  std::string_view file_;
  const WantedPaths& wanted_;
  const TopLinks& links_;
  Package package_;
  std::vector<std::string> owned_;
  std::string_view folder_;
  bool any_ = false;
};

}  // namespace

void read_apk_installed(PackageSet& set, std::string_view file, std::string_view text,
                        const WantedPaths& wanted, const TopLinks& links) {
  Reader reader(set, file, wanted, links);
  TextLines lines(text);
  for (std::string_view line; lines.next(line);) {
    if (line.empty()) reader.end_block();
    else reader.take(line, lines.number());
  }
  reader.end_block();
}

}  // namespace coff::inventory
