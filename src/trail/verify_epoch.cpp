// Verification of one epoch: every record against its place, its stored hash and the signed roots.
#include "trail/verify_epoch.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>

namespace coff::trail {

namespace {

constexpr std::string_view kPrefix = "{\"v\":1,\"seq\":";
// The trail's own entries have their type within this many bytes.
constexpr size_t kTypeWithinBytes = 256;
constexpr std::uint64_t kProgressStep = 16384;

bool has_type(std::string_view entry, std::string_view type) {
  return entry.substr(0, kTypeWithinBytes).contains("\"type\":\"" + std::string(type) + "\"");
}

std::optional<std::uint64_t> member_number(const boost::json::object& object,
                                           std::string_view name) {
  const auto* value = object.if_contains(name);
  std::error_code problem;
  if (value == nullptr) return std::nullopt;
  const auto number = value->to_number<std::uint64_t>(problem);
  return problem ? std::nullopt : std::optional(number);
}

std::optional<std::string> member_text(const boost::json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return std::string(value->get_string());
}

}  // namespace

std::optional<std::uint64_t> stated_seq(std::string_view entry) {
  if (!entry.starts_with(kPrefix)) return std::nullopt;
  const std::string_view digits = entry.substr(kPrefix.size(), 21);
  std::uint64_t seq = 0;
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), seq);
  if (problem != std::errc() || end == digits.data() + digits.size() || *end != ',') {
    return std::nullopt;
  }
  return seq;
}

std::optional<std::string> read_genesis(std::string_view entry) {
  std::error_code problem;
  const auto value = boost::json::parse(entry, problem);
  if (problem || !value.is_object() || member_text(value.get_object(), "type") != "genesis") {
    return std::nullopt;
  }
  return member_text(value.get_object(), "previous");
}

void add_finding(VerifyReport& report, Finding finding) {
  if (!report.findings.empty()) {
    Finding& last = report.findings.back();
    if (last.kind == finding.kind && last.epoch == finding.epoch &&
        last.detail == finding.detail && last.last_seq + 1 == finding.first_seq) {
      last.last_seq = finding.last_seq;
      return;
    }
  }
  if (report.findings.size() == kFindingsMax) {
    ++report.findings_dropped;
    return;
  }
  report.findings.push_back(std::move(finding));
}

void EpochVerifier::find(std::string_view kind, bool damage, std::uint64_t first,
                         std::uint64_t last, std::string detail) {
  add_finding(report_, {std::string(kind), damage, place_.number, first, last, std::move(detail)});
}

std::optional<Hash> EpochVerifier::stored_leaf(std::uint64_t seq) {
  const std::uint64_t begin = seq / kTileWidth * kTileWidth;
  if (tile_.empty() || tile_start_ != begin) {
    tile_start_ = begin;
    tile_.resize(kTileWidth);
    if (!stored_.read(0, begin, tile_)) {
      // A partial tile, or a damaged file: take what is there.
      size_t count = 0;
      while (count < kTileWidth &&
             stored_.read(0, begin + count, std::span(tile_).subspan(count, 1))) {
        ++count;
      }
      tile_.resize(count);
    }
  }
  const std::uint64_t at = seq - begin;
  return at < tile_.size() ? std::optional(tile_[at]) : std::nullopt;
}

void EpochVerifier::meet_roots() {
  while (!expected_.empty() && expected_.back().size == tree_.size()) {
    const ExpectedRoot want = std::move(expected_.back());
    expected_.pop_back();
    if (tree_broken_) continue;
    if (tree_.root() == want.root) {
      met_size_ = want.size;
      continue;
    }
    find("root_changed", true, met_size_, want.size == 0 ? 0 : want.size - 1,
         "the entries don't give the root that " + want.who + " has for size " +
             std::to_string(want.size));
  }
}

void EpochVerifier::add_leaf(const Hash& leaf) {
  if (!tree_broken_) {
    tree_.append(leaf, [this](unsigned level, std::uint64_t index, const Hash& hash) {
      if (level == 0 || (index + 1) << (level * kTileHeight) > signed_size_) return;
      Hash stored{};
      if (stored_.read(level, index, std::span(&stored, 1)) && stored == hash) return;
      find("hashes", true, index << (level * kTileHeight),
           ((index + 1) << (level * kTileHeight)) - 1,
           "the stored tree hash of level " + std::to_string(level) + " is wrong or missing");
    });
  }
  ++next_;
  meet_roots();
  if (options_.progress && next_ % kProgressStep == 0) options_.progress(report_.entries);
}

void EpochVerifier::take_missing(std::uint64_t until, std::string_view kind,
                                 std::string_view why) {
  if (until <= next_) return;
  find(kind, true, next_, until - 1, std::string(why));
  // Stored hashes stand in for the entries, so that what follows can still be judged.
  while (next_ < until && !tree_broken_) {
    const auto stored = next_ < signed_size_ ? stored_leaf(next_) : std::nullopt;
    if (stored) add_leaf(*stored); else tree_broken_ = true;
  }
  next_ = until;
}

void EpochVerifier::take_misplaced(std::uint64_t seq, std::optional<std::uint64_t> following) {
  if (seq > next_ && (!following || *following > seq)) {
    take_missing(seq, "deleted", "they are missing between entries that are there");
    return;
  }
  find("reordered", true, next_, next_,
       "in its place stands entry " + std::to_string(seq));
}

