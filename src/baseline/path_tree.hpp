// The written files of a service as a tree that stays small: many names in one folder become one.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace coff::baseline {

/// Generalised absolute paths. A folder that gets more than kNamesMax names of files holds any
/// name ("*") from then on, and so for folders in a folder; the two directories next to the root
/// keep their names. Belongs to one thread.
class PathTree {
 public:
  static constexpr std::size_t kNamesMax = 16;
  /// Components of a path; what is deeper counts as the folder at this depth.
  static constexpr std::size_t kDepthMax = 24;
  /// Nearest to the root: "/", "/var". What lies there is named one by one.
  static constexpr std::size_t kNamedDepth = 2;

  /// Adds a path, "*" standing for any one name. True when it was not there.
  bool add(std::string_view path);
  [[nodiscard]] bool contains(std::string_view path) const;
  /// Every path, sorted.
  [[nodiscard]] std::vector<std::string> paths() const;
  /// Nodes, which is what memory goes by.
  [[nodiscard]] std::size_t size() const { return size_; }
  /// Bytes of all names.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  struct Node {
    bool file = false;
    std::map<std::string, Node, std::less<>> below;
  };

  static bool matches(const Node& node, std::span<const std::string_view> parts,
                      std::size_t& steps);
  static void merge(Node&& from, Node& into);
  static bool shrink(Node& node, bool files);
  static void list(const Node& node, const std::string& prefix, std::vector<std::string>& out);
  static void measure(const Node& node, std::size_t& count, std::size_t& bytes);

  Node root_;
  std::size_t size_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace coff::baseline
