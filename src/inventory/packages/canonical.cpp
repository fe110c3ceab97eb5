// One name for each file of a root file system, whatever links lead to it.
#include "inventory/packages/canonical.hpp"

#include <vector>

namespace coff::inventory {
namespace {

void append_parts(std::vector<std::string_view>& parts, std::string_view path) {
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
    if (part.empty() || part == ".") continue;
    if (part != "..") parts.push_back(part);
    else if (!parts.empty()) parts.pop_back();
  }
}

}  // namespace

std::string canonical_path(std::string_view path, const TopLinks& links) {
  std::vector<std::string_view> parts;
  append_parts(parts, path);
  const auto link = parts.empty() ? links.end() : links.find(parts.front());
  if (link != links.end()) {
    std::vector<std::string_view> target;
    append_parts(target, link->second);
    target.insert(target.end(), parts.begin() + 1, parts.end());
    parts = std::move(target);
  }
  std::string joined;
  for (const std::string_view part : parts) joined.append("/").append(part);
  return joined.empty() ? "/" : joined;
}

}  // namespace coff::inventory
