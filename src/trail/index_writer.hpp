// Writes rows into the index file: private to index*.cpp.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <unordered_map>

#include "trail/database.hpp"
#include "trail/index.hpp"
#include "trail/index_row.hpp"
#include "trail/reader.hpp"

namespace coff::trail {

class IndexWriter {
 public:
  /// Opens or makes the index; kCorrupt when the file is none of ours.
  static Result<IndexWriter> open(const std::string& path);

  /// Position after the last indexed entry; 0 when there is none.
  Result<std::uint64_t> end_position();
  /// Indexes entries of one epoch from `from` on, at most a batch, in one transaction. Returns the
  /// sequence number after the last one.
  Result<std::uint64_t> add_batch(EpochReader& reader, unsigned epoch, std::uint64_t from,
                                  std::uint64_t to);
  /// Forgets entries that are no longer in the trail.
  Result<void> drop(std::uint64_t from_position, std::uint64_t to_position);

 private:
  Result<void> add(std::uint64_t position, std::uint64_t offset, const IndexRow& row);
  Result<std::int64_t> word(const std::string& text);
  Result<std::int64_t> container(const IndexRow& row);

  std::optional<Database> database_;
  std::optional<Statement> insert_;
  std::optional<Statement> insert_text_;
  std::optional<Statement> find_word_;
  std::optional<Statement> insert_word_;
  std::optional<Statement> find_container_;
  std::optional<Statement> insert_container_;
  std::optional<Statement> name_container_;
  /// Most recent words and containers, so that repeated strings cost no query.
  std::unordered_map<std::string, std::int64_t> words_;
  struct KnownContainer {
    std::int64_t id = 0;
    bool named = false;
  };
  std::unordered_map<std::string, KnownContainer> containers_;
};

}  // namespace coff::trail
