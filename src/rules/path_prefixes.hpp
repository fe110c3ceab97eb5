// Private to the room: "pmatch", whether a path lies below one of a set of paths.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace coff::rules {

/// Lets sets of std::string be asked for a std::string_view.
struct TextHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};
using TextSet = std::unordered_set<std::string, TextHash, std::equal_to<>>;

/// A tree of path components. A component of an added path with *, ? or [ is a pattern. Empty
/// components do not count; "/" matches every path.
class PathPrefixes {
 public:
  void add(std::string_view path);
  [[nodiscard]] bool matches(std::string_view path) const;
  [[nodiscard]] bool empty() const { return nodes_.empty(); }

 private:
  struct Node {
    bool end = false;
    std::unordered_map<std::string, size_t, TextHash, std::equal_to<>> exact;
    std::map<std::string, size_t, std::less<>> patterns;
  };
  [[nodiscard]] bool matches_from(size_t node, std::string_view rest, size_t& budget) const;

  std::vector<Node> nodes_;
};

}  // namespace coff::rules
