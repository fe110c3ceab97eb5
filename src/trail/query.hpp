// Searching a trail: the index finds places, the segments give the entries' exact bytes.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "trail/database.hpp"
#include "trail/index.hpp"
#include "trail/reader.hpp"

namespace coff::trail {

/// Most entries that one query returns.
inline constexpr size_t kQueryLimitMax = 100'000;
/// Longest search text.
inline constexpr size_t kQueryTextBytesMax = 4096;

/// Conditions that must all hold; what is absent or empty does not restrict.
struct QueryFilter {
  std::optional<std::int64_t> from_wall_ns;      ///< Inclusive.
  std::optional<std::int64_t> until_wall_ns;     ///< Exclusive.
  std::string container;                         ///< Name, or id or the start of it.
  std::string image;
  std::string type;
  std::string kind;
  std::string exe;
  std::string path;
  std::optional<std::int64_t> pid;
  std::optional<std::int64_t> process_id;
  std::optional<std::int64_t> uid;
  std::optional<std::int64_t> login_uid;
  std::string text;  ///< Words that must all occur, case-insensitive; cut at what is no letter.
  std::optional<std::uint64_t> after;  ///< Only positions above this one.
  size_t limit = 1000;
  bool newest_first = false;
};

struct QueryRow {
  std::uint64_t position = 0;  ///< See position_of(); usable as `after`.
  std::string entry;           ///< Exact bytes.
};

/// Reads an index while its writer works. One thread at a time.
class Query {
 public:
  static Result<Query> open(const std::string& dir);
  /// Entries in order of position. An entry that the index names but the segments no longer hold
  /// is left out; any other disagreement is kCorrupt (rebuild the index).
  Result<std::vector<QueryRow>> run(const QueryFilter& filter);

 private:
  Result<EpochReader*> reader(unsigned epoch);

  std::string dir_;
  std::unique_ptr<Database> database_;
  std::map<unsigned, EpochReader> readers_;
};

}  // namespace coff::trail
