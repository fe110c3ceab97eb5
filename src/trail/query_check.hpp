// Whether an entry fulfils a query, exactly, and whether a block can hold one that does: private to
// query*.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trail/index_row.hpp"
#include "trail/query.hpp"
#include "trail/words.hpp"

namespace coff::trail {

/// The conditions of one query, made ready to be compared often.
class QueryCheck {
 public:
  /// `filter` and `cutter` are borrowed. `containers`: full ids, sorted, of those that the query's
  /// container and image allow; absent when it names neither. kInvalid for a search text without a
  /// word, kLimit for one that is too long.
  static Result<QueryCheck> make(const QueryFilter& filter,
                                 std::optional<std::vector<std::string>> containers,
                                 WordCutter& cutter);

  /// False: no entry of the block with this filter fulfils the conditions.
  [[nodiscard]] bool may_be_in(std::string_view block_filter) const;
  Result<bool> is_fulfilled_by(const IndexRow& row);

 private:
  QueryCheck(const QueryFilter& filter, std::optional<std::vector<std::string>> containers,
             WordCutter& cutter)
      : filter_(filter), cutter_(cutter), containers_(std::move(containers)) {}
  [[nodiscard]] bool columns_match(const IndexRow& row) const;
  Result<bool> words_match(const IndexRow& row);
  void make_terms();

  const QueryFilter& filter_;
  WordCutter& cutter_;
  std::optional<std::vector<std::string>> containers_;
  std::vector<std::string> words_;                 ///< Sorted; all must occur.
  std::vector<std::string> user_words_;            ///< Of the user's name.
  std::vector<std::vector<std::uint64_t>> terms_;  ///< A block needs one of each list.
};

}  // namespace coff::trail
