// The file that keeps advisories, what is known to be exploited, and which build ids were learned.
#include "exposure/store.hpp"

#include <fcntl.h>

#include "base/clock.hpp"
#include "base/fd.hpp"
#include "exposure/affected_json.hpp"

namespace coff::exposure {
namespace {

constexpr const char* kTables = R"(
CREATE TABLE feed(id INTEGER PRIMARY KEY, name TEXT, source TEXT, imported INTEGER,
                  published INTEGER, entries INTEGER, complete INTEGER);
CREATE TABLE advisory(id INTEGER PRIMARY KEY, feed INTEGER, name TEXT, summary TEXT,
                      severity TEXT);
CREATE INDEX advisory_feed ON advisory(feed);
CREATE TABLE alias(name TEXT, advisory INTEGER, PRIMARY KEY(name, advisory)) WITHOUT ROWID;
CREATE INDEX alias_advisory ON alias(advisory);
CREATE TABLE affected(advisory INTEGER, ecosystem TEXT, package TEXT, detail TEXT);
CREATE INDEX affected_advisory ON affected(advisory);
CREATE INDEX affected_package ON affected(package, ecosystem);
CREATE TABLE threat(cve TEXT, feed INTEGER, added TEXT, ransomware INTEGER, score INTEGER,
                    percentile INTEGER, PRIMARY KEY(cve, feed)) WITHOUT ROWID;
CREATE TABLE build(container TEXT, build_id TEXT, package TEXT, version TEXT, source TEXT,
                   source_version TEXT, PRIMARY KEY(container, build_id)) WITHOUT ROWID;
)";

/// Columns that rows() reads.
constexpr std::string_view kRow =
    "SELECT a.name, f.name, a.severity, a.summary, x.ecosystem, x.package, x.detail "
    "FROM affected x JOIN advisory a ON a.id = x.advisory JOIN feed f ON f.id = a.feed ";

/// Millionths: EPSS has five decimals.
constexpr double kMillion = 1e6;

/// Deletes whatever belongs to feeds that match.
Result<void> forget(Database& database, const std::string& feeds) {
  const std::string ids = "(SELECT id FROM feed WHERE " + feeds + ")";
  const std::string advisories = "(SELECT id FROM advisory WHERE feed IN " + ids + ")";
  TRY(database.execute("DELETE FROM affected WHERE advisory IN " + advisories));
  TRY(database.execute("DELETE FROM alias WHERE advisory IN " + advisories));
  TRY(database.execute("DELETE FROM advisory WHERE feed IN " + ids));
  TRY(database.execute("DELETE FROM threat WHERE feed IN " + ids));
  return database.execute("DELETE FROM feed WHERE " + feeds);
}

}  // namespace

Result<Store> Store::open(const std::string& path, Database::Mode mode) {
  if (mode == Database::Mode::kReadWrite) {
    // Before SQLite does it with the umask's rights.
    TRY(open_file(path, O_RDWR | O_CREAT, 0640));
  }
  Store store(TRY(Database::open(path, mode)));
  if (mode == Database::Mode::kReadWrite) TRY(store.prepare_tables());
  auto statement = TRY(store.database_.prepare("PRAGMA user_version"));
  TRY(statement.step());
  if (statement.integer(0) != kFormat) {
    return fail(Code::kUnsupported, path + " has format " + std::to_string(statement.integer(0)) +
                                        "; this program reads format " + std::to_string(kFormat));
  }
  return store;
}

Result<Store> Store::in_memory() {
  Store store(TRY(Database::open(":memory:", Database::Mode::kReadWrite)));
  TRY(store.prepare_tables());
  return store;
}

Result<void> Store::prepare_tables() {
  auto statement = TRY(database_.prepare("PRAGMA user_version"));
  TRY(statement.step());
  if (statement.integer(0) != 0) return {};
  statement.reset();
  TRY(database_.execute("BEGIN IMMEDIATE"));
  TRY(database_.execute(kTables));
  TRY(database_.execute("PRAGMA user_version=" + std::to_string(kFormat)));
  return database_.execute("COMMIT");
}

Store::Import::Import(Store& store, std::int64_t feed) : store_(&store), feed_(feed) {}

