// Reading one epoch of a trail: its entries, its checkpoints, its proofs.
#include "trail/reader.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "trail/log.hpp"

namespace coff::trail {

namespace {

// A look-up reads at most this many records to find one.
constexpr std::uint64_t kSparseStep = 64;
constexpr size_t kOpenSegmentsMax = 8;
constexpr std::string_view kEpochPrefix = "epoch-";
constexpr size_t kEpochDigits = 6;

Result<std::vector<std::string>> list_names(const std::string& dir, size_t count_max) {
  std::error_code problem;
  std::vector<std::string> names;
  std::filesystem::directory_iterator at(dir, problem);
  for (const std::filesystem::directory_iterator end; !problem && at != end;
       at.increment(problem)) {
    if (names.size() == count_max) return fail(Code::kLimit, dir + " holds too many files");
    names.push_back(at->path().filename().string());
  }
  if (problem) {
    errno = problem.value();
    return fail_errno("cannot list " + dir);
  }
  std::ranges::sort(names);
  return names;
}

std::string path_in(std::string dir, std::string_view name) {
  dir += '/';
  dir += name;
  return dir;
}

Result<SignedCheckpoint> read_checkpoint(const std::string& path) {
  const std::string note = TRY(read_file(path, kNoteBytesMax));
  auto checkpoint = SignedCheckpoint::parse(note);
  if (!checkpoint) checkpoint.error().what = path + ": " + checkpoint.error().what;
  return checkpoint;
}

}  // namespace

std::string epoch_name(unsigned number) {
  std::string digits = std::to_string(number);
  digits.insert(0, digits.size() < kEpochDigits ? kEpochDigits - digits.size() : 0, '0');
  return std::string(kEpochPrefix) + digits;
}

Result<std::vector<EpochPlace>> list_epochs(const std::string& dir) {
  std::vector<EpochPlace> epochs;
  for (const std::string& name : TRY(list_names(dir, kEpochsMax))) {
    if (!name.starts_with(kEpochPrefix)) continue;
    std::string_view digits = std::string_view(name).substr(kEpochPrefix.size());
    while (digits.size() > 1 && digits[0] == '0') digits.remove_prefix(1);
    const auto number = parse_decimal(digits);
    // An epoch that a crash left half made has another name (".new").
    if (!number || *number == 0 || *number > kEpochsMax ||
        name != epoch_name(static_cast<unsigned>(*number))) {
      continue;
    }
    epochs.push_back({static_cast<unsigned>(*number), path_in(dir, name)});
  }
  return epochs;
}

Result<std::vector<SegmentPlace>> list_segments(const std::string& epoch_dir) {
  const std::string dir = epoch_dir + "/" + std::string(kSegmentDir);
  std::vector<SegmentPlace> segments;
  for (const std::string& name : TRY(list_names(dir, kSegmentsMax))) {
    const auto number = segment_number(name);
    if (number) segments.push_back({*number, path_in(dir, name)});
  }
  return segments;
}

Result<EpochReader> EpochReader::open(const std::string& epoch_dir) {
  EpochReader reader;
  reader.dir_ = epoch_dir;
  reader.hashes_ = std::make_unique<HashReader>(epoch_dir + "/" + std::string(kHashDir));
  TRY(reader.refresh());
  return reader;
}

Result<void> EpochReader::refresh() {
  segments_ = TRY(list_segments(dir_));
  open_.clear();
  hashes_->forget();
  return {};
}

std::uint64_t EpochReader::first_seq() const {
  return segments_.empty() ? 0 : segments_.front().first_seq;
}

Result<EpochReader::OpenSegment*> EpochReader::segment_of(std::uint64_t seq) {
  auto after = std::ranges::upper_bound(segments_, seq, {}, &SegmentPlace::first_seq);
  if (after == segments_.begin()) {
    return fail(Code::kNotFound, "entry " + std::to_string(seq) + " is no longer in the trail");
  }
  const SegmentPlace& place = *std::prev(after);
  auto found = open_.find(place.first_seq);
  if (found == open_.end()) {
    if (open_.size() >= kOpenSegmentsMax) {
      open_.erase(std::ranges::min_element(open_, {},
                                           [](const auto& item) { return item.second.last_used; }));
    }
    OpenSegment segment{TRY(SegmentFile::open(place.path)), UINT64_MAX, {}, 0};
    if (segment.file.header().first_seq != place.first_seq) {
      return fail(Code::kCorrupt, place.path + ": the name contradicts the header");
    }
    if (after != segments_.end()) segment.end_seq = after->first_seq;
    segment.sparse.push_back(kSegmentHeaderBytes);
    found = open_.emplace(place.first_seq, std::move(segment)).first;
  } else {
    TRY(found->second.file.refresh());
  }
  found->second.last_used = ++use_count_;
  return &found->second;
}

Result<std::uint64_t> EpochReader::seek(OpenSegment& segment, std::uint64_t seq,
                                        std::uint64_t hint) {
  if (hint >= kSegmentHeaderBytes) {
    const Record record = TRY(segment.file.at(hint));
    const std::string prefix = "{\"v\":1,\"seq\":" + std::to_string(seq) + ",";
    if (record.state == RecordState::kWhole && record.entry.starts_with(prefix)) return hint;
  }
  const std::uint64_t first = segment.file.header().first_seq;
  const std::uint64_t step =
      std::min<std::uint64_t>((seq - first) / kSparseStep, segment.sparse.size() - 1);
  std::uint64_t offset = segment.sparse[step];
  for (std::uint64_t at = first + step * kSparseStep; at < seq;) {
    const Record record = TRY(segment.file.at(offset));
    if (record.state != RecordState::kWhole) {
      return fail(record.state == RecordState::kEnd ? Code::kNotFound : Code::kCorrupt,
                  "entry " + std::to_string(at) + " is not there or damaged");
    }
    offset += record.size_bytes;
    if (++at == first + segment.sparse.size() * kSparseStep) segment.sparse.push_back(offset);
  }
  return offset;
}

Result<std::uint64_t> EpochReader::end_seq() {
  if (end_seq_ != UINT64_MAX) return end_seq_;
  if (segments_.empty()) return 0;
  std::uint64_t seq = segments_.back().first_seq;
  OpenSegment& segment = *TRY(segment_of(UINT64_MAX));
  seq += (segment.sparse.size() - 1) * kSparseStep;
  std::uint64_t offset = segment.sparse.back();
  for (;;) {
    const Record record = TRY(segment.file.at(offset));
    if (record.state != RecordState::kWhole) return seq;
    offset += record.size_bytes;
    if (++seq == segments_.back().first_seq + segment.sparse.size() * kSparseStep) {
      segment.sparse.push_back(offset);
    }
  }
}

Result<std::string> EpochReader::entry(std::uint64_t seq) {
  std::optional<std::string> found;
  TRY(scan(seq, seq + 1, [&](const EntryAt& at) {
    found = std::string(at.entry);
    return false;
  }));
  if (!found) {
    return fail(Code::kNotFound, "entry " + std::to_string(seq) + " is not in the trail yet");
  }
  return std::move(*found);
}

Result<void> EpochReader::scan(std::uint64_t from, std::uint64_t to,
                               const std::function<bool(const EntryAt&)>& visit,
                               std::uint64_t offset_hint) {
  to = std::min(to, end_seq_);
  while (from < to) {
    OpenSegment& segment = *TRY(segment_of(from));
    auto start = seek(segment, from, std::exchange(offset_hint, 0));
    if (!start && start.error().code == Code::kNotFound && segment.end_seq == UINT64_MAX) return {};
    std::uint64_t offset = TRY(std::move(start));
    const std::uint64_t first = segment.file.header().first_seq;
    for (const std::uint64_t end = std::min(to, segment.end_seq); from < end; ++from) {
      const Record record = TRY(segment.file.at(offset));
      if (record.state != RecordState::kWhole) {
        // Behind the newest segment's last whole record a writer may be at work.
        const bool last = offset + record.size_bytes >= segment.file.size_bytes();
        if (segment.end_seq == UINT64_MAX && (last || record.state != RecordState::kBadSum)) {
          return {};
        }
        return fail(Code::kCorrupt, "entry " + std::to_string(from) + " is damaged or missing");
      }
      if (!visit({from, first, offset, record.entry})) return {};
      offset += record.size_bytes;
    }
  }
  return {};
}

Result<VerifierKey> EpochReader::key() const {
  std::string vkey = TRY(read_file(dir_ + "/" + std::string(kVkeyFile), 4096));
  while (!vkey.empty() && vkey.back() == '\n') vkey.pop_back();
  return VerifierKey::parse(vkey);
}

Result<SignedCheckpoint> EpochReader::checkpoint() const {
  return read_checkpoint(dir_ + "/" + std::string(kCheckpointFile));
}

Result<SignedCheckpoint> EpochReader::witnessed() const {
  return read_checkpoint(dir_ + "/" + std::string(kWitnessedFile));
}

}  // namespace coff::trail
