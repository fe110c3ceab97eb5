// A block of the index while it is gathered.
#include "trail/index_block.hpp"

#include <algorithm>

namespace coff::trail {

Result<BlockBuilder> BlockBuilder::open() { return BlockBuilder(TRY(WordCutter::open())); }

void BlockBuilder::clear() {
  seen_texts_.clear();
  terms_.clear();
  entries_ = 0;
  wall_min_ns_.reset();
  wall_max_ns_.reset();
}

Result<void> BlockBuilder::add(const IndexRow& row) {
  const auto add_text = [&](Column column, std::string_view value) {
    if (!value.empty()) terms_.insert(term_of(column, value));
  };
  const auto add_number = [&](Column column, const std::optional<std::int64_t>& value) {
    if (value) terms_.insert(term_of(column, *value));
  };
  add_text(Column::kType, row.type);
  add_text(Column::kKind, row.kind);
  if (!row.container_id.empty()) {
    add_text(Column::kContainer, row.container_id);
    terms_.insert(term_of(Column::kContainerKind, row.container_id, row.kind));
  }
  add_number(Column::kPid, row.pid);
  add_number(Column::kProcessId, row.process_id);
  add_number(Column::kUid, row.uid);
  add_number(Column::kLoginUid, row.login_uid);
  add_text(Column::kExe, row.exe);
  add_text(Column::kPath, row.path());
  const std::function<void(std::string_view)> add_word = [&](std::string_view word) {
    terms_.insert(term_of(Column::kWord, word));
  };
  for (const std::string_view text : row.texts) {
    if (seen_texts_.insert(namer_.name({text}))) TRY(cutter_.cut(text, add_word));
  }
  if (row.wall_ns) {
    wall_min_ns_ = std::min(wall_min_ns_.value_or(*row.wall_ns), *row.wall_ns);
    wall_max_ns_ = std::max(wall_max_ns_.value_or(*row.wall_ns), *row.wall_ns);
  }
  ++entries_;
  return {};
}

}  // namespace coff::trail