Store::Import::Import(Import&& other) noexcept
    : store_(std::exchange(other.store_, nullptr)),
      feed_(other.feed_),
      entries_(other.entries_),
      marked_entries_(other.marked_entries_),
      advisory_(std::move(other.advisory_)),
      alias_(std::move(other.alias_)),
      affected_(std::move(other.affected_)),
      threat_(std::move(other.threat_)) {}

Store::Import::~Import() {
  if (store_ == nullptr) return;
  advisory_.reset();
  alias_.reset();
  affected_.reset();
  threat_.reset();
  // There is nobody left to tell of an error; an open transaction ends with the connection.
  [[maybe_unused]] const auto undone = store_->database_.execute("ROLLBACK");
}

Result<Store::Import> Store::begin(const std::string& feed, const std::string& source) {
  TRY(database_.execute("BEGIN IMMEDIATE"));
  Import import(*this, 0);
  auto statement = TRY(database_.prepare(
      "INSERT INTO feed(name, source, imported, complete) VALUES (?, ?, ?, 0) RETURNING id"));
  statement.bind_text(1, feed).bind_text(2, source).bind(3, wall_now_ns());
  TRY(statement.step());
  import.feed_ = statement.integer(0);
  import.advisory_ = TRY(database_.prepare(
      "INSERT INTO advisory(feed, name, summary, severity) VALUES (?, ?, ?, ?) RETURNING id"));
  import.alias_ = TRY(database_.prepare("INSERT OR IGNORE INTO alias VALUES (?, ?)"));
  import.affected_ = TRY(database_.prepare("INSERT INTO affected VALUES (?, ?, ?, ?)"));
  import.threat_ =
      TRY(database_.prepare("INSERT OR REPLACE INTO threat VALUES (?, ?, ?, ?, ?, ?)"));
  return import;
}

Result<void> Store::Import::add(const Advisory& advisory) {
  advisory_->reset();
  advisory_->bind(1, feed_).bind_text(2, advisory.name).bind_text(3, advisory.summary);
  advisory_->bind_text(4, advisory.severity);
  TRY(advisory_->step());
  const std::int64_t id = advisory_->integer(0);
  advisory_->reset();
  TRY(alias_->bind_text(1, advisory.name).bind(2, id).run());
  for (const std::string& alias : advisory.aliases) {
    TRY(alias_->bind_text(1, alias).bind(2, id).run());
  }
  for (const Affected& affected : advisory.affected) {
    const std::string detail = to_json(affected);
    affected_->bind(1, id).bind_text(2, affected.ecosystem).bind_text(3, affected.package);
    TRY(affected_->bind_text(4, detail).run());
  }
  ++entries_;
  return {};
}

Result<void> Store::Import::add_threat(const std::string& cve, const Threat& threat) {
  threat_->bind_text(1, cve).bind(2, feed_).bind_text(3, threat.added);
  threat_->bind(4, threat.ransomware ? 1 : 0);
  const auto bind = [this](int at, const std::optional<double>& value) {
    if (value) threat_->bind(at, static_cast<std::int64_t>(*value * kMillion + 0.5));
    else threat_->bind_null(at);
  };
  bind(5, threat.epss);
  bind(6, threat.epss_percentile);
  TRY(threat_->run());
  ++entries_;
  return {};
}

Result<void> Store::Import::mark() {
  marked_entries_ = entries_;
  return store_->database_.execute("SAVEPOINT file");
}

Result<void> Store::Import::undo() {
  entries_ = marked_entries_;
  advisory_->reset();
  return store_->database_.execute("ROLLBACK TO file");
}

Result<void> Store::Import::finish(std::int64_t published_ns) {
  Database& database = store_->database_;
  const std::string id = std::to_string(feed_);
  const std::string same = "name = (SELECT name FROM feed WHERE id = " + id + ")";
  TRY(forget(database, same + " AND id != " + id));
  auto statement = TRY(
      database.prepare("UPDATE feed SET published = ?, entries = ?, complete = 1 WHERE id = ?"));
  statement.bind(1, published_ns).bind(2, static_cast<std::int64_t>(entries_)).bind(3, feed_);
  TRY(statement.run());
  TRY(database.execute("COMMIT"));
  store_ = nullptr;
  return {};
}

