// Writes blocks into the index file.
#include "trail/index_writer.hpp"

namespace coff::trail {

namespace {

// Pages of 16 KiB hold several filters each. A container has a row for each name and image that it
// was seen with, with a position in the newest segment that did.
constexpr const char* kSchema = R"(
  CREATE TABLE blocks(position INTEGER PRIMARY KEY, entries INTEGER NOT NULL,
    offset INTEGER NOT NULL, wall_min_ns INTEGER, wall_max_ns INTEGER,
    filter BLOB NOT NULL) STRICT;
  CREATE TABLE containers(container TEXT NOT NULL, name TEXT NOT NULL, image TEXT NOT NULL,
    position INTEGER NOT NULL, PRIMARY KEY(container, name, image)) STRICT, WITHOUT ROWID;
)";

void bind_optional(Statement& statement, int at, const std::optional<std::int64_t>& value) {
  if (value) statement.bind(at, *value);
  else statement.bind_null(at);
}

}  // namespace

Result<IndexWriter> IndexWriter::open(const std::string& path) {
  IndexWriter writer(TRY(Database::open(path, Database::Mode::kReadWrite)),
                     TRY(BlockBuilder::open()));
  Database& database = writer.database_;
  // The segments are the truth: a power cut may cost the newest rows, never the file.
  TRY(
      database.execute("PRAGMA page_size=16384; PRAGMA journal_mode=WAL; "
                       "PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=500; "
                       "PRAGMA cache_size=-4096;"));
  auto version = TRY(database.prepare("PRAGMA user_version"));
  TRY(version.step());
  const std::int64_t found = version.integer(0);
  version.reset();
  if (found != 0 && found != kIndexVersion) {
    return fail(Code::kCorrupt, "the index has another version");
  }
  if (found == 0) {
    TRY(database.execute("BEGIN"));
    TRY(database.execute(kSchema));
    TRY(database.execute("PRAGMA user_version=" + std::to_string(kIndexVersion)));
    TRY(database.execute("COMMIT"));
  }
  writer.insert_block_ =
      TRY(database.prepare("INSERT OR REPLACE INTO blocks VALUES(?1, ?2, ?3, ?4, ?5, ?6)"));
  writer.insert_container_ =
      TRY(database.prepare("INSERT OR REPLACE INTO containers VALUES(?1, ?2, ?3, ?4)"));
  return writer;
}

Result<std::uint64_t> IndexWriter::end_position() {
  auto statement = TRY(
      database_.prepare("SELECT position + entries FROM blocks ORDER BY position DESC LIMIT 1"));
  if (!TRY(statement.step())) return 0;
  return static_cast<std::uint64_t>(statement.integer(0));
}

Result<void> IndexWriter::save_block() {
  if (!block_changed_) return {};
  block_changed_ = false;
  const std::string filter = block_.filter();
  insert_block_->bind(1, static_cast<std::int64_t>(block_position_))
      .bind(2, static_cast<std::int64_t>(block_.entries()))
      .bind(3, static_cast<std::int64_t>(block_offset_));
  bind_optional(*insert_block_, 4, block_.wall_min_ns());
  bind_optional(*insert_block_, 5, block_.wall_max_ns());
  return insert_block_->bind_blob(6, filter).run();
}

Result<void> IndexWriter::add_container(std::uint64_t position, const IndexRow& row) {
  if (row.container_id.empty()) return {};
  if (!containers_.insert(namer_.name({row.container_id, row.container_name, row.image})))
    return {};
  return insert_container_->bind_text(1, row.container_id)
      .bind_text(2, row.container_name)
      .bind_text(3, row.image)
      .bind(4, static_cast<std::int64_t>(position))
      .run();
}

Result<void> IndexWriter::add(std::uint64_t position, const EntryAt& at) {
  // A block lies in one segment: it leaves with it.
  const bool other_segment = at.segment_first_seq != block_segment_;
  if (other_segment || block_.is_full() || position != block_position_ + block_.entries()) {
    TRY(save_block());
    block_.clear();
    block_position_ = position;
    block_segment_ = at.segment_first_seq;
    block_offset_ = at.offset;
    if (other_segment) containers_.clear();
  }
  const IndexRow& row = rows_.read(at.entry);
  TRY(add_container(position, row));
  TRY(block_.add(row));
  block_changed_ = true;
  next_offset_ = at.offset + kRecordHeaderBytes + at.entry.size();
  return {};
}

Result<std::uint64_t> IndexWriter::add_batch(EpochReader& reader, unsigned epoch,
                                             std::uint64_t from, std::uint64_t to) {
  to = std::min(to, from + kIndexBatchMax);
  TRY(database_.execute("BEGIN IMMEDIATE"));
  Result<void> added;
  std::uint64_t next = from;
  const auto scanned = reader.scan(
      from, to,
      [&](const EntryAt& at) {
        added = add(position_of(epoch, at.seq), at);
        if (added) next = at.seq + 1;
        return added.has_value();
      },
      next_offset_);
  if (added) added = save_block();
  if (added) added = database_.execute("COMMIT");
  if (!added) {
    damaged_ = added.error().code == Code::kCorrupt;
    (void)database_.execute("ROLLBACK");
    return std::unexpected(added.error());
  }
  // What lies before damage is searchable; the next batch begins with the damage.
  if (!scanned && next == from) return std::unexpected(scanned.error());
  return next;
}

Result<void> IndexWriter::drop_before(std::uint64_t position) {
  for (const char* sql :
       {"DELETE FROM blocks WHERE position<?1", "DELETE FROM containers WHERE position<?1"}) {
    auto statement = TRY(database_.prepare(sql));
    TRY(statement.bind(1, static_cast<std::int64_t>(position)).run());
  }
  return {};
}

}  // namespace coff::trail
