// Merkle tree hashing, compact ranges, inclusion and consistency proofs (RFC 9162 section 2.1).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace coff::trail {

/// Longest proof that a 64-bit tree can have; longer ones are refused unread.
inline constexpr size_t kProofHashesMax = 64;

/// SHA-256(0x00 || entry).
Hash leaf_hash(std::string_view entry);
/// SHA-256(0x01 || left || right).
Hash node_hash(const Hash& left, const Hash& right);
/// Root of the tree without leaves: SHA-256 of nothing.
Hash empty_root();
/// Root over `leaves` (a power of two or not); empty_root() for none.
Hash merkle_root(std::span<const Hash> leaves);

/// The right edge of a growing tree: enough to append and to tell the root, at most 64 hashes.
class CompactRange {
 public:
  void append(const Hash& leaf);
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] Hash root() const;

 private:
  std::uint64_t size_ = 0;
  std::vector<Hash> peaks_;  ///< Roots of the full subtrees, largest first.
};

/// Where proofs get the hashes of full subtrees from.
class NodeSource {
 public:
  NodeSource() = default;
  NodeSource(const NodeSource&) = delete;
  NodeSource& operator=(const NodeSource&) = delete;
  virtual ~NodeSource() = default;
  /// Hash of the full subtree over the leaves [index << height, (index + 1) << height).
  virtual Result<Hash> node(unsigned height, std::uint64_t index) = 0;
};

/// Leaves held in memory, for tests and small trees. Borrows the leaves.
class MemoryNodes : public NodeSource {
 public:
  explicit MemoryNodes(std::span<const Hash> leaves) : leaves_(leaves) {}
  Result<Hash> node(unsigned height, std::uint64_t index) override;

 private:
  std::span<const Hash> leaves_;
};

/// MTH(D[begin:end]); begin must be a multiple of the power of two that is not below end - begin.
Result<Hash> range_root(NodeSource& nodes, std::uint64_t begin, std::uint64_t end);
/// PATH(index, D[0:size]), leaf's sibling first.
Result<std::vector<Hash>> prove_inclusion(NodeSource& nodes, std::uint64_t index,
                                          std::uint64_t size);
/// PROOF(old_size, D[0:new_size]); empty when the sizes are equal. Refuses old_size 0.
Result<std::vector<Hash>> prove_consistency(NodeSource& nodes, std::uint64_t old_size,
                                            std::uint64_t new_size);

/// Success when `proof` shows that `leaf` is entry `index` of the tree of `size` with `root`;
/// Code::kInvalid with the reason otherwise.
Result<void> verify_inclusion(const Hash& leaf, std::uint64_t index, std::uint64_t size,
                              std::span<const Hash> proof, const Hash& root);
/// Success when `proof` shows that the tree of new_size extends the tree of old_size. Refuses
/// old_size 0 unless both are 0, since everything extends the empty tree.
Result<void> verify_consistency(std::uint64_t old_size, std::uint64_t new_size,
                                std::span<const Hash> proof, const Hash& old_root,
                                const Hash& new_root);

}  // namespace coff::trail
