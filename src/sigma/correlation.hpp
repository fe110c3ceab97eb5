// Private to the room: what correlation rules remember, bounded and deterministic.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "sigma/document.hpp"

namespace coff::sigma {

/// Matches that one group keeps; of more the oldest are forgotten and counted.
inline constexpr size_t kEntriesMax = 4096;
/// Groups, and matches in all of them, of all correlations together.
inline constexpr size_t kGroupsMax = 16'384;
inline constexpr size_t kEntriesTotalMax = 65'536;
/// Longest value that is compared whole; of longer ones the start.
inline constexpr size_t kValueBytesMax = 256;
/// Events come out of several rings: one may be so much older than the newest before it.
inline constexpr std::uint64_t kLatenessNs = 5'000'000'000;

/// One match of a rule that a correlation waits for.
struct Entry {
  std::uint64_t boot_ns = 0;
  std::uint32_t rule = 0;  ///< Place in the correlation's list of rules.
  std::string value;       ///< Of the condition's field; "" where none is asked.
  double number = 0;       ///< The same as a number.
};

/// What a correlation waits for.
struct Watch {
  CorrelationType type = CorrelationType::kEventCount;
  size_t rules = 1;  ///< How many it waits for.
  std::uint64_t timespan_ns = 0;
  std::vector<std::pair<Comparison, double>> conditions;
  double percentile = 0;

  /// Whether a window can only be judged when it is over: fewer than, equal, averages.
  [[nodiscard]] bool at_end() const;
};

/// Whether the matches of one window, in the order of their times, are what is waited for.
/// `measured` is the number that was compared.
bool is_fulfilled(const Watch& watch, const std::deque<Entry>& entries, size_t begin, size_t end,
                  double& measured);

struct MemoryCounters {
  std::uint64_t entries_evicted = 0;  ///< Matches forgotten before their time.
  std::uint64_t groups_evicted = 0;
  std::uint64_t late = 0;  ///< Matches that came after their window was judged.
};

/// A window that was judged.
struct Firing {
  bool fulfilled = true;
  std::uint32_t watch = 0;
  std::string group;  ///< As it was given.
  double measured = 0;
  std::uint64_t begin_boot_ns = 0;
  std::uint64_t end_boot_ns = 0;
};

/// The matches of all correlations by group. Belongs to one thread. Equal calls give equal answers.
///
/// A window reaches back from a match over the timespan, both ends included; when it is fulfilled
/// the group is emptied. Windows that are judged at their end begin with their first match.
class Memory {
 public:
  explicit Memory(std::vector<Watch> watches) : watches_(std::move(watches)) {}

  /// Adds a match; true when a window was fulfilled, which is then in `fired`.
  bool add(std::uint32_t watch, const std::string& group, Entry entry, Firing& fired);
  /// Judges windows that are over at this time, fulfilled or not; never goes back.
  void pass(std::uint64_t boot_ns, std::vector<Firing>& fired);

  [[nodiscard]] const MemoryCounters& counters() const { return counters_; }
  [[nodiscard]] size_t groups() const { return groups_.size(); }
  [[nodiscard]] size_t entries() const { return entries_; }

 private:
  struct Group {
    std::uint32_t watch = 0;
    std::string name;
    std::deque<Entry> entries;             ///< By time.
    std::uint64_t judged_until_ns = 0;     ///< Windows until here were judged.
    std::uint64_t end_ns = 0;              ///< When the open window is judged; 0: there is none.
    std::list<std::string>::iterator age;  ///< Place in `ages_`.
  };

  Group& group_of(std::uint32_t watch, const std::string& name);
  void forget(Group& group, size_t count);
  void erase(const std::string& key);
  void open_window(const std::string& key, Group& group);
  bool look(Group& group, size_t at, Firing& fired);
  void make_room();

  std::vector<Watch> watches_;
  std::unordered_map<std::string, Group> groups_;
  std::list<std::string> ages_;  ///< Keys of groups, the one that was touched longest ago first.
  std::set<std::pair<std::uint64_t, std::string>> ends_;  ///< When windows end, with their keys.
  size_t entries_ = 0;
  std::uint64_t now_ns_ = 0;
  MemoryCounters counters_;
};

}  // namespace coff::sigma
