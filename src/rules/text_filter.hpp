// Private to the room: which rules of a bucket an event's texts leave possible. Most rules need one
// of a few texts (names of processes, parts of paths); most events have none of them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "rules/evaluate.hpp"

namespace coff::rules {

struct Bucket;

class TextFilter {
 public:
  TextFilter() = default;
  /// For each candidate the cheapest set of texts of which it needs one.
  TextFilter(const Program& program, const Bucket& bucket);

  /// Candidates by bits, in the order of the bucket: those that can hold, and maybe others. Valid
  /// until the next call.
  std::span<const std::uint64_t> possible(Evaluation& evaluation);

 private:
  friend class TextFilterMaker;

  /// An index that candidates are chosen by.
  struct Used {
    const SourceIndex* index = nullptr;
    std::uint32_t wanted = 0;  ///< In wanted_: the index's words, bits that some candidate needs.
    std::vector<std::uint32_t> rows;  ///< By bit: where its candidates begin in rows_.
  };

  std::vector<std::uint64_t> always_;  ///< Candidates that need no text.
  std::vector<Used> used_;
  std::vector<std::uint64_t> wanted_;
  std::vector<std::uint64_t> rows_;
  std::vector<std::uint64_t> possible_;
};

}  // namespace coff::rules
