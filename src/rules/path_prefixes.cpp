// "pmatch", whether a path lies below one of a set of paths.
#include "rules/path_prefixes.hpp"

#include <algorithm>

#include "rules/text_match.hpp"

namespace coff::rules {

namespace {

// Patterns can branch at each component; more steps than this say "no".
constexpr size_t kStepsMax = 10'000;

// Takes the next component; empty at the end.
std::string_view next(std::string_view& path) {
  path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
  const size_t end = std::min(path.find('/'), path.size());
  const std::string_view part = path.substr(0, end);
  path.remove_prefix(end);
  return part;
}

}  // namespace

void PathPrefixes::add(std::string_view path) {
  if (nodes_.empty()) nodes_.emplace_back();
  size_t at = 0;
  for (std::string_view part = next(path); !part.empty(); part = next(path)) {
    const bool pattern = part.find_first_of("*?[") != part.npos;
    const auto child = [&](auto& children) {
      return children.try_emplace(std::string(part), nodes_.size()).first->second;
    };
    at = pattern ? child(nodes_[at].patterns) : child(nodes_[at].exact);
    if (at == nodes_.size()) nodes_.emplace_back();
  }
  nodes_[at].end = true;
}

bool PathPrefixes::matches(std::string_view path) const {
  size_t budget = kStepsMax;
  return !nodes_.empty() && matches_from(0, path, budget);
}

bool PathPrefixes::matches_from(size_t at, std::string_view rest, size_t& budget) const {
  const Node& node = nodes_[at];
  if (node.end) return true;
  const std::string_view part = next(rest);
  if (part.empty() || budget-- == 0) return false;
  const auto exact = node.exact.find(part);
  if (exact != node.exact.end() && matches_from(exact->second, rest, budget)) return true;
  if (node.patterns.empty()) return false;
  return std::ranges::any_of(node.patterns, [&](const auto& each) {
    return glob_match(each.first, part, false) && matches_from(each.second, rest, budget);
  });
}

}  // namespace coff::rules
