// Searching a trail: the index finds blocks of entries, the segments give the entries' exact bytes.
#include "trail/query.hpp"

#include <algorithm>
#include <iterator>

#include "trail/index_block.hpp"
#include "trail/query_check.hpp"

namespace coff::trail {

namespace {

// The smallest text above every text that begins with `prefix`.
std::string after_prefix(std::string prefix) {
  prefix += "\x7F";
  return prefix;
}

// Sorted: the comparison of SQLite is that of bytes.
Result<std::vector<std::string>> read_column(Statement& statement) {
  std::vector<std::string> values;
  while (TRY(statement.step())) values.push_back(statement.text(0));
  return values;
}

Result<Statement> select_blocks(Database& database, const QueryFilter& filter) {
  auto statement = TRY(database.prepare(
      std::string("SELECT position, entries, offset, filter FROM blocks WHERE position>?1 "
                  "AND (?2 IS NULL OR wall_max_ns>=?2) AND (?3 IS NULL OR wall_min_ns<?3) "
                  "ORDER BY position") +
      (filter.newest_first ? " DESC" : "")));
  // The block that holds `after` begins at most this far before it.
  const std::uint64_t after = filter.after.value_or(0);
  statement.bind(
      1, static_cast<std::int64_t>(after - std::min<std::uint64_t>(after, kBlockEntriesMax)));
  if (filter.from_wall_ns) statement.bind(2, *filter.from_wall_ns);
  if (filter.until_wall_ns) statement.bind(3, *filter.until_wall_ns);
  return statement;
}

}  // namespace

Result<Query> Query::open(const std::string& dir) {
  Query query(dir, TRY(WordCutter::open()));
  TRY(query.open_database());
  return query;
}

Result<void> Query::open_database() {
  database_.reset();
  auto database = Database::open(dir_ + "/" + std::string(kIndexFile), Database::Mode::kReadOnly);
  if (!database) {
    return fail(database.error().code,
                database.error().what + "; `cofferdam trail rebuild-index` makes it anew");
  }
  auto version = TRY(database->prepare("PRAGMA user_version"));
  TRY(version.step());
  if (version.integer(0) == 0) {
    return fail(Code::kBusy, "the index is just being made; try again in a moment");
  }
  if (version.integer(0) != kIndexVersion) {
    return fail(Code::kUnsupported,
                "the index has another version; `cofferdam trail rebuild-index` makes it anew");
  }
  database_ = std::make_unique<Database>(std::move(*database));
  return {};
}

Result<EpochReader*> Query::reader(unsigned epoch) {
  auto found = readers_.find(epoch);
  if (found == readers_.end()) {
    auto opened = TRY(EpochReader::open(dir_ + "/" + epoch_name(epoch)));
    found = readers_.emplace(epoch, std::move(opened)).first;
  }
  return &found->second;
}

// The containers that fulfil the filter's `container` and `image`; none of these: no restriction.
Result<std::optional<std::vector<std::string>>> Query::containers_of(const QueryFilter& filter) {
  std::optional<std::vector<std::string>> ids;
  if (!filter.container.empty()) {
    auto statement =
        TRY(database_->prepare("SELECT DISTINCT container FROM containers WHERE name=?1 OR "
                               "(container>=?1 AND container<?2) ORDER BY container"));
    const std::string end = after_prefix(filter.container);
    statement.bind_text(1, filter.container).bind_text(2, end);
    ids = TRY(read_column(statement));
  }
  if (!filter.image.empty()) {
    auto statement = TRY(database_->prepare(
        "SELECT DISTINCT container FROM containers WHERE image=?1 ORDER BY container"));
    statement.bind_text(1, filter.image);
    auto with_image = TRY(read_column(statement));
    if (ids) {
      std::vector<std::string> both;
      std::ranges::set_intersection(*ids, with_image, std::back_inserter(both));
      ids = std::move(both);
    } else {
      ids = std::move(with_image);
    }
  }
  return ids;
}

// At most `wanted` rows of a block, from the end that the filter begins with, in ascending order.
Result<std::vector<QueryRow>> Query::search(const Block& block, const QueryFilter& filter,
                                            QueryCheck& check, size_t wanted) {
  std::vector<QueryRow> rows;
  const unsigned epoch = epoch_of(block.position);
  const std::uint64_t first = seq_of(block.position);
  std::uint64_t seen = 0;
  Result<void> checked;
  auto* const entries = TRY(reader(epoch));
  const auto scanned = entries->scan(
      first, first + block.entries,
      [&](const EntryAt& at) {
        ++seen;
        const std::uint64_t position = position_of(epoch, at.seq);
        if (filter.after && position <= *filter.after) return true;
        auto fulfilled = check.is_fulfilled_by(rows_.read(at.entry));
        if (!fulfilled) checked = std::unexpected(fulfilled.error());
        else if (*fulfilled) rows.push_back({position, std::string(at.entry)});
        return checked.has_value() && (filter.newest_first || rows.size() < wanted);
      },
      block.offset);
  TRY(std::move(checked));
  TRY(Result<void>(scanned));
  if (seen < block.entries && (filter.newest_first || rows.size() < wanted)) {
    return fail(Code::kCorrupt,
                "the index names entries that are not there; `cofferdam trail "
                "rebuild-index` makes it anew");
  }
  if (rows.size() > wanted)
    rows.erase(rows.begin(), rows.end() - static_cast<std::ptrdiff_t>(wanted));
  return rows;
}

Result<std::vector<QueryRow>> Query::run(const QueryFilter& filter) {
  if (filter.limit > kQueryLimitMax) return fail(Code::kLimit, "the limit is above 100,000");
  // Whoever makes the index anew puts another file in its place.
  if (database_ == nullptr || database_->was_replaced()) TRY(open_database());
  for (auto& [epoch, opened] : readers_) TRY(opened.refresh());
  auto containers = TRY(containers_of(filter));
  const bool hopeless = containers && containers->empty();
  auto check = TRY(QueryCheck::make(filter, std::move(containers), cutter_));
  std::vector<QueryRow> found;
  if (hopeless) return found;
  auto blocks = TRY(select_blocks(*database_, filter));
  while (found.size() < filter.limit && TRY(blocks.step())) {
    const Block block{static_cast<std::uint64_t>(blocks.integer(0)),
                      static_cast<std::uint64_t>(blocks.integer(1)),
                      static_cast<std::uint64_t>(blocks.integer(2))};
    const std::string_view block_filter = blocks.blob(3);
    if (block.entries == 0 || block.entries > kBlockEntriesMax || block_filter.empty() ||
        block_filter.size() % kFilterLineBytes != 0) {
      return fail(Code::kCorrupt,
                  "the index is damaged; `cofferdam trail rebuild-index` makes it "
                  "anew");
    }
    if (!check.may_be_in(block_filter)) continue;
    auto rows = search(block, filter, check, filter.limit - found.size());
    // Entries leave before the index hears of it.
    if (!rows && rows.error().code == Code::kNotFound) continue;
    if (!rows) return std::unexpected(rows.error());
    if (filter.newest_first) std::ranges::reverse(*rows);
    std::ranges::move(*rows, std::back_inserter(found));
  }
  return found;
}

}  // namespace coff::trail
