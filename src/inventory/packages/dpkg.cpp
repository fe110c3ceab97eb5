// Debian's package database: deb-control paragraphs, file lists, diversions.
#include "inventory/packages/dpkg.hpp"

#include <strings.h>

#include <algorithm>

#include "inventory/packages/text_lines.hpp"

namespace coff::inventory {
namespace {

/// Names and versions are short in every archive; a longer one is an attack on somebody's memory.
constexpr std::size_t kFieldBytesMax = 4096;
constexpr std::size_t kDiversionsMax = 10'000;

bool same_name(std::string_view field, std::string_view name) {
  return field.size() == name.size() && ::strncasecmp(field.data(), name.data(), name.size()) == 0;
}

/// Fields of one paragraph that matter.
struct Paragraph {
  std::string_view package;
  std::string_view status;
  std::string_view version;
  std::string_view arch;
  std::string_view source;
  bool any = false;  ///< It had a field at all.

  void take(std::string_view name, std::string_view value) {
    any = true;
    if (same_name(name, "Package")) package = value;
    else if (same_name(name, "Status")) status = value;
    else if (same_name(name, "Version")) version = value;
    else if (same_name(name, "Architecture")) arch = value;
    else if (same_name(name, "Source")) source = value;
  }
};

/// Its files are on disk: deb-control's states after "unpacked".
bool on_disk(std::string_view status, DpkgFile kind) {
  if (status.empty()) return kind == DpkgFile::kStatusPart;
  constexpr std::string_view kStates[] = {"installed", "unpacked", "half-configured",
                                          "triggers-awaited", "triggers-pending"};
  const std::size_t space = status.rfind(' ');
  const std::string_view state =
      space == std::string_view::npos ? status : status.substr(space + 1);
  return std::ranges::find(kStates, state) != std::end(kStates);
}

/// "name (version)", or the name alone when both packages have the same version.
void take_source(Package& package, std::string_view source) {
  const std::size_t open = source.find('(');
  package.source = trim(source.substr(0, open));
  if (open == std::string_view::npos) return;
  const std::size_t close = source.find(')', open);
  if (close == std::string_view::npos) return;
  package.source_version = trim(source.substr(open + 1, close - open - 1));
}

void end_paragraph(PackageSet& set, std::string_view file, const Paragraph& paragraph,
                   DpkgFile kind) {
  if (!paragraph.any || !on_disk(paragraph.status, kind)) return;
  if (paragraph.package.empty() || paragraph.version.empty()) {
    add_problem(set, file,
                paragraph.package.empty()
                    ? std::string("a package has no name")
                    : "package " + std::string(paragraph.package) + " has no version");
    return;
  }
  Package package{.type = PackageType::kDeb,
                  .name = std::string(paragraph.package),
                  .version = std::string(paragraph.version),
                  .arch = std::string(paragraph.arch)};
  package.database = file;
  take_source(package, paragraph.source);
  add_package(set, std::move(package));
}

/// "libssl3:amd64" of "…/info/libssl3:amd64.list".
std::string_view package_of(std::string_view file) {
  const std::size_t slash = file.rfind('/');
  if (slash != std::string_view::npos) file = file.substr(slash + 1);
  return file.substr(0, file.rfind('.'));
}

bool is_package(const Package& package, std::string_view name) {
  const std::size_t colon = name.find(':');
  if (package.name != name.substr(0, colon)) return false;
  return colon == std::string_view::npos || package.arch == name.substr(colon + 1);
}

/// Notes `path` when it is wanted and not diverted away. Owned by the first that claims it.
class OwnerNotes {
 public:
  OwnerNotes(PackageSet& set, std::string_view name, const OwnerSearch& search)
      : set_(set), search_(search) {
    const auto found = std::ranges::find_if(
        set.packages, [name](const Package& package) { return is_package(package, name); });
    known_ = found != set.packages.end();
    index_ = static_cast<std::size_t>(found - set.packages.begin());
  }
  [[nodiscard]] bool known() const { return known_; }

  void note(std::string_view path) {
    std::string canonical = canonical_path(path, search_.links);
    const auto diversion = search_.diversions.find(canonical);
    if (diversion != search_.diversions.end() &&
        diversion->second.by != set_.packages[index_].name) {
      canonical = diversion->second.to;
    }
    if (search_.wanted.contains(canonical)) set_.owners.emplace(std::move(canonical), index_);
  }

 private:
  PackageSet& set_;
  const OwnerSearch& search_;
  std::size_t index_ = 0;
  bool known_ = false;
};

}  // namespace

void read_dpkg_status(PackageSet& set, std::string_view file, std::string_view text,
                      DpkgFile kind) {
  Paragraph paragraph;
  TextLines lines(text);
  for (std::string_view line; lines.next(line);) {
    if (trim(line).empty()) {
      end_paragraph(set, file, paragraph, kind);
      paragraph = {};
      continue;
    }
    if (line.front() == ' ' || line.front() == '\t') continue;  // more of the field before
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) {
      add_problem(set, file, "line " + std::to_string(lines.number()) + " is no field");
      continue;
    }
    const std::string_view value = trim(line.substr(colon + 1));
    if (value.size() <= kFieldBytesMax) paragraph.take(line.substr(0, colon), value);
    else paragraph.any = true;
  }
  end_paragraph(set, file, paragraph, kind);
}

Diversions read_dpkg_diversions(PackageSet& set, std::string_view file, std::string_view text,
                                const TopLinks& links) {
  Diversions diversions;
  TextLines lines(text);
  std::string_view from;
  std::string_view to;
  std::string_view by;
  while (lines.next(from)) {
    if (!lines.next(to) || !lines.next(by) || !from.starts_with('/') || !to.starts_with('/')) {
      add_problem(set, file, "line " + std::to_string(lines.number()) + " is no diversion");
      break;
    }
    if (diversions.size() >= kDiversionsMax) {
      add_problem(set, file, "too many diversions");
      break;
    }
    diversions.emplace(canonical_path(from, links),
                       Diversion{canonical_path(to, links), std::string(by)});
  }
  return diversions;
}

void read_dpkg_list(PackageSet& set, std::string_view file, std::string_view text,
                    const OwnerSearch& search) {
  OwnerNotes notes(set, package_of(file), search);
  if (!notes.known()) return;
  TextLines lines(text);
  for (std::string_view line; lines.next(line);) {
    if (line.starts_with('/')) notes.note(line);
  }
}

void read_dpkg_sums(PackageSet& set, std::string_view file, std::string_view text,
                    const OwnerSearch& search) {
  OwnerNotes notes(set, package_of(file), search);
  if (!notes.known()) return;
  constexpr std::size_t kSumBytes = 34;  // 32 digits and two spaces
  TextLines lines(text);
  for (std::string_view line; lines.next(line);) {
    if (line.size() > kSumBytes) notes.note(line.substr(kSumBytes));
  }
}

}  // namespace coff::inventory
