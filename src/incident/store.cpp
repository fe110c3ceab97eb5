// Incidents in an SQLite file: grouping, states, timelines.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "incident/incident.hpp"
#include "playbook/names.hpp"

namespace coff::incident {
namespace {

constexpr std::int64_t kVersion = 1;
constexpr std::string_view kColumns =
    "number, id, state, title, owner, severity, container, name, opened_ns, last_ns, closed_ns, "
    "lessons, (SELECT count(*) FROM item WHERE item.incident = incident.number AND sort = "
    "'finding')";
constexpr std::array<std::string_view, 8> kPriorities = {
    "Debug", "Informational", "Notice", "Warning", "Error", "Critical", "Alert", "Emergency"};

std::ptrdiff_t gravity(std::string_view priority) {
  const auto found = std::ranges::find(kPriorities, priority);
  return found == kPriorities.end() ? -1 : found - kPriorities.begin();
}

Result<Incident> read_row(const Statement& row) {
  Incident incident;
  incident.number = row.integer(0);
  incident.id = row.text(1);
  const std::int64_t state = row.integer(2);
  if (state < 0 || state >= static_cast<std::int64_t>(kStateNames.size())) {
    return fail(Code::kCorrupt, "an incident is in no state");
  }
  incident.state = static_cast<State>(state);
  incident.title = row.text(3);
  incident.owner = row.text(4);
  incident.severity = row.text(5);
  incident.container = row.text(6);
  incident.name = row.text(7);
  incident.opened_ns = row.integer(8);
  incident.last_ns = row.integer(9);
  incident.closed_ns = row.integer(10);
  incident.lessons = row.text(11);
  incident.findings = row.integer(12);
  return incident;
}

}  // namespace

std::string_view state_name(State state) { return kStateNames[static_cast<size_t>(state)]; }

std::optional<State> state_of_name(std::string_view name) {
  const auto found = std::ranges::find(kStateNames, name);
  if (found == kStateNames.end()) return std::nullopt;
  return static_cast<State>(found - kStateNames.begin());
}

Result<Store> Store::open(const std::string& path) {
  Database database = TRY(Database::open(path, Database::Mode::kReadWrite));
  Statement version = TRY(database.prepare("PRAGMA user_version"));
  TRY(version.step());
  if (version.integer(0) > kVersion) {
    return fail(Code::kUnsupported, path + " is of a newer version of this program");
  }
  version.reset();
  TRY(database.execute(
      "CREATE TABLE IF NOT EXISTS incident (number INTEGER PRIMARY KEY AUTOINCREMENT, "
      "id TEXT NOT NULL UNIQUE, state INTEGER NOT NULL, title TEXT NOT NULL, owner TEXT NOT NULL, "
      "severity TEXT NOT NULL, container TEXT NOT NULL, name TEXT NOT NULL, "
      "opened_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL, closed_ns INTEGER NOT NULL, "
      "lessons TEXT NOT NULL);"
      "CREATE INDEX IF NOT EXISTS incident_container ON incident (container, state);"
      "CREATE TABLE IF NOT EXISTS item (number INTEGER PRIMARY KEY AUTOINCREMENT, "
      "incident INTEGER NOT NULL REFERENCES incident, time_ns INTEGER NOT NULL, "
      "sort TEXT NOT NULL, who TEXT NOT NULL, text TEXT NOT NULL, reference TEXT NOT NULL, "
      "lineage TEXT NOT NULL);"
      "CREATE INDEX IF NOT EXISTS item_incident ON item (incident, time_ns);"
      "CREATE UNIQUE INDEX IF NOT EXISTS item_reference ON item (sort, reference) "
      "WHERE reference != '';"
      "PRAGMA user_version = 1;"));
  return Store(std::move(database));
}

Result<std::int64_t> Store::insert(const Incident& incident) {
  Statement statement = TRY(database_.prepare(
      "INSERT INTO incident (id, state, title, owner, severity, container, name, opened_ns, "
      "last_ns, closed_ns, lessons) VALUES (?1, 0, ?2, '', ?3, ?4, ?5, ?6, ?6, 0, '') "
      "RETURNING number"));
  const std::string id = TRY(playbook::new_identifier("incident"));
  statement.bind_text(1, id)
      .bind_text(2, incident.title)
      .bind_text(3, incident.severity)
      .bind_text(4, incident.container)
      .bind_text(5, incident.name)
      .bind(6, incident.opened_ns);
  if (!TRY(statement.step())) return fail(Code::kInternal, "the incident was not stored");
  const std::int64_t number = statement.integer(0);
  TRY(statement.step());
  return number;
}

// Of the incidents that fit, the one whose newest finding is the nearest.
Result<std::optional<std::int64_t>> Store::find_group(const FindingFacts& finding) {
  Statement statement = TRY(database_.prepare(
      "SELECT number, last_ns, EXISTS (SELECT 1 FROM item WHERE item.incident = incident.number "
      "AND "
      "lineage = ?2 AND lineage != '') FROM incident WHERE container = ?1 AND state != 5 AND "
      "last_ns BETWEEN ?3 AND ?4 ORDER BY abs(last_ns - ?5)"));
  statement.bind_text(1, finding.container)
      .bind_text(2, finding.lineage)
      .bind(3, finding.time_ns - kSameLineageNs)
      .bind(4, finding.time_ns + kSameLineageNs)
      .bind(5, finding.time_ns);
  while (TRY(statement.step())) {
    const std::int64_t distance = std::abs(statement.integer(1) - finding.time_ns);
    const bool lineage = statement.integer(2) != 0;
    // Everything on the host that is not of one lineage has nothing in common but the host.
    const bool near = distance <= kSameContainerNs && (lineage || !finding.container.empty());
    if (near || (lineage && !finding.container.empty())) return statement.integer(0);
  }
  return std::nullopt;
}

Result<std::vector<std::int64_t>> Store::take(std::span<const FindingFacts> findings) {
  TRY(database_.execute("BEGIN IMMEDIATE"));
  std::vector<std::int64_t> numbers;
  for (const FindingFacts& finding : findings) {
    const auto number = take_one(finding);
    if (!number) {
      // The error that counts is the first one.
      [[maybe_unused]] const auto undone = database_.execute("ROLLBACK");
      return std::unexpected(number.error());
    }
    numbers.push_back(*number);
  }
  TRY(database_.execute("COMMIT"));
  return numbers;
}

Result<std::int64_t> Store::take_one(const FindingFacts& finding) {
  Statement known = TRY(database_.prepare(
      "SELECT incident FROM item WHERE sort = 'finding' AND reference = ?1 AND reference != ''"));
  known.bind_text(1, finding.reference);
  if (TRY(known.step())) return known.integer(0);
  const auto group = TRY(find_group(finding));
  Incident fresh;
  fresh.title = finding.rule;
  fresh.severity = finding.priority;
  fresh.container = finding.container;
  fresh.name = finding.name;
  fresh.opened_ns = finding.time_ns;
  const std::int64_t number = group ? *group : TRY(insert(fresh));
  Statement item = TRY(
      database_.prepare("INSERT INTO item (incident, time_ns, sort, who, text, reference, lineage) "
                        "VALUES (?1, ?2, 'finding', '', ?3, ?4, ?5)"));
  const std::string text = finding.priority + " " + finding.rule + ": " + finding.output;
  item.bind(1, number)
      .bind(2, finding.time_ns)
      .bind_text(3, text)
      .bind_text(4, finding.reference)
      .bind_text(5, finding.lineage);
  TRY(item.run());
  const Incident before = TRY(read(number));
  const bool graver = gravity(finding.priority) > gravity(before.severity);
  Statement update =
      TRY(database_.prepare("UPDATE incident SET last_ns = max(last_ns, ?2), severity = ?3, title "
                            "= ?4 WHERE number = ?1"));
  update.bind(1, number)
      .bind(2, finding.time_ns)
      .bind_text(3, graver ? finding.priority : before.severity)
      .bind_text(4, graver ? finding.rule : before.title);
  TRY(update.run());
  return number;
}

Result<bool> Store::take_deed(const Deed& deed) {
  Statement statement = TRY(
      database_.prepare("SELECT number FROM incident WHERE container = ?1 AND opened_ns <= ?2 AND "
                        "(closed_ns = 0 OR closed_ns >= ?2) ORDER BY opened_ns DESC LIMIT 1"));
  statement.bind_text(1, deed.container).bind(2, deed.item.time_ns);
  if (!TRY(statement.step())) return false;
  const std::int64_t number = statement.integer(0);
  statement.reset();
  TRY(add(number, deed.item));
  return true;
}

Result<std::size_t> Store::take_deeds(std::span<const Deed> deeds) {
  TRY(database_.execute("BEGIN IMMEDIATE"));
  std::size_t taken = 0;
  for (const Deed& deed : deeds) {
    const auto one = take_deed(deed);
    if (!one) {
      [[maybe_unused]] const auto undone = database_.execute("ROLLBACK");
      return std::unexpected(one.error());
    }
    if (*one) ++taken;
  }
  TRY(database_.execute("COMMIT"));
  return taken;
}

Result<std::int64_t> Store::open_incident(const std::string& title, const std::string& container,
                                          const std::string& who, std::int64_t now_ns) {
  Incident fresh;
  fresh.title = title.substr(0, kTextBytesMax);
  fresh.container = container;
  fresh.opened_ns = now_ns;
  const std::int64_t number = TRY(insert(fresh));
  TRY(add(number, {.time_ns = now_ns, .sort = "state", .who = who, .text = "opened"}));
  return number;
}

Result<std::vector<Incident>> Store::list(bool closed_too) {
  Statement statement = TRY(database_.prepare(fmt::format(
      "SELECT {} FROM incident WHERE state != 5 OR ?1 ORDER BY last_ns DESC LIMIT 10000",
      kColumns)));
  statement.bind(1, closed_too ? 1 : 0);
  std::vector<Incident> incidents;
  while (TRY(statement.step())) incidents.push_back(TRY(read_row(statement)));
  return incidents;
}

Result<Incident> Store::read(std::int64_t number) {
  Statement statement =
      TRY(database_.prepare(fmt::format("SELECT {} FROM incident WHERE number = ?1", kColumns)));
  statement.bind(1, number);
  if (!TRY(statement.step())) {
    return fail(Code::kNotFound, fmt::format("there is no incident {}", number));
  }
  return read_row(statement);
}

Result<std::vector<Item>> Store::timeline(std::int64_t number) {
  Statement statement = TRY(
      database_.prepare("SELECT time_ns, sort, who, text, reference FROM item WHERE incident = ?1 "
                        "ORDER BY time_ns, number LIMIT ?2"));
  statement.bind(1, number).bind(2, static_cast<std::int64_t>(kTimelineMax));
  std::vector<Item> items;
  while (TRY(statement.step())) {
    items.push_back({.time_ns = statement.integer(0),
                     .sort = statement.text(1),
                     .who = statement.text(2),
                     .text = statement.text(3),
                     .reference = statement.text(4)});
  }
  return items;
}

Result<void> Store::add(std::int64_t number, const Item& item) {
  TRY(read(number));
  if (item.text.size() > kTextBytesMax) {
    return fail(Code::kLimit, fmt::format("the text is longer than {} bytes", kTextBytesMax));
  }
  Statement statement = TRY(database_.prepare(
      "INSERT OR IGNORE INTO item (incident, time_ns, sort, who, text, reference, lineage) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, '')"));
  statement.bind(1, number)
      .bind(2, item.time_ns)
      .bind_text(3, item.sort)
      .bind_text(4, item.who)
      .bind_text(5, item.text)
      .bind_text(6, item.reference);
  return statement.run();
}

Result<void> Store::assign(std::int64_t number, const std::string& owner, const std::string& who,
                           std::int64_t now_ns) {
  TRY(read(number));
  Statement statement = TRY(database_.prepare("UPDATE incident SET owner = ?2 WHERE number = ?1"));
  statement.bind(1, number).bind_text(2, owner);
  TRY(statement.run());
  return add(number, {.time_ns = now_ns,
                      .sort = "owner",
                      .who = who,
                      .text = owner.empty() ? "nobody's" : "assigned to " + owner});
}

Result<void> Store::set_state(std::int64_t number, State state, const std::string& lessons,
                              const std::string& who, std::int64_t now_ns) {
  const Incident before = TRY(read(number));
  if (state == State::kClosed && lessons.empty()) {
    return fail(Code::kInvalid, "closing asks for what was learned");
  }
  if (lessons.size() > kTextBytesMax) return fail(Code::kLimit, "the text is too long");
  Statement statement = TRY(database_.prepare(
      "UPDATE incident SET state = ?2, closed_ns = ?3, lessons = CASE WHEN ?4 = '' THEN lessons "
      "ELSE ?4 END WHERE number = ?1"));
  statement.bind(1, number)
      .bind(2, static_cast<std::int64_t>(state))
      .bind(3, state == State::kClosed ? now_ns : 0)
      .bind_text(4, lessons);
  TRY(statement.run());
  return add(number,
             {.time_ns = now_ns,
              .sort = "state",
              .who = who,
              .text = fmt::format("{} -> {}", state_name(before.state), state_name(state))});
}

Result<std::optional<std::int64_t>> Store::oldest_open_ns() {
  Statement statement = TRY(
      database_.prepare("SELECT min(opened_ns) FROM incident WHERE state != 5 HAVING count(*)"));
  if (!TRY(statement.step())) return std::nullopt;
  return statement.integer(0);
}

Result<std::int64_t> Store::newest_ns() {
  Statement statement =
      TRY(database_.prepare("SELECT coalesce(max(time_ns), 0) FROM item WHERE sort = 'finding'"));
  TRY(statement.step());
  return statement.integer(0);
}

}  // namespace coff::incident
