// Searching a trail: the index finds places, the segments give the entries' exact bytes.
#include "trail/query.hpp"

#include <algorithm>
#include <variant>

namespace coff::trail {

namespace {

using Value = std::variant<std::int64_t, std::string>;

/// A WHERE clause under construction: conditions and the values they refer to.
struct Where {
  std::string sql;
  std::vector<Value> values;

  void add(std::string_view before, Value value, std::string_view after = {}) {
    values.push_back(std::move(value));
    sql += sql.empty() ? " WHERE " : " AND ";
    sql += before;
    sql += '?';
    sql += std::to_string(values.size());
    sql += after;
  }
  void add_word(std::string_view column, const std::string& text) {
    if (text.empty()) return;
    add(std::string(column) + "=(SELECT id FROM words WHERE text=", text, ")");
  }
  void add_number(std::string_view condition, const std::optional<std::int64_t>& value) {
    if (value) add(condition, *value);
  }
};

bool is_word_byte(char byte) {
  return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
         (byte >= 'A' && byte <= 'Z') || octets(std::string_view(&byte, 1))[0] >= 0x80;
}

// Every word in quotes, so that nothing in it is query syntax.
std::string match_expression(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    if (!is_word_byte(text[at])) {
      ++at;
      continue;
    }
    size_t end = at;
    while (end < text.size() && is_word_byte(text[end])) ++end;
    out += out.empty() ? "\"" : " AND \"";
    out += text.substr(at, end - at);
    out += '"';
    at = end;
  }
  return out;
}

// The smallest text above every text that begins with `prefix`.
std::string after_prefix(std::string prefix) {
  prefix += "\x7F";
  return prefix;
}

Result<Where> where_of(const QueryFilter& filter) {
  Where where;
  if (filter.after) where.add("position>", static_cast<std::int64_t>(*filter.after));
  where.add_number("wall_ns>=", filter.from_wall_ns);
  where.add_number("wall_ns<", filter.until_wall_ns);
  where.add_word("type", filter.type);
  where.add_word("kind", filter.kind);
  where.add_word("exe", filter.exe);
  where.add_word("path", filter.path);
  where.add_number("pid=", filter.pid);
  where.add_number("process_id=", filter.process_id);
  where.add_number("uid=", filter.uid);
  where.add_number("login_uid=", filter.login_uid);
  if (!filter.container.empty()) {
    where.add("container IN (SELECT id FROM containers WHERE name=", filter.container);
    where.values.emplace_back(after_prefix(filter.container));
    const std::string value = std::to_string(where.values.size() - 1);
    where.sql += " OR (container>=?" + value + " AND container<?" +
                 std::to_string(where.values.size()) + "))";
  }
  if (!filter.image.empty()) {
    where.add("container IN (SELECT id FROM containers WHERE image=", filter.image, ")");
  }
  if (!filter.text.empty()) {
    if (filter.text.size() > kQueryTextBytesMax) {
      return fail(Code::kLimit, "the search text is too long");
    }
    const std::string match = match_expression(filter.text);
    if (match.empty()) return fail(Code::kInvalid, "the search text has no letters or digits");
    where.add("position IN (SELECT rowid FROM texts WHERE texts MATCH ", match, ")");
  }
  return where;
}

}  // namespace

Result<Query> Query::open(const std::string& dir) {
  Query query;
  query.dir_ = dir;
  auto database = Database::open(dir + "/" + std::string(kIndexFile), Database::Mode::kReadOnly);
  if (!database) {
    return fail(database.error().code,
                database.error().what + "; `cofferdam trail rebuild-index` makes it anew");
  }
  query.database_ = std::make_unique<Database>(std::move(*database));
  auto version = TRY(query.database_->prepare("PRAGMA user_version"));
  TRY(version.step());
  if (version.integer(0) == 0) {
    return fail(Code::kBusy, "the index is just being made; try again in a moment");
  }
  if (version.integer(0) != kIndexVersion) {
    return fail(Code::kUnsupported,
                "the index has another version; `cofferdam trail rebuild-index` makes it anew");
  }
  return query;
}

Result<EpochReader*> Query::reader(unsigned epoch) {
  auto found = readers_.find(epoch);
  if (found == readers_.end()) {
    auto opened = TRY(EpochReader::open(dir_ + "/" + epoch_name(epoch)));
    found = readers_.emplace(epoch, std::move(opened)).first;
  }
  return &found->second;
}

Result<std::vector<QueryRow>> Query::run(const QueryFilter& filter) {
  if (filter.limit > kQueryLimitMax) return fail(Code::kLimit, "the limit is above 100,000");
  const Where where = TRY(where_of(filter));
  const std::string sql = "SELECT position, offset FROM entries" + where.sql +
                          " ORDER BY position" + (filter.newest_first ? " DESC" : "") + " LIMIT " +
                          std::to_string(filter.limit);
  auto statement = TRY(database_->prepare(sql));
  for (size_t at = 0; at < where.values.size(); ++at) {
    const int number = static_cast<int>(at) + 1;
    if (const auto* text = std::get_if<std::string>(&where.values[at])) {
      statement.bind_text(number, *text);
    } else {
      statement.bind(number, std::get<std::int64_t>(where.values[at]));
    }
  }
  for (auto& [epoch, opened] : readers_) TRY(opened.refresh());
  std::vector<QueryRow> rows;
  while (TRY(statement.step())) {
    const auto position = static_cast<std::uint64_t>(statement.integer(0));
    EpochReader& epoch = *TRY(reader(epoch_of(position)));
    auto entry = epoch.entry_at(seq_of(position), static_cast<std::uint64_t>(statement.integer(1)));
    if (!entry && entry.error().code == Code::kNotFound) continue;
    rows.push_back({position, TRY(std::move(entry))});
  }
  return rows;
}

}  // namespace coff::trail
