// Retention: lets the oldest segments go by size and age, on the record, and keeps the tree whole.
#include "trail/retention.hpp"

#include <filesystem>

#include "trail/reader.hpp"
#include "trail/segment.hpp"

namespace coff::trail {

namespace {

struct OldSegment {
  unsigned epoch = 0;
  std::uint64_t first_seq = 0;
  std::uint64_t end_seq = 0;
  std::uint64_t bytes = 0;
  std::int64_t ended_wall_ns = 0;  ///< When the next segment began: nothing in it is younger.
};

// All segments but the newest, oldest first.
Result<std::vector<OldSegment>> old_segments(const std::string& dir, std::uint64_t& total_bytes) {
  std::vector<OldSegment> segments;
  for (const EpochPlace& epoch : TRY(list_epochs(dir))) {
    auto reader = TRY(EpochReader::open(epoch.path));
    const auto places = TRY(list_segments(epoch.path));
    for (size_t at = 0; at < places.size(); ++at) {
      std::error_code problem;
      OldSegment segment{epoch.number, places[at].first_seq, 0, 0, 0};
      segment.bytes = std::filesystem::file_size(places[at].path, problem);
      if (problem) return fail(Code::kIo, places[at].path + ": " + problem.message());
      const auto file = TRY(SegmentFile::open(places[at].path));
      if (!segments.empty()) segments.back().ended_wall_ns = file.header().created_wall_ns;
      segment.end_seq = at + 1 < places.size() ? places[at + 1].first_seq : TRY(reader.end_seq());
      total_bytes += segment.bytes;
      segments.push_back(segment);
    }
  }
  if (!segments.empty()) segments.pop_back();
  return segments;
}

}  // namespace

Result<std::vector<Removal>> apply_retention(Log& log, const RetentionLimits& limits,
                                             std::int64_t now_wall_ns) {
  TRY(log.checkpoint());
  std::uint64_t total_bytes = 0;
  std::vector<Removal> removals;
  for (const OldSegment& segment : TRY(old_segments(log.dir(), total_bytes))) {
    const bool too_much = limits.bytes_max > 0 && total_bytes > limits.bytes_max;
    const bool too_old = limits.age_max_ns > 0 && segment.ended_wall_ns != 0 &&
                         now_wall_ns - segment.ended_wall_ns > limits.age_max_ns;
    if (!too_much && !too_old) break;
    if (removals.empty() || removals.back().epoch != segment.epoch) {
      removals.push_back({segment.epoch, segment.first_seq, 0, 0, too_much ? "size" : "age"});
    }
    removals.back().first_kept = segment.end_seq;
    removals.back().bytes += segment.bytes;
    total_bytes -= segment.bytes;
  }
  if (removals.empty()) return removals;
  for (const Removal& removal : removals) TRY(log.append(retention_entry(removal)));
  TRY(log.checkpoint());
  for (const Removal& removal : removals) {
    TRY(log.drop_before(removal.epoch, removal.first_kept));
  }
  return removals;
}

}  // namespace coff::trail
