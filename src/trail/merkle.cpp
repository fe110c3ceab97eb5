// Merkle tree hashing, compact ranges, inclusion and consistency proofs (RFC 9162 section 2.1).
#include "trail/merkle.hpp"

#include <algorithm>
#include <bit>

namespace coff::trail {

namespace {

// Largest power of two below n, for n > 1: where RFC 9162 splits a tree.
std::uint64_t split_point(std::uint64_t n) { return std::bit_floor(n - 1); }

Result<void> same_root(const Hash& got, const Hash& want, std::string_view what) {
  if (got == want) return {};
  return fail(Code::kInvalid, std::string(what) + " does not match: the proof gives " +
                                  to_hex(got) + ", expected " + to_hex(want));
}

}  // namespace

Hash leaf_hash(std::string_view entry) {
  return sha256({std::string_view("\0", 1), entry});
}

Hash node_hash(const Hash& left, const Hash& right) {
  std::array<std::uint8_t, 65> message;
  message[0] = 1;
  std::ranges::copy(left, message.begin() + 1);
  std::ranges::copy(right, message.begin() + 33);
  return sha256(text_of(message));
}

Hash empty_root() { return sha256(std::string_view()); }

Hash merkle_root(std::span<const Hash> leaves) {
  CompactRange range;
  for (const Hash& leaf : leaves) range.append(leaf);
  return range.root();
}

void CompactRange::append(const Hash& leaf) {
  Hash hash = leaf;
  // Each trailing one bit of the old size is a peak as high as the new one.
  for (std::uint64_t bits = size_; (bits & 1) != 0; bits >>= 1) {
    hash = node_hash(peaks_.back(), hash);
    peaks_.pop_back();
  }
  peaks_.push_back(hash);
  ++size_;
}

Hash CompactRange::root() const {
  if (peaks_.empty()) return empty_root();
  Hash hash = peaks_.back();
  for (size_t at = peaks_.size() - 1; at-- > 0;) hash = node_hash(peaks_[at], hash);
  return hash;
}

Result<Hash> MemoryNodes::node(unsigned height, std::uint64_t index) {
  const std::uint64_t begin = index << height;
  const std::uint64_t width = std::uint64_t{1} << height;
  if (begin >= leaves_.size() || width > leaves_.size() - begin) {
    return fail(Code::kNotFound, "node is outside the tree");
  }
  return merkle_root(leaves_.subspan(begin, width));
}

Result<Hash> range_root(NodeSource& nodes, std::uint64_t begin, std::uint64_t end) {
  COFF_ASSERT(begin <= end);
  if (begin == end) return empty_root();
  const std::uint64_t width = end - begin;
  if (std::has_single_bit(width)) {
    const auto height = static_cast<unsigned>(std::countr_zero(width));
    return nodes.node(height, begin >> height);
  }
  const std::uint64_t middle = begin + split_point(width);
  const Hash left = TRY(range_root(nodes, begin, middle));
  const Hash right = TRY(range_root(nodes, middle, end));
  return node_hash(left, right);
}

Result<std::vector<Hash>> prove_inclusion(NodeSource& nodes, std::uint64_t index,
                                          std::uint64_t size) {
  if (index >= size) return fail(Code::kInvalid, "entry is outside the tree");
  std::vector<Hash> proof;
  std::uint64_t begin = 0;
  std::uint64_t end = size;
  while (end - begin > 1) {
    const std::uint64_t middle = begin + split_point(end - begin);
    if (index < middle) {
      proof.push_back(TRY(range_root(nodes, middle, end)));
      end = middle;
    } else {
      proof.push_back(TRY(range_root(nodes, begin, middle)));
      begin = middle;
    }
  }
  std::ranges::reverse(proof);
  return proof;
}

Result<std::vector<Hash>> prove_consistency(NodeSource& nodes, std::uint64_t old_size,
                                            std::uint64_t new_size) {
  if (old_size == 0 || old_size > new_size) {
    return fail(Code::kInvalid, "no consistency proof from size " + std::to_string(old_size) +
                                    " to " + std::to_string(new_size));
  }
  std::vector<Hash> proof;
  std::uint64_t begin = 0;
  std::uint64_t end = new_size;
  while (end != old_size) {
    const std::uint64_t middle = begin + split_point(end - begin);
    if (old_size <= middle) {
      proof.push_back(TRY(range_root(nodes, middle, end)));
      end = middle;
    } else {
      proof.push_back(TRY(range_root(nodes, begin, middle)));
      begin = middle;
    }
  }
  // Only when the old tree isn't one full subtree on the left must its own last part be told.
  if (begin != 0) proof.push_back(TRY(range_root(nodes, begin, end)));
  std::ranges::reverse(proof);
  return proof;
}

Result<void> verify_inclusion(const Hash& leaf, std::uint64_t index, std::uint64_t size,
                              std::span<const Hash> proof, const Hash& root) {
  if (index >= size) return fail(Code::kInvalid, "the entry lies outside the tree");
  // RFC 9162 section 2.1.3.2.
  std::uint64_t node = index;
  std::uint64_t last = size - 1;
  Hash hash = leaf;
  for (const Hash& sibling : proof) {
    if (last == 0) return fail(Code::kInvalid, "the inclusion proof is too long");
    if ((node & 1) != 0 || node == last) {
      hash = node_hash(sibling, hash);
      while ((node & 1) == 0 && node != 0) {
        node >>= 1;
        last >>= 1;
      }
    } else {
      hash = node_hash(hash, sibling);
    }
    node >>= 1;
    last >>= 1;
  }
  if (last != 0) return fail(Code::kInvalid, "the inclusion proof is too short");
  return same_root(hash, root, "the root");
}

Result<void> verify_consistency(std::uint64_t old_size, std::uint64_t new_size,
                                std::span<const Hash> proof, const Hash& old_root,
                                const Hash& new_root) {
  if (old_size > new_size) return fail(Code::kInvalid, "the old tree is larger than the new one");
  if (old_size == new_size) {
    if (!proof.empty()) return fail(Code::kInvalid, "equal sizes need an empty proof");
    return same_root(old_root, new_root, "the root");
  }
  if (old_size == 0) return fail(Code::kInvalid, "nothing can be proven from the empty tree");
  if (proof.empty()) return fail(Code::kInvalid, "the consistency proof is empty");
  // RFC 9162 section 2.1.4.2.
  std::uint64_t node = old_size - 1;
  std::uint64_t last = new_size - 1;
  while ((node & 1) != 0) {
    node >>= 1;
    last >>= 1;
  }
  const bool old_is_full = std::has_single_bit(old_size);
  Hash old_hash = old_is_full ? old_root : proof.front();
  Hash new_hash = old_hash;
  for (const Hash& part : proof.subspan(old_is_full ? 0 : 1)) {
    if (last == 0) return fail(Code::kInvalid, "the consistency proof is too long");
    if ((node & 1) != 0 || node == last) {
      old_hash = node_hash(part, old_hash);
      new_hash = node_hash(part, new_hash);
      while ((node & 1) == 0 && node != 0) {
        node >>= 1;
        last >>= 1;
      }
    } else {
      new_hash = node_hash(new_hash, part);
    }
    node >>= 1;
    last >>= 1;
  }
  if (last != 0) return fail(Code::kInvalid, "the consistency proof is too short");
  TRY(same_root(old_hash, old_root, "the old root"));
  return same_root(new_hash, new_root, "the new root");
}

}  // namespace coff::trail
