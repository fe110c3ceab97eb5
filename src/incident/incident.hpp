// Incidents: findings that belong together, what people decided about them, and their timeline.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/database.hpp"
#include "base/result.hpp"

namespace coff::incident {

/// Longest text of an item, and most items that a timeline shows.
inline constexpr size_t kTextBytesMax = 16384;
inline constexpr size_t kTimelineMax = 100'000;

/// The phases of handling (SANS PICERL; "respond" and "recover" of NIST SP 800-61r3). Lessons
/// learned are what closing asks for.
enum class State : unsigned char {
  kOpen,
  kIdentified,
  kContained,
  kEradicated,
  kRecovered,
  kClosed,
};
inline constexpr std::array<std::string_view, 6> kStateNames = {
    "open", "identified", "contained", "eradicated", "recovered", "closed"};
std::string_view state_name(State state);
std::optional<State> state_of_name(std::string_view name);

struct Incident {
  std::int64_t number = 0;  ///< Short, for people.
  std::string id;           ///< incident--UUID
  State state = State::kOpen;
  std::string title;
  std::string owner;      ///< "" = nobody.
  std::string severity;   ///< The gravest priority of its findings.
  std::string container;  ///< Id; "" = the host.
  std::string name;       ///< Of the container.
  std::int64_t opened_ns = 0;
  std::int64_t last_ns = 0;  ///< Of its newest finding.
  std::int64_t closed_ns = 0;
  std::string lessons;
  std::int64_t findings = 0;
};

/// One line of a timeline.
struct Item {
  std::int64_t time_ns = 0;
  std::string sort;  ///< finding, note, state, owner, action, approval, evidence.
  std::string who;   ///< A person or component; "" for findings.
  std::string text;
  std::string reference;  ///< SHA-256 of the trail entry or file that it is about; "" = none.
};

/// What grouping needs of a finding's entry in the trail.
struct FindingFacts {
  std::int64_t time_ns = 0;
  std::string id;  ///< Of the finding.
  std::string rule;
  std::string priority;
  std::string output;
  std::string container;
  std::string name;
  std::string lineage;    ///< The oldest ancestor that is known, below the first process.
  std::string reference;  ///< SHA-256 of the entry.
};
/// Reads an entry of type `finding` (docs/formats/event.md). kInvalid: it is none.
Result<FindingFacts> finding_facts(std::string_view entry);

/// What was done about a container: an action, an approval of one, evidence.
struct Deed {
  std::string container;  ///< Id.
  Item item;
};
/// Reads an entry of type `action` or `evidence` (docs/formats/response.md, evidence.md). kInvalid:
/// it is none, or tells nothing that a timeline should.
Result<Deed> deed_of(std::string_view entry);

/// A finding joins an incident that is not closed when both are of one container (or of one lineage
/// of the host) and its newest finding is not older than this;
inline constexpr std::int64_t kSameContainerNs = 30LL * 60 * 1'000'000'000;
/// of one container and one lineage, than this.
inline constexpr std::int64_t kSameLineageNs = 24LL * 3600 * 1'000'000'000;

/// Incidents in an SQLite file. Belongs to one thread.
class Store {
 public:
  static Result<Store> open(const std::string& path);

  /// Opens an incident for each finding or joins it to one, all of them or none; the numbers. A
  /// finding whose entry is known already changes nothing.
  Result<std::vector<std::int64_t>> take(std::span<const FindingFacts> findings);
  /// Adds each to the newest incident of its container that was open at the time, all of them or
  /// none; how many had one. What is known already changes nothing.
  Result<std::size_t> take_deeds(std::span<const Deed> deeds);
  /// Opens one by hand.
  Result<std::int64_t> open_incident(const std::string& title, const std::string& container,
                                     const std::string& who, std::int64_t now_ns);
  [[nodiscard]] Result<std::vector<Incident>> list(bool closed_too);
  /// kNotFound.
  [[nodiscard]] Result<Incident> read(std::int64_t number);
  /// Oldest first.
  [[nodiscard]] Result<std::vector<Item>> timeline(std::int64_t number);
  /// Adds a line. An equal sort and reference is there once.
  Result<void> add(std::int64_t number, const Item& item);
  Result<void> assign(std::int64_t number, const std::string& owner, const std::string& who,
                      std::int64_t now_ns);
  /// kInvalid: closing needs what was learned.
  Result<void> set_state(std::int64_t number, State state, const std::string& lessons,
                         const std::string& who, std::int64_t now_ns);
  /// Time of the newest finding that was taken; 0 before the first.
  [[nodiscard]] Result<std::int64_t> newest_ns();
  /// When the oldest incident that is not closed was opened; nothing when there is none.
  [[nodiscard]] Result<std::optional<std::int64_t>> oldest_open_ns();

 private:
  explicit Store(Database database) : database_(std::move(database)) {}
  Result<std::int64_t> take_one(const FindingFacts& finding);
  Result<bool> take_deed(const Deed& deed);
  Result<std::optional<std::int64_t>> find_group(const FindingFacts& finding);
  Result<std::int64_t> insert(const Incident& incident);

  Database database_;
};

/// The whole incident as Markdown: for people, and for a report.
std::string to_markdown(const Incident& incident, const std::vector<Item>& timeline);
/// The same as one JSON object.
std::string to_json(const Incident& incident, const std::vector<Item>& timeline);
/// One JSON object without the timeline.
std::string to_json(const Incident& incident);

}  // namespace coff::incident
