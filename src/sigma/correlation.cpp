// What correlation rules remember.
#include "sigma/correlation.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>
#include <unordered_set>

namespace coff::sigma {

namespace {

bool compare(Comparison comparison, double a, double b) {
  switch (comparison) {
    case Comparison::kGreater: return a > b;
    case Comparison::kGreaterEqual: return a >= b;
    case Comparison::kLess: return a < b;
    case Comparison::kLessEqual: return a <= b;
    case Comparison::kEqual: return a == b;
    case Comparison::kNotEqual: break;
  }
  return a != b;
}

bool holds(const Watch& watch, double measured) {
  return std::ranges::all_of(watch.conditions, [&](const auto& condition) {
    return compare(condition.first, measured, condition.second);
  });
}

using Entries = std::deque<Entry>;

double different_values(const Entries& entries, size_t begin, size_t end) {
  std::unordered_set<std::string_view> values;
  for (size_t at = begin; at < end; ++at) values.insert(entries[at].value);
  return static_cast<double>(values.size());
}

double different_rules(const Entries& entries, size_t begin, size_t end) {
  std::set<std::uint32_t> rules;
  for (size_t at = begin; at < end; ++at) rules.insert(entries[at].rule);
  return static_cast<double>(rules.size());
}

// How many of the rules came one after the other; equal times may stand in any order.
double rules_in_order(const Entries& entries, size_t begin, size_t end) {
  std::uint32_t next = 0;
  for (size_t at = begin; at < end;) {
    size_t same = at;
    std::set<std::uint32_t> together;
    while (same < end && entries[same].boot_ns == entries[at].boot_ns) {
      together.insert(entries[same++].rule);
    }
    while (together.contains(next)) ++next;
    at = same;
  }
  return next;
}

double sum(const Entries& entries, size_t begin, size_t end) {
  double total = 0;
  for (size_t at = begin; at < end; ++at) total += entries[at].number;
  return total;
}

// The smallest number that so many percent of them don't exceed (nearest rank).
double percentile(const Entries& entries, size_t begin, size_t end, double percent) {
  std::vector<double> numbers;
  for (size_t at = begin; at < end; ++at) numbers.push_back(entries[at].number);
  std::ranges::sort(numbers);
  const double rank = std::ceil(percent / 100 * static_cast<double>(numbers.size()));
  return numbers[rank < 1 ? 0 : static_cast<size_t>(rank) - 1];
}

double measure(const Watch& watch, const Entries& entries, size_t begin, size_t end) {
  switch (watch.type) {
    case CorrelationType::kEventCount: return static_cast<double>(end - begin);
    case CorrelationType::kValueCount: return different_values(entries, begin, end);
    case CorrelationType::kTemporal: return different_rules(entries, begin, end);
    case CorrelationType::kTemporalOrdered: return rules_in_order(entries, begin, end);
    case CorrelationType::kValueSum: return sum(entries, begin, end);
    case CorrelationType::kValueAverage:
      return sum(entries, begin, end) / static_cast<double>(end - begin);
    case CorrelationType::kValuePercentile: break;
  }
  return percentile(entries, begin, end, watch.percentile);
}

std::string key_of(std::uint32_t watch, const std::string& group) {
  return std::to_string(watch) + '\0' + group;
}

}  // namespace

bool Watch::at_end() const {
  if (type == CorrelationType::kValueAverage || type == CorrelationType::kValuePercentile) {
    return true;
  }
  return std::ranges::any_of(conditions, [](const auto& condition) {
    return condition.first != Comparison::kGreater && condition.first != Comparison::kGreaterEqual;
  });
}

bool is_fulfilled(const Watch& watch, const std::deque<Entry>& entries, size_t begin, size_t end,
                  double& measured) {
  if (begin >= end) return false;
  measured = measure(watch, entries, begin, end);
  if (watch.conditions.empty()) return measured >= static_cast<double>(watch.rules);
  return holds(watch, measured);
}

Memory::Group& Memory::group_of(std::uint32_t watch, const std::string& name) {
  const std::string key = key_of(watch, name);
  auto found = groups_.find(key);
  if (found == groups_.end()) {
    if (groups_.size() >= kGroupsMax) {
      ++counters_.groups_evicted;
      erase(ages_.front());
    }
    found =
        groups_.emplace(key, Group{.watch = watch, .name = name, .entries = {}, .age = {}}).first;
    found->second.age = ages_.insert(ages_.end(), key);
  }
  ages_.splice(ages_.end(), ages_, found->second.age);
  return found->second;
}

void Memory::forget(Group& group, size_t count) {
  group.entries.erase(group.entries.begin(),
                      group.entries.begin() + static_cast<std::ptrdiff_t>(count));
  entries_ -= count;
}

void Memory::erase(const std::string& key) {
  const auto found = groups_.find(key);
  if (found == groups_.end()) return;
  entries_ -= found->second.entries.size();
  if (found->second.end_ns != 0) ends_.erase({found->second.end_ns, key});
  ages_.erase(found->second.age);
  groups_.erase(found);
}

// Groups that nothing came to for longest give room first.
void Memory::make_room() {
  while (entries_ >= kEntriesTotalMax && !ages_.empty()) {
    const std::string key = ages_.front();
    counters_.entries_evicted += groups_.at(key).entries.size();
    ++counters_.groups_evicted;
    erase(key);
  }
}

bool Memory::add(std::uint32_t watch, const std::string& group_name, Entry entry, Firing& fired) {
  make_room();
  const Watch& of = watches_[watch];
  now_ns_ = std::max(now_ns_, entry.boot_ns);
  Group& group = group_of(watch, group_name);
  if (entry.boot_ns < group.judged_until_ns) {
    ++counters_.late;
    return false;
  }
  auto& entries = group.entries;
  if (entries.size() >= kEntriesMax) {
    ++counters_.entries_evicted;
    forget(group, 1);
  }
  const auto behind =
      std::upper_bound(entries.begin(), entries.end(), entry.boot_ns,
                       [](std::uint64_t time, const Entry& each) { return time < each.boot_ns; });
  const auto at = static_cast<size_t>(behind - entries.begin());
  entries.insert(behind, std::move(entry));
  ++entries_;
  if (of.at_end()) {
    if (group.end_ns == 0) open_window(key_of(watch, group_name), group);
    return false;
  }
  // What no later match can reach any more.
  size_t old = 0;
  const std::uint64_t reach = of.timespan_ns + kLatenessNs;
  while (old < at && now_ns_ - std::min(now_ns_, entries[old].boot_ns) > reach) ++old;
  forget(group, old);
  fired.watch = watch;
  return look(group, at - old, fired);
}

// Windows that hold the match at this place: it may have come late, before others.
bool Memory::look(Group& group, size_t at, Firing& fired) {
  const Watch& of = watches_[group.watch];
  const auto& entries = group.entries;
  const std::uint64_t time = entries[at].boot_ns;
  size_t begin = 0;
  for (size_t last = at; last < entries.size(); ++last) {
    const std::uint64_t end_time = entries[last].boot_ns;
    if (end_time - time > of.timespan_ns) break;
    while (end_time - entries[begin].boot_ns > of.timespan_ns) ++begin;
    if (!is_fulfilled(of, entries, begin, last + 1, fired.measured)) continue;
    fired.group = group.name;
    fired.begin_boot_ns = entries[begin].boot_ns;
    fired.end_boot_ns = end_time;
    forget(group, entries.size());
    return true;
  }
  return false;
}

void Memory::open_window(const std::string& key, Group& group) {
  group.end_ns = group.entries.front().boot_ns + watches_[group.watch].timespan_ns + kLatenessNs;
  ends_.emplace(group.end_ns, key);
}

void Memory::pass(std::uint64_t boot_ns, std::vector<Firing>& fired) {
  now_ns_ = std::max(now_ns_, boot_ns);
  while (!ends_.empty() && ends_.begin()->first <= now_ns_) {
    const std::string key = ends_.begin()->second;
    ends_.erase(ends_.begin());
    Group& group = groups_.at(key);
    group.end_ns = 0;
    if (group.entries.empty()) continue;
    const Watch& of = watches_[group.watch];
    const std::uint64_t begin = group.entries.front().boot_ns;
    const std::uint64_t end = begin + of.timespan_ns;
    size_t count = 0;
    while (count < group.entries.size() && group.entries[count].boot_ns <= end) ++count;
    Firing firing{
        .watch = group.watch, .group = group.name, .begin_boot_ns = begin, .end_boot_ns = end};
    firing.fulfilled = is_fulfilled(of, group.entries, 0, count, firing.measured);
    fired.push_back(std::move(firing));
    forget(group, count);
    group.judged_until_ns = end + 1;
    if (!group.entries.empty()) open_window(key, group);
  }
}

}  // namespace coff::sigma