void EpochVerifier::take(std::string_view entry, bool sum_is_good) {
  ++report_.entries;
  report_.entry_bytes += entry.size();
  const Hash leaf = leaf_hash(entry);
  const bool named = stated_seq(entry) == next_;
  std::optional<Hash> stored;
  if (next_ < signed_size_) {
    stored = stored_leaf(next_);
    if (!stored) find("hashes", true, next_, next_, "the stored tree hash is missing");
  }
  if (!sum_is_good) {
    find("damaged", true, next_, next_, "the checksum is wrong");
  } else if (stored && *stored != leaf && named) {
    find("edited", true, next_, next_, "the bytes aren't those whose hash was recorded");
  } else if (!stated_seq(entry)) {
    find("edited", true, next_, next_, "it doesn't begin as an entry must");
  }
  note_statement(entry);
  // With the recorded hash in the tree, the root tells whether the entry or the hash was changed.
  add_leaf(stored ? *stored : leaf);
}

void EpochVerifier::note_statement(std::string_view entry) {
  const bool genesis = next_ == 0 && has_type(entry, "genesis");
  const bool retention = has_type(entry, "retention");
  const bool rotation = has_type(entry, "key_rotate");
  if (!genesis && !retention && !rotation) return;
  std::error_code problem;
  const auto value = boost::json::parse(entry, problem);
  if (problem || !value.is_object()) return;
  const auto& object = value.get_object();
  // The cheap look above may have matched text inside a string.
  const auto type = member_text(object, "type");
  if (genesis && type == "genesis") statements_.previous = member_text(object, "previous");
  if (retention && type == "retention") {
    const auto epoch = member_number(object, "epoch");
    const auto kept = member_number(object, "first_kept");
    if (epoch && kept && *epoch <= kEpochsMax) {
      auto& from = statements_.kept_from[static_cast<unsigned>(*epoch)];
      from = std::max(from, *kept);
    }
  }
  if (rotation && type == "key_rotate" && statements_.rotations.size() < kFindingsMax) {
    const auto vkey = member_text(object, "vkey");
    const auto possession = member_text(object, "possession");
    if (vkey && possession) statements_.rotations.emplace_back(*vkey, *possession);
  }
}

Result<void> EpochVerifier::start_at(std::uint64_t first_seq) {
  first_ = first_seq;
  next_ = first_seq;
  // Roots of what has been removed can still be told where stored hashes above it suffice.
  while (!expected_.empty() && expected_.back().size < first_seq) {
    const ExpectedRoot want = std::move(expected_.back());
    expected_.pop_back();
    const auto root = range_root(stored_, 0, want.size);
    if (root && *root != want.root) {
      find("root_changed", true, 0, want.size - 1,
           "the stored hashes don't give the root that " + want.who + " has");
    }
  }
  if (first_seq == 0) return {};
  find("pruned", false, 0, first_seq - 1, "no longer in the trail");
  if (!tree_.restore(first_seq, stored_)) {
    tree_broken_ = true;
    find("hashes", true, 0, first_seq - 1, "the tree hashes over removed entries are missing");
  }
  meet_roots();
  return {};
}

Result<void> EpochVerifier::walk_segment(const SegmentPlace& place, std::uint64_t end_seq,
                                         bool last) {
  auto file = SegmentFile::open(place.path);
  if (!file || file->header().first_seq != place.first_seq) {
    if (!file && file.error().code != Code::kCorrupt) return std::unexpected(file.error());
    const bool unsigned_tail = last && place.first_seq >= signed_size_;
    if (unsigned_tail) {
      find("torn_tail", false, next_, next_, "a segment that was never finished");
    } else {
      take_missing(last ? signed_size_ : end_seq, "damaged", "the segment's header is damaged");
    }
    return {};
  }
  for (std::uint64_t offset = kSegmentHeaderBytes; next_ < end_seq;) {
    Record record = TRY(file->at(offset));
    if (record.state == RecordState::kEnd) break;
    const bool whole = record.state == RecordState::kWhole;
    if (!whole && last && next_ >= signed_size_) {
      find("torn_tail", false, next_, next_, "an unfinished batch that was not acknowledged");
      return {};
    }
    if (!whole && record.state != RecordState::kBadSum) {
      find("damaged", true, next_, next_,
           "the record's size is damaged, what follows in its segment can't be read");
      break;
    }
    offset += record.size_bytes;
    const auto seq = whole ? stated_seq(record.entry) : std::nullopt;
    if (seq && *seq != next_) {
      const Record after = TRY(file->at(offset));
      take_misplaced(*seq, stated_seq(after.entry));
      record = TRY(file->at(offset - record.size_bytes));
    }
    take(record.entry, whole);
  }
  if (!last) take_missing(end_seq, "deleted", "they are missing at the end of their segment");
  return {};
}

Result<EpochStatements> EpochVerifier::run(std::vector<ExpectedRoot> expected,
                                           std::uint64_t signed_size) {
  signed_size_ = signed_size;
  expected_ = std::move(expected);
  std::ranges::sort(expected_, std::ranges::greater(), &ExpectedRoot::size);
  const auto segments = TRY(list_segments(place_.path));
  TRY(start_at(segments.empty() ? signed_size : segments.front().first_seq));
  meet_roots();
  for (size_t at = 0; at < segments.size(); ++at) {
    const bool last = at + 1 == segments.size();
    TRY(walk_segment(segments[at], last ? UINT64_MAX : segments[at + 1].first_seq, last));
  }
  if (next_ < signed_size_) {
    find("truncated", true, next_, signed_size_ - 1, "they were signed and are gone from the end");
  }
  for (const ExpectedRoot& want : expected_) {
    if (want.size <= next_ || want.size <= signed_size_) continue;
    find("truncated", true, std::max(next_, signed_size_), want.size - 1,
         want.who + " covers entries that are gone from the end");
  }
  if (next_ > signed_size_) {
    find("unsigned_tail", false, signed_size_, next_ - 1, "not under a checkpoint yet");
  }
  return std::move(statements_);
}

}  // namespace coff::trail
