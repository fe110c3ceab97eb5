// Whether an entry fulfils a query, exactly, and whether a block can hold one that does.
#include "trail/query_check.hpp"

#include <algorithm>

#include "trail/index_terms.hpp"

namespace coff::trail {

namespace {

// A filter that is asked for more containers than this says yes by chance, and late.
constexpr size_t kContainerTermsMax = 256;

bool equals(const std::string& wanted, std::string_view value) {
  return wanted.empty() || wanted == value;
}

bool equals(const std::optional<std::int64_t>& wanted, const std::optional<std::int64_t>& value) {
  return !wanted || wanted == value;
}

bool is_of_user(const std::string& wanted, const IndexRow& row) {
  return wanted.empty() || wanted == row.by_user || wanted == row.by_component ||
         wanted == row.login_name || wanted == row.user_name;
}

}  // namespace

Result<QueryCheck> QueryCheck::make(const QueryFilter& filter,
                                    std::optional<std::vector<std::string>> containers,
                                    WordCutter& cutter) {
  if (filter.text.size() > kQueryTextBytesMax) {
    return fail(Code::kLimit, "the search text is too long");
  }
  QueryCheck check(filter, std::move(containers), cutter);
  TRY(cutter.cut(filter.text, [&](std::string_view word) { check.words_.emplace_back(word); }));
  if (!filter.text.empty() && check.words_.empty()) {
    return fail(Code::kInvalid, "the search text has no letters or digits");
  }
  std::ranges::sort(check.words_);
  const auto repeated = std::ranges::unique(check.words_);
  check.words_.erase(repeated.begin(), repeated.end());
  if (filter.user.size() > kQueryTextBytesMax) return fail(Code::kLimit, "the name is too long");
  TRY(cutter.cut(filter.user,
                 [&](std::string_view word) { check.user_words_.emplace_back(word); }));
  check.make_terms();
  return check;
}

void QueryCheck::make_terms() {
  const auto add_text = [&](Column column, const std::string& value) {
    if (!value.empty()) terms_.push_back({term_of(column, value)});
  };
  const auto add_number = [&](Column column, const std::optional<std::int64_t>& value) {
    if (value) terms_.push_back({term_of(column, *value)});
  };
  add_number(Column::kPid, filter_.pid);
  add_number(Column::kProcessId, filter_.process_id);
  for (const std::string& word : words_) add_text(Column::kWord, word);
  for (const std::string& word : user_words_) add_text(Column::kWord, word);
  add_text(Column::kPath, filter_.path);
  add_text(Column::kExe, filter_.exe);
  add_text(Column::kType, filter_.type);
  add_text(Column::kKind, filter_.kind);
  add_number(Column::kUid, filter_.uid);
  add_number(Column::kLoginUid, filter_.login_uid);
  if (!containers_ || containers_->size() > kContainerTermsMax) return;
  std::vector<std::uint64_t> any;
  for (const std::string& id : *containers_) {
    any.push_back(filter_.kind.empty() ? term_of(Column::kContainer, id)
                                       : term_of(Column::kContainerKind, id, filter_.kind));
  }
  terms_.push_back(std::move(any));
}

bool QueryCheck::may_be_in(std::string_view block_filter) const {
  return std::ranges::all_of(terms_, [&](const std::vector<std::uint64_t>& any) {
    return std::ranges::any_of(any,
                               [&](std::uint64_t term) { return may_hold(block_filter, term); });
  });
}

bool QueryCheck::columns_match(const IndexRow& row) const {
  if (filter_.from_wall_ns && (!row.wall_ns || *row.wall_ns < *filter_.from_wall_ns)) return false;
  if (filter_.until_wall_ns && (!row.wall_ns || *row.wall_ns >= *filter_.until_wall_ns)) {
    return false;
  }
  if (!filter_.other_than_type.empty() && filter_.other_than_type == row.type) return false;
  return is_of_user(filter_.user, row) && equals(filter_.type, row.type) &&
         equals(filter_.kind, row.kind) && equals(filter_.pid, row.pid) &&
         equals(filter_.process_id, row.process_id) && equals(filter_.uid, row.uid) &&
         equals(filter_.login_uid, row.login_uid) && equals(filter_.exe, row.exe) &&
         equals(filter_.path, row.path()) &&
         (!containers_ || std::ranges::binary_search(*containers_, row.container_id));
}

Result<bool> QueryCheck::words_match(const IndexRow& row) {
  std::vector<bool> met(words_.size());
  size_t missing = words_.size();
  const std::function<void(std::string_view)> meet = [&](std::string_view word) {
    const auto at = std::ranges::lower_bound(words_, word);
    if (at == words_.end() || *at != word) return;
    auto&& flag = met[static_cast<size_t>(at - words_.begin())];
    if (!flag) --missing;
    flag = true;
  };
  for (const std::string_view text : row.texts) {
    if (missing == 0) break;
    TRY(cutter_.cut(text, meet));
  }
  return missing == 0;
}

Result<bool> QueryCheck::is_fulfilled_by(const IndexRow& row) {
  if (!columns_match(row)) return false;
  return words_match(row);
}

}  // namespace coff::trail
