// Writes rows into the index file.
#include "trail/index_writer.hpp"

namespace coff::trail {

namespace {

constexpr size_t kCachedWordsMax = 20000;

// Repeated strings are numbers from `words` and `containers`. The text index keeps no copy of the
// text and no places of words within it (detail=none): a third of the size, and enough for "all
// these words".
constexpr const char* kSchema = R"(
  CREATE TABLE words(id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE containers(id INTEGER PRIMARY KEY, container TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL, image TEXT NOT NULL) STRICT;
  CREATE TABLE entries(position INTEGER PRIMARY KEY, offset INTEGER NOT NULL, wall_ns INTEGER,
    boot_ns INTEGER, type INTEGER, kind INTEGER, container INTEGER, pid INTEGER,
    process_id INTEGER, uid INTEGER, login_uid INTEGER, exe INTEGER, path INTEGER) STRICT;
  CREATE INDEX entries_wall ON entries(wall_ns);
  CREATE INDEX entries_container ON entries(container) WHERE container IS NOT NULL;
  CREATE INDEX entries_kind ON entries(type, kind);
  CREATE VIRTUAL TABLE texts USING fts5(text, content='', detail=none, columnsize=0);
)";

void bind_optional(Statement& statement, int at, const std::optional<std::int64_t>& value) {
  if (value) statement.bind(at, *value); else statement.bind_null(at);
}

}  // namespace

Result<IndexWriter> IndexWriter::open(const std::string& path) {
  IndexWriter writer;
  writer.database_ = TRY(Database::open(path, Database::Mode::kReadWrite));
  Database& database = *writer.database_;
  // The segments are the truth: a power cut may cost the newest rows, never the file.
  TRY(database.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; "
                       "PRAGMA wal_autocheckpoint=2000; PRAGMA cache_size=-4096;"));
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
  writer.insert_ = TRY(database.prepare(
      "INSERT OR REPLACE INTO entries VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)"));
  writer.insert_text_ = TRY(database.prepare("INSERT INTO texts(rowid, text) VALUES(?1, ?2)"));
  writer.find_word_ = TRY(database.prepare("SELECT id FROM words WHERE text=?1"));
  writer.insert_word_ = TRY(database.prepare("INSERT INTO words(text) VALUES(?1)"));
  writer.find_container_ =
      TRY(database.prepare("SELECT id, name<>'' FROM containers WHERE container=?1"));
  writer.insert_container_ = TRY(
      database.prepare("INSERT INTO containers(container, name, image) VALUES(?1, ?2, ?3)"));
  writer.name_container_ =
      TRY(database.prepare("UPDATE containers SET name=?2, image=?3 WHERE id=?1"));
  return writer;
}

Result<std::uint64_t> IndexWriter::end_position() {
  auto statement = TRY(database_->prepare("SELECT max(position) FROM entries"));
  TRY(statement.step());
  if (statement.is_null(0)) return 0;
  return static_cast<std::uint64_t>(statement.integer(0)) + 1;
}

Result<std::int64_t> IndexWriter::word(const std::string& text) {
  const auto known = words_.find(text);
  if (known != words_.end()) return known->second;
  if (words_.size() >= kCachedWordsMax) words_.clear();
  find_word_->bind_text(1, text);
  const auto found = find_word_->step();
  const std::int64_t id = found && *found ? find_word_->integer(0) : 0;
  find_word_->reset();
  if (!found) return std::unexpected(found.error());
  if (id != 0) return words_[text] = id;
  TRY(insert_word_->bind_text(1, text).run());
  return words_[text] = database_->last_insert_id();
}

Result<std::int64_t> IndexWriter::container(const IndexRow& row) {
  auto known = containers_.find(row.container_id);
  if (known == containers_.end()) {
    if (containers_.size() >= kCachedWordsMax) containers_.clear();
    KnownContainer entry;
    find_container_->bind_text(1, row.container_id);
    const auto found = find_container_->step();
    if (found && *found) {
      entry = {find_container_->integer(0), find_container_->integer(1) != 0};
    }
    find_container_->reset();
    if (!found) return std::unexpected(found.error());
    if (entry.id == 0) {
      TRY(insert_container_->bind_text(1, row.container_id)
              .bind_text(2, row.container_name)
              .bind_text(3, row.image)
              .run());
      entry = {database_->last_insert_id(), !row.container_name.empty()};
    }
    known = containers_.emplace(row.container_id, entry).first;
  }
  // The engine's answer may come after the container's first events.
  if (!known->second.named && !row.container_name.empty()) {
    TRY(name_container_->bind(1, known->second.id)
            .bind_text(2, row.container_name)
            .bind_text(3, row.image)
            .run());
    known->second.named = true;
  }
  return known->second.id;
}

Result<void> IndexWriter::add(std::uint64_t position, std::uint64_t offset, const IndexRow& row) {
  Statement& insert = *insert_;
  const auto bind_word = [&](int at, const std::string& text) -> Result<void> {
    if (text.empty()) insert.bind_null(at); else insert.bind(at, TRY(word(text)));
    return {};
  };
  insert.bind(1, static_cast<std::int64_t>(position)).bind(2, static_cast<std::int64_t>(offset));
  bind_optional(insert, 3, row.wall_ns);
  bind_optional(insert, 4, row.boot_ns);
  TRY(bind_word(5, row.type));
  TRY(bind_word(6, row.kind));
  if (row.container_id.empty()) insert.bind_null(7); else insert.bind(7, TRY(container(row)));
  bind_optional(insert, 8, row.pid);
  bind_optional(insert, 9, row.process_id);
  bind_optional(insert, 10, row.uid);
  bind_optional(insert, 11, row.login_uid);
  TRY(bind_word(12, row.exe));
  TRY(bind_word(13, row.path));
  TRY(insert.run());
  return insert_text_->bind(1, static_cast<std::int64_t>(position)).bind_text(2, row.text).run();
}

Result<std::uint64_t> IndexWriter::add_batch(EpochReader& reader, unsigned epoch,
                                             std::uint64_t from, std::uint64_t to) {
  to = std::min(to, from + kIndexBatchMax);
  TRY(database_->execute("BEGIN IMMEDIATE"));
  Result<void> added;
  std::uint64_t next = from;
  const auto scanned = reader.scan(from, to, [&](const EntryAt& at) {
    added = add(position_of(epoch, at.seq), at.offset, read_index_row(at.entry));
    if (added) next = at.seq + 1;
    return added.has_value();
  });
  if (!scanned || !added) {
    (void)database_->execute("ROLLBACK");
    // Numbers given out in this transaction are void.
    words_.clear();
    containers_.clear();
    return std::unexpected(scanned ? added.error() : scanned.error());
  }
  TRY(database_->execute("COMMIT"));
  return next;
}

Result<void> IndexWriter::drop(std::uint64_t from_position, std::uint64_t to_position) {
  // Words of a contentless text index can't be taken back without the text: the rows stay there
  // and lead nowhere, since every search joins `entries`.
  auto statement =
      TRY(database_->prepare("DELETE FROM entries WHERE position>=?1 AND position<?2"));
  return statement.bind(1, static_cast<std::int64_t>(from_position))
      .bind(2, static_cast<std::int64_t>(to_position))
      .run();
}

}  // namespace coff::trail
