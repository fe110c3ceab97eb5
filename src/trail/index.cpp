// The search index over a trail: the thread that keeps it up to date, and rebuilding.
#include "trail/index.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "trail/index_writer.hpp"

namespace coff::trail {

namespace {

// Fewer entries than a batch wait this long for company: a commit costs as much as 100 of them.
constexpr auto kGatherTime = std::chrono::seconds(1);
// After a failure the index tries again this often.
constexpr auto kRetryTime = std::chrono::seconds(5);

void remove_index(const std::string& path) {
  for (const char* suffix : {"", "-wal", "-shm"}) ::unlink((path + suffix).c_str());
}

/// Follows the epochs of one trail into an index file.
class IndexRun {
 public:
  static Result<IndexRun> open(const std::string& dir, const std::string& path) {
    IndexRun run;
    run.dir_ = dir;
    auto opened = run.open_writer(path);
    if (!opened && opened.error().code == Code::kCorrupt) {
      log_warning("trail", "the index is begun anew: " + opened.error().message());
      run.writer_.reset();
      remove_index(path);
      opened = run.open_writer(path);
    }
    TRY(std::move(opened));
    return run;
  }

  [[nodiscard]] std::uint64_t next() const { return next_; }
  /// True when the last step failed because of the index file itself.
  [[nodiscard]] bool is_damaged() const { return writer_->is_damaged(); }

  /// Indexes one batch before `end`; false when nothing is left.
  Result<bool> step(std::uint64_t end) {
    if (!reader_ || reader_epoch_ != epoch_of(next_) || next_ >= epoch_end_) {
      if (!TRY(find_epoch(end))) return false;
    }
    const std::uint64_t seq = seq_of(next_);
    const std::uint64_t until = std::min(epoch_end_, end) - position_of(reader_epoch_, 0);
    const std::uint64_t reached = TRY(writer_->add_batch(*reader_, reader_epoch_, seq, until));
    next_ = position_of(reader_epoch_, reached);
    if (reached == seq) epoch_end_ = next_;  // Shorter than was said: damage, go on behind it.
    return reached > seq;
  }

 private:
  Result<void> open_writer(const std::string& path) {
    writer_ = TRY(IndexWriter::open(path));
    next_ = TRY(writer_->end_position());
    return {};
  }

  // Moves to the epoch that holds the next entry; false when there is none yet.
  Result<bool> find_epoch(std::uint64_t end) {
    const auto epochs = TRY(list_epochs(dir_));
    TRY(drop_removed(epochs));
    for (const EpochPlace& epoch : epochs) {
      if (epoch.number < epoch_of(next_) || position_of(epoch.number, 0) >= end) continue;
      auto reader = TRY(EpochReader::open(epoch.path));
      const std::uint64_t first = position_of(epoch.number, reader.first_seq());
      const bool newest = epoch.number == epoch_of(end - 1);
      const std::uint64_t stop = newest ? end : position_of(epoch.number, TRY(reader.end_seq()));
      if (epoch.number != epoch_of(next_)) next_ = position_of(epoch.number, 0);
      next_ = std::max(next_, first);
      if (next_ >= stop) continue;
      reader_ = std::move(reader);
      reader_epoch_ = epoch.number;
      epoch_end_ = stop;
      return true;
    }
    return false;
  }

  // Forgets what left the trail since the last time.
  Result<void> drop_removed(const std::vector<EpochPlace>& epochs) {
    for (const EpochPlace& epoch : epochs) {
      const auto segments = TRY(list_segments(epoch.path));
      if (segments.empty()) continue;
      const std::uint64_t oldest = position_of(epoch.number, segments.front().first_seq);
      if (oldest > oldest_) TRY(writer_->drop_before(oldest));
      oldest_ = oldest;
      return {};
    }
    return {};
  }

