// Packages of programming languages, from the files that their installers leave.
#include "inventory/packages/language.hpp"

#include <strings.h>

#include <boost/json.hpp>

#include "inventory/json_text.hpp"
#include "inventory/packages/text_lines.hpp"

namespace coff::inventory {
namespace {

/// PEP 503: lower case, and each run of "-", "_" and "." as one "-".
std::string python_name(std::string_view name) {
  std::string normal;
  for (const char c : name) {
    const bool gap = c == '-' || c == '_' || c == '.';
    if (gap && normal.ends_with('-')) continue;
    normal += gap ? '-' : (c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
  }
  return normal;
}

bool is_header(std::string_view line, std::string_view name) {
  return line.size() > name.size() && line[name.size()] == ':' &&
         ::strncasecmp(line.data(), name.data(), name.size()) == 0;
}

}  // namespace

void read_npm_package(PackageSet& set, std::string_view file, std::string_view text) {
  const auto root = parse_json(text);
  if (!root) {
    add_problem(set, file, root.error().message());
    return;
  }
  const std::string_view name = text_of(*root, "name");
  const std::string_view version = text_of(*root, "version");
  if (name.empty() || version.empty()) return;
  Package package{
      .type = PackageType::kNpm, .name = std::string(name), .version = std::string(version)};
  package.database = file;
  add_package(set, std::move(package));
}

void read_python_metadata(PackageSet& set, std::string_view file, std::string_view text) {
  Package package{.type = PackageType::kPython};
  package.database = file;
  TextLines lines(text);
  for (std::string_view line; lines.next(line) && !line.empty();) {
    constexpr std::string_view kName = "Name";
    constexpr std::string_view kVersion = "Version";
    if (is_header(line, kName)) package.name = python_name(trim(line.substr(kName.size() + 1)));
    if (is_header(line, kVersion)) package.version = trim(line.substr(kVersion.size() + 1));
  }
  if (package.name.empty() || package.version.empty()) {
    add_problem(set, file, "no name or no version");
    return;
  }
  add_package(set, std::move(package));
}

}  // namespace coff::inventory
