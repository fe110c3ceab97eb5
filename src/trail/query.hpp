// Searching a trail: the index finds places, the segments give the entries' exact bytes.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/database.hpp"
#include "base/result.hpp"
#include "trail/index.hpp"
#include "trail/index_row.hpp"
#include "trail/reader.hpp"
#include "trail/words.hpp"

namespace coff::trail {

/// Most entries that one query returns.
inline constexpr size_t kQueryLimitMax = 100'000;
/// Longest search text.
inline constexpr size_t kQueryTextBytesMax = 4096;

/// Conditions that must all hold; what is absent or empty does not restrict.
struct QueryFilter {
  std::optional<std::int64_t> from_wall_ns;   ///< Inclusive.
  std::optional<std::int64_t> until_wall_ns;  ///< Exclusive.
  std::string container;                      ///< A name it ever had, or id or the start of it.
  std::string image;                          ///< Of the container.
  std::string type;
  std::string other_than_type;
  std::string kind;
  std::string exe;
  std::string path;
  std::optional<std::int64_t> pid;
  std::optional<std::int64_t> process_id;
  std::optional<std::int64_t> uid;
  std::optional<std::int64_t> login_uid;
  /// Name of a person: behind the process or request, of its login or its user; or the component
  /// that is behind it where no person is.
  std::string user;
  std::string text;  ///< Words that must all occur in whatever case; see WordCutter.
  std::optional<std::uint64_t> after;  ///< Only positions above this one.
  size_t limit = 1000;
  bool newest_first = false;
};

struct QueryRow {
  std::uint64_t position = 0;  ///< See position_of(); usable as `after`.
  std::string entry;           ///< Exact bytes.
};

class QueryCheck;

/// Reads an index while its writer works. One thread at a time.
class Query {
 public:
  static Result<Query> open(const std::string& dir);
  /// Entries in order of position, as the segments have them: the index only says where it is
  /// worth looking. Entries that the segments no longer hold are left out; kCorrupt when the index
  /// contradicts them (rebuild it).
  Result<std::vector<QueryRow>> run(const QueryFilter& filter);

 private:
  struct Block {
    std::uint64_t position = 0;  ///< Of its first entry.
    std::uint64_t entries = 0;
    std::uint64_t offset = 0;
  };
  Query(std::string dir, WordCutter cutter) : dir_(std::move(dir)), cutter_(std::move(cutter)) {}
  Result<void> open_database();
  Result<std::optional<std::vector<std::string>>> containers_of(const QueryFilter& filter);
  Result<EpochReader*> reader(unsigned epoch);
  Result<std::vector<QueryRow>> search(const Block& block, const QueryFilter& filter,
                                       QueryCheck& check, size_t wanted);

  std::string dir_;
  WordCutter cutter_;
  IndexRowReader rows_;
  std::unique_ptr<Database> database_;
  std::map<unsigned, EpochReader> readers_;
};

}  // namespace coff::trail
