// Private to the room: lists are put into conditions as text, before anything is parsed.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "rules/definitions.hpp"
#include "rules/path_prefixes.hpp"

namespace coff::rules {

/// All lists with their elements, lists of lists resolved.
class ListTable {
 public:
  /// `budget` bytes may be put into conditions in total.
  ListTable(const Definitions& definitions, size_t budget);

  /// Puts every list that the condition names in its place. False when a limit was reached.
  bool expand(SourceText& condition);
  /// Lists that nothing named.
  [[nodiscard]] std::vector<const ListDefinition*> unused() const;

 private:
  struct Entry {
    const ListDefinition* definition = nullptr;
    std::string text;  ///< "a, b, "c d"", made when first needed.
    std::vector<std::string> items;
    bool made = false;
    bool used = false;
  };
  bool expand_one(SourceText& condition, Entry& entry, TextSet& words);

  std::vector<Entry> entries_;  ///< In the order of definition, which is that of expansion.
  size_t budget_;
};

}  // namespace coff::rules
