// A block of the index while it is gathered: private to index*.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "trail/index_row.hpp"
#include "trail/index_terms.hpp"
#include "trail/words.hpp"

namespace coff::trail {

/// Most entries of one block.
inline constexpr size_t kBlockEntriesMax = 256;
/// A block with this many terms takes no more entries.
inline constexpr size_t kBlockTermsMax = 8192;

/// Up to kBlockEntriesMax entries that follow each other in one segment.
class BlockBuilder {
 public:
  static Result<BlockBuilder> open();

  void clear();
  Result<void> add(const IndexRow& row);
  [[nodiscard]] size_t entries() const { return entries_; }
  [[nodiscard]] bool is_full() const {
    return entries_ >= kBlockEntriesMax || terms_.size() >= kBlockTermsMax;
  }
  /// Bounds of the entries' times; empty when none has one.
  [[nodiscard]] const std::optional<std::int64_t>& wall_min_ns() const { return wall_min_ns_; }
  [[nodiscard]] const std::optional<std::int64_t>& wall_max_ns() const { return wall_max_ns_; }
  [[nodiscard]] std::string filter() const { return make_filter(terms_.terms()); }

 private:
  explicit BlockBuilder(WordCutter cutter) : cutter_(std::move(cutter)) {}

  WordCutter cutter_;
  StringNamer namer_;
  TermSet seen_texts_;  ///< Names of texts: equal ones are cut into words once.
  TermSet terms_;
  size_t entries_ = 0;
  std::optional<std::int64_t> wall_min_ns_;
  std::optional<std::int64_t> wall_max_ns_;
};

}  // namespace coff::trail
