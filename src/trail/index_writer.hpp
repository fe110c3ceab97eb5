// Writes blocks into the index file: private to index*.cpp.
#pragma once

#include <optional>
#include <string>

#include "base/database.hpp"
#include "trail/index.hpp"
#include "trail/index_block.hpp"
#include "trail/reader.hpp"

namespace coff::trail {

class IndexWriter {
 public:
  /// Opens or makes the index; kCorrupt when the file is none of ours.
  static Result<IndexWriter> open(const std::string& path);

  /// Position after the last indexed entry; 0 when there is none.
  Result<std::uint64_t> end_position();
  /// Indexes entries of one epoch from `from` on, at most a batch, in one transaction. Returns the
  /// sequence number after the last one. After an error open the index again.
  Result<std::uint64_t> add_batch(EpochReader& reader, unsigned epoch, std::uint64_t from,
                                  std::uint64_t to);
  /// Forgets blocks and containers whose entries are all before a position.
  Result<void> drop_before(std::uint64_t position);
  /// True when add_batch() failed because of the index file, not of the segments.
  [[nodiscard]] bool is_damaged() const { return damaged_; }

 private:
  IndexWriter(Database database, BlockBuilder block)
      : database_(std::move(database)), block_(std::move(block)) {}
  Result<void> add(std::uint64_t position, const EntryAt& at);
  Result<void> add_container(std::uint64_t position, const IndexRow& row);
  Result<void> save_block();

  Database database_;
  std::optional<Statement> insert_block_;
  std::optional<Statement> insert_container_;
  IndexRowReader rows_;
  /// The newest block, which the next entries still join.
  BlockBuilder block_;
  std::uint64_t block_position_ = 0;
  std::uint64_t block_segment_ = 0;
  std::uint64_t block_offset_ = 0;
  bool block_changed_ = false;
  bool damaged_ = false;
  /// Where the next entry is expected, so that nothing is read twice.
  std::uint64_t next_offset_ = 0;
  StringNamer namer_;
  TermSet containers_;  ///< Those that were written since the newest segment began.
};

}  // namespace coff::trail
