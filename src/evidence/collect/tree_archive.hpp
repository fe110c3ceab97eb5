// A folder as a tar archive and a table, compared with the layers below it.
#pragma once

#include <string>
#include <vector>

#include "evidence/collect/step.hpp"

namespace coff::evidence {

/// Folders deeper than this are named as a gap: each level costs a descriptor.
inline constexpr int kTreeDepthMax = 256;

struct Tree {
  Fd folder;                 ///< Readable.
  std::vector<Fd> below;     ///< Layers of the image, the topmost first; empty: nothing to compare.
  bool layer = false;        ///< The upper folder of an overlay: whiteouts mean deletions.
  std::string item;          ///< ITEM.tar and ITEM.jsonl are written.
  std::string source;        ///< For people: where the folder is.
  std::uint64_t device = 0;  ///< Nothing of other file systems is entered.
};

/// Walks it without following any link. Names may be hostile: they only stand in the archive and,
/// escaped, in the table. Access times stay as they are.
Result<void> archive_tree(Collection& collection, Tree tree);

}  // namespace coff::evidence
