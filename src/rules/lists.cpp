// Lists are put into conditions as text, before anything is parsed.
#include "rules/lists.hpp"

#include <algorithm>

#include "rules/parser.hpp"

namespace coff::rules {

namespace {

constexpr std::string_view kBlanks = " \t\n\r";
constexpr std::string_view kDelimiters = " \t\n\r(),=";

bool is_blank(char c) { return kBlanks.find(c) != kBlanks.npos; }

void add_words(std::string_view text, TextSet& words) {
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find_first_of(kDelimiters, at), text.size());
    if (end > at) words.emplace(text.substr(at, end - at));
    at = end + 1;
  }
}

std::string quoted(const std::string& item) {
  const bool bare = item.empty() || (item[0] != '"' && item[0] != '\'');
  return bare && item.find(' ') != item.npos ? '"' + item + '"' : item;
}

}  // namespace

ListTable::ListTable(const Definitions& definitions, size_t budget) : budget_(budget) {
  std::unordered_map<std::string, size_t> place;
  for (const ListDefinition& list : definitions.lists()) {
    place.emplace(list.name, entries_.size());
    entries_.push_back({.definition = &list, .text = {}, .items = {}});
  }
  for (Entry& entry : entries_) {
    for (const std::string& item : entry.definition->items) {
      // One level, and only lists that were defined before.
      const ListDefinition* inner = definitions.find_list(item);
      if (inner != nullptr && inner->index < entry.definition->visibility &&
          inner != entry.definition) {
        entries_[place[item]].used = true;
        size_t bytes = 0;
        for (const std::string& each : inner->items) bytes += each.size() + 2;
        if (bytes > budget_) {
          budget_ = 0;
          return;
        }
        budget_ -= bytes;
        entry.items.insert(entry.items.end(), inner->items.begin(), inner->items.end());
      } else {
        entry.items.push_back(item);
      }
    }
  }
}

bool ListTable::expand(SourceText& condition) {
  TextSet words;
  add_words(condition.text(), words);
  for (Entry& entry : entries_) {
    const std::string& name = entry.definition->name;
    // A name that holds a delimiter is no single word, and is found as text all the same.
    const bool single = name.find_first_of(kDelimiters) == name.npos;
    if (single && !words.contains(name)) continue;
    if (!expand_one(condition, entry, words)) return false;
  }
  return budget_ > 0 && condition.text().size() <= kConditionBytesMax;
}

bool ListTable::expand_one(SourceText& condition, Entry& entry, TextSet& words) {
  const std::string& name = entry.definition->name;
  if (name.empty()) return true;
  if (!entry.made) {
    for (const std::string& item : entry.items) {
      if (!entry.text.empty()) entry.text += ", ";
      entry.text += quoted(item);
    }
    entry.made = true;
  }
  bool found = false;
  for (size_t start = condition.text().find(name); start != std::string::npos;
       start = condition.text().find(name, start + 1)) {
    const std::string& text = condition.text();
    size_t end = start + name.size();
    const bool left = start == 0 || kDelimiters.find(text[start - 1]) != kDelimiters.npos;
    const bool right = end >= text.size() || kDelimiters.find(text[end]) != kDelimiters.npos;
    if (!left || !right) continue;
    while (start > 0 && is_blank(text[start - 1])) --start;
    while (end < text.size() && is_blank(text[end])) ++end;
    // An empty list takes a comma with it.
    if (entry.text.empty() && start > 0 && text[start - 1] == ',') --start;
    else if (entry.text.empty() && end < text.size() && text[end] == ',') ++end;
    if (entry.text.size() + 2 > budget_) {
      budget_ = 0;
      return false;
    }
    budget_ -= entry.text.size() + 2;
    condition.replace(start, end, (start > 0 ? " " : "") + entry.text + " ");
    if (condition.text().size() > kConditionBytesMax) return false;
    start += entry.text.size() + 1;
    found = true;
  }
  if (!found) return true;
  entry.used = true;
  add_words(entry.text, words);
  return true;
}

std::vector<const ListDefinition*> ListTable::unused() const {
  std::vector<const ListDefinition*> list;
  for (const Entry& entry : entries_) {
    if (!entry.used) list.push_back(entry.definition);
  }
  return list;
}

}  // namespace coff::rules
