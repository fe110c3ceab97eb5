// The written files of a service as a tree that stays small: many names in one folder become one.
#include "baseline/path_tree.hpp"

#include <algorithm>

namespace coff::baseline {

namespace {

std::vector<std::string_view> components_of(std::string_view path) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0; at < path.size() && parts.size() < PathTree::kDepthMax;) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    if (end > at) parts.push_back(path.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

}  // namespace

void PathTree::merge(Node&& from, Node& into) {
  into.file = into.file || from.file;
  for (auto& [name, node] : from.below) merge(std::move(node), into.below[name]);
}

// Names of files, or of folders, become one when they are too many.
bool PathTree::shrink(Node& node, bool files) {
  const auto counts = [&](const auto& each) {
    return each.first != "*" && each.second.below.empty() == files;
  };
  const auto count = static_cast<std::size_t>(std::ranges::count_if(node.below, counts));
  if (count <= kNamesMax) return false;
  Node any;
  if (const auto known = node.below.find("*"); known != node.below.end()) {
    any = std::move(known->second);
    node.below.erase(known);
  }
  for (auto at = node.below.begin(); at != node.below.end();) {
    if (!counts(*at)) {
      ++at;
      continue;
    }
    merge(std::move(at->second), any);
    at = node.below.erase(at);
  }
  Node& kept = node.below["*"];
  kept = std::move(any);
  shrink(kept, true);
  shrink(kept, false);
  return true;
}

bool PathTree::add(std::string_view path) {
  if (contains(path)) return false;
  const auto parts = components_of(path);
  if (parts.empty()) return false;
  Node* node = &root_;
  std::vector<Node*> way;
  for (const std::string_view part : parts) {
    way.push_back(node);
    const auto [at, made] = node->below.try_emplace(std::string(part));
    size_ += made ? 1 : 0;
    bytes_ += made ? part.size() : 0;
    node = &at->second;
  }
  node->file = true;
  bool shrunk = false;
  // From the leaf up: what is merged below may not move what the way still points to.
  for (std::size_t depth = way.size(); depth-- > kNamedDepth;) {
    shrunk = shrink(*way[depth], true) || shrunk;
    shrunk = shrink(*way[depth], false) || shrunk;
  }
  if (!shrunk) return true;
  size_ = bytes_ = 0;
  measure(root_, size_, bytes_);
  return true;
}

// A name may be there by itself and as any name: both ways are gone, within a bound.
bool PathTree::matches(const Node& node, std::span<const std::string_view> parts,
                       std::size_t& steps) {
  if (parts.empty()) return node.file;
  if (steps == 0) return false;
  --steps;
  for (const std::string_view name : {parts.front(), std::string_view("*")}) {
    const auto found = node.below.find(name);
    if (found != node.below.end() && matches(found->second, parts.subspan(1), steps)) return true;
  }
  return false;
}

bool PathTree::contains(std::string_view path) const {
  constexpr std::size_t kStepsMax = 4096;
  std::size_t steps = kStepsMax;
  return matches(root_, components_of(path), steps);
}

void PathTree::list(const Node& node, const std::string& prefix, std::vector<std::string>& out) {
  for (const auto& [name, below] : node.below) {
    std::string path = prefix;
    path.append(1, '/').append(name);
    if (below.file) out.push_back(path);
    list(below, path, out);
  }
}

std::vector<std::string> PathTree::paths() const {
  std::vector<std::string> out;
  list(root_, "", out);
  std::ranges::sort(out);
  return out;
}

void PathTree::measure(const Node& node, std::size_t& count, std::size_t& bytes) {
  for (const auto& [name, below] : node.below) {
    ++count;
    bytes += name.size();
    measure(below, count, bytes);
  }
}

}  // namespace coff::baseline