  std::string dir_;
  std::optional<IndexWriter> writer_;
  std::optional<EpochReader> reader_;
  unsigned reader_epoch_ = 0;
  std::uint64_t epoch_end_ = 0;  ///< Position behind the last entry of the reader's epoch.
  std::uint64_t next_ = 0;
  std::uint64_t oldest_ = 0;  ///< Position of the oldest entry of the trail, when last looked.
};

}  // namespace

Result<std::unique_ptr<Index>> Index::open(const std::string& dir) {
  std::unique_ptr<Index> index(new Index(dir));
  index->thread_ =
      std::jthread([raw = index.get()](const std::stop_token& stop) noexcept { raw->run(stop); });
  return index;
}

Index::~Index() {
  thread_.request_stop();
  changed_.notify_all();
}

void Index::announce(unsigned epoch, std::uint64_t durable_size) {
  const std::uint64_t position = position_of(epoch, durable_size);
  {
    const std::lock_guard lock(mutex_);
    if (position <= wanted_) return;
    wanted_ = position;
    if (waiting_since_ == 0 && wanted_ > done_) waiting_since_ = boot_now_ns();
  }
  changed_.notify_all();
}

IndexLag Index::lag() const {
  const std::lock_guard lock(mutex_);
  IndexLag lag;
  lag.problem = problem_;
  if (wanted_ <= done_) return lag;
  // Across epochs the distance isn't a number of entries: then the newest epoch's count is told.
  lag.entries = epoch_of(done_) == epoch_of(wanted_) ? wanted_ - done_ : seq_of(wanted_);
  if (waiting_since_ != 0) lag.oldest_ns = boot_now_ns() - waiting_since_;
  return lag;
}

bool Index::wait(std::int64_t timeout_ms) {
  std::unique_lock lock(mutex_);
  const std::uint64_t goal = wanted_;
  ++waiters_;
  changed_.notify_all();
  const bool reached =
      changed_.wait_for(lock, std::chrono::milliseconds(timeout_ms), [&] { return done_ >= goal; });
  --waiters_;
  return reached;
}

void Index::run(const std::stop_token& stop) {
  const std::string path = dir_ + "/" + std::string(kIndexFile);
  std::optional<IndexRun> run;
  while (!stop.stop_requested()) {
    std::uint64_t goal = 0;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, stop, [&] { return wanted_ > done_; });
      // The first time there is an index to be made, and maybe much to catch up with.
      if (run) {
        changed_.wait_for(lock, stop, kGatherTime,
                          [&] { return wanted_ >= done_ + kIndexBatchMax || waiters_ > 0; });
      }
      goal = wanted_;
    }
    if (stop.stop_requested()) return;
    Result<bool> more = true;
    if (!run) {
      auto opened = IndexRun::open(dir_, path);
      if (opened) run = std::move(*opened);
      else more = std::unexpected(opened.error());
    }
    while (run && more && *more && !stop.stop_requested()) {
      more = run->step(goal);
      const std::lock_guard lock(mutex_);
      done_ = more && !*more ? std::max(goal, run->next()) : run->next();
      if (done_ >= wanted_) waiting_since_ = 0;
    }
    changed_.notify_all();
    std::unique_lock lock(mutex_);
    problem_ = more ? std::string() : more.error().message();
    if (more) continue;
    log_error("trail", "the index stands still: " + problem_);
    // A damaged file does not mend itself; opening it may not even notice.
    if (run && run->is_damaged()) remove_index(path);
    run.reset();
    changed_.wait_for(lock, stop, kRetryTime, [] { return false; });
  }
}

Result<std::uint64_t> rebuild_index(const std::string& dir,
                                    const std::function<void(std::uint64_t)>& progress) {
  const auto epochs = TRY(list_epochs(dir));
  if (epochs.empty()) return fail(Code::kNotFound, "there is no trail in " + dir);
  const Fd lock = TRY(open_file(dir + "/lock", O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    return fail(Code::kBusy, "the agent is writing this trail; stop it before rebuilding");
  }
  const std::string path = dir + "/" + std::string(kIndexFile);
  remove_index(path + ".new");
  std::uint64_t entries = 0;
  {
    auto run = TRY(IndexRun::open(dir, path + ".new"));
    auto last = TRY(EpochReader::open(epochs.back().path));
    const std::uint64_t end = position_of(epochs.back().number, TRY(last.end_seq()));
    for (std::uint64_t before = run.next(); TRY(run.step(end)); before = run.next()) {
      entries +=
          epoch_of(before) == epoch_of(run.next()) ? run.next() - before : seq_of(run.next());
      if (progress) progress(entries);
    }
  }
  remove_index(path);
  if (::rename((path + ".new").c_str(), path.c_str()) != 0) {
    return fail_errno("cannot put the new index in place");
  }
  return entries;
}

}  // namespace coff::trail