Result<std::vector<Feed>> Store::feeds() {
  auto statement = TRY(database_.prepare(
      "SELECT name, source, imported, published, entries FROM feed WHERE complete ORDER BY name"));
  std::vector<Feed> feeds;
  while (TRY(statement.step())) {
    feeds.push_back({.name = statement.text(0),
                     .source = statement.text(1),
                     .imported_ns = statement.integer(2),
                     .published_ns = statement.integer(3),
                     .entries = static_cast<std::uint64_t>(statement.integer(4))});
  }
  return feeds;
}

Result<std::vector<StoredAffected>> Store::rows(Statement& statement) {
  std::vector<StoredAffected> found;
  while (TRY(statement.step())) {
    StoredAffected row{.advisory = statement.text(0),
                       .feed = statement.text(1),
                       .severity = statement.text(2),
                       .summary = statement.text(3)};
    row.affected = TRY(affected_of(statement.text(6)));
    row.affected.ecosystem = statement.text(4);
    row.affected.package = statement.text(5);
    found.push_back(std::move(row));
  }
  return found;
}

Result<std::vector<StoredAffected>> Store::of_advisory(std::string_view name) {
  auto statement = TRY(database_.prepare(
      std::string(kRow) + "WHERE x.advisory IN (SELECT advisory FROM alias WHERE name = ?)"));
  statement.bind_text(1, name);
  return rows(statement);
}

Result<std::vector<StoredAffected>> Store::of_package(std::string_view ecosystem,
                                                      std::string_view package) {
  auto statement =
      TRY(database_.prepare(std::string(kRow) + "WHERE x.package = ? AND x.ecosystem = ?"));
  statement.bind_text(1, package).bind_text(2, ecosystem);
  return rows(statement);
}

Result<std::vector<std::string>> Store::names_of(std::string_view advisory) {
  auto statement = TRY(database_.prepare(
      "SELECT DISTINCT b.name FROM alias a JOIN alias b ON a.advisory = b.advisory "
      "WHERE a.name = ?1 ORDER BY b.name != ?1, b.name"));
  statement.bind_text(1, advisory);
  std::vector<std::string> names;
  while (TRY(statement.step())) names.push_back(statement.text(0));
  return names;
}

Result<Threat> Store::threat_of(std::string_view cve) {
  auto statement = TRY(
      database_.prepare("SELECT added, ransomware, score, percentile FROM threat WHERE cve = ?"));
  statement.bind_text(1, cve);
  Threat threat;
  while (TRY(statement.step())) {
    if (statement.is_null(2)) {
      threat.known_exploited = true;
      threat.added = statement.text(0);
      threat.ransomware = statement.integer(1) != 0;
    } else {
      threat.epss = static_cast<double>(statement.integer(2)) / kMillion;
      threat.epss_percentile = static_cast<double>(statement.integer(3)) / kMillion;
    }
  }
  return threat;
}

Result<void> Store::learn(std::string_view container, const std::vector<LearnedBuild>& builds) {
  if (builds.empty()) return {};
  TRY(database_.execute("BEGIN IMMEDIATE"));
  auto statement = TRY(database_.prepare("INSERT OR REPLACE INTO build VALUES (?, ?, ?, ?, ?, ?)"));
  for (const LearnedBuild& build : builds) {
    statement.bind_text(1, container).bind_text(2, build.build_id).bind_text(3, build.package);
    statement.bind_text(4, build.version).bind_text(5, build.source);
    TRY(statement.bind_text(6, build.source_version).run());
  }
  return database_.execute("COMMIT");
}

Result<std::map<std::string, LearnedBuild>> Store::learned(std::string_view container) {
  auto statement = TRY(database_.prepare(
      "SELECT build_id, package, version, source, source_version FROM build WHERE container = ?"));
  statement.bind_text(1, container);
  std::map<std::string, LearnedBuild> found;
  while (TRY(statement.step())) {
    found.emplace(statement.text(0),
                  LearnedBuild{statement.text(0), statement.text(1), statement.text(2),
                               statement.text(3), statement.text(4)});
  }
  return found;
}

}  // namespace coff::exposure
