// Crashes, failing disks, kill -9 and rolled-back directories: nothing acknowledged is lost and no
// signed root ever changes.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "trail/crash_fs.hpp"
#include "trail/log.hpp"
#include "trail/test_dir.hpp"
#include "trail/verify.hpp"

namespace coff::trail {
namespace {

/// What had been promised when `ops` changes had been made.
struct Promise {
  size_t ops = 0;
  unsigned epoch = 1;
  std::uint64_t acknowledged = 0;
  std::optional<Checkpoint> signed_tree;
};

struct Story {
  std::vector<Promise> promises;
  std::map<std::pair<unsigned, std::uint64_t>, std::string> entries;
};

// Several batches, rotations of the segment, checkpoints, one change of key.
Story tell(TestFs& fs, const std::string& dir) {
  Story story;
  auto log = Log::open(test_options(dir, &fs)).value();
  const auto promise = [&](std::optional<Checkpoint> tree) {
    story.promises.push_back({fs.ops.size(), log.epoch(), log.durable_size(), std::move(tree)});
  };
  promise({});
  for (int round = 0; round < 9; ++round) {
    for (int at = 0; at < 9; ++at) EXPECT_TRUE(log.append(test_entry(log.size(), 260)));
    EXPECT_TRUE(log.sync().has_value());
    promise({});
    if (round % 3 == 2) promise(log.checkpoint().value().checkpoint);
    if (round == 6) {
      EXPECT_TRUE(log.rotate_key().has_value());
      promise({});
    }
  }
  const auto epochs = list_epochs(dir).value();
  for (const auto& epoch : epochs) {
    auto reader = EpochReader::open(epoch.path).value();
    EXPECT_TRUE(reader.scan(0, UINT64_MAX, [&](const EntryAt& at) {
      story.entries[{epoch.number, at.seq}] = at.entry;
      return true;
    }));
  }
  return story;
}

Hash root_at(EpochReader& reader, std::uint64_t size) {
  CompactRange range;
  EXPECT_TRUE(reader.scan(0, size, [&](const EntryAt& at) {
    range.append(leaf_hash(at.entry));
    return true;
  }));
  EXPECT_EQ(range.size(), size);
  return range.root();
}

void check_promises(const std::string& dir, const Story& story, size_t ops) {
  for (const Promise& promise : story.promises) {
    if (promise.ops > ops) break;
    auto reader = EpochReader::open(dir + "/" + epoch_name(promise.epoch));
    ASSERT_TRUE(reader.has_value()) << reader.error().message();
    for (std::uint64_t seq = 0; seq < promise.acknowledged; ++seq) {
      const auto entry = reader->entry(seq);
      ASSERT_TRUE(entry.has_value()) << "acknowledged entry " << seq << " is lost";
      const auto& want = story.entries.at({promise.epoch, seq});
      ASSERT_EQ(*entry, want);
    }
    if (promise.signed_tree) {
      ASSERT_EQ(root_at(*reader, promise.signed_tree->size), promise.signed_tree->root);
    }
  }
}

TEST(Crash, EveryPrefixOfEveryTraceRecovers) {
  const TestDir dir;
  TestFs fs;
  fs.record = true;
  const std::string root = dir.path() + "/original";
  const Story story = tell(fs, root);
  ASSERT_GT(fs.ops.size(), 100U);
  CrashDisk disk(root);
  std::mt19937 random(7);
  int cases = 0;
  for (size_t ops = 0; ops <= fs.ops.size(); ++ops) {
    if (ops > 0) disk.apply(fs.ops[ops - 1]);
    for (int variant = 0; variant < 7; ++variant) {
      const auto loss = static_cast<CrashDisk::Loss>(std::min(variant, 3));
      const std::string crashed = dir.path() + "/crashed";
      std::filesystem::remove_all(crashed);
      disk.materialise(crashed, loss, random);
      TestFs after;
      auto log = Log::open(test_options(crashed, &after));
      ASSERT_TRUE(log.has_value())
          << "ops " << ops << " variant " << variant << ": " << log.error().message();
      ASSERT_NO_FATAL_FAILURE(check_promises(crashed, story, ops))
          << "ops " << ops << " variant " << variant;
      // Going on with other entries must agree with everything signed before.
      ASSERT_TRUE(log->append(test_entry(9999)));
      const auto signed_tree = log->checkpoint();
      ASSERT_TRUE(signed_tree.has_value()) << signed_tree.error().message();
      const auto report = verify_trail(crashed, {});
      ASSERT_TRUE(report.has_value() && report->ok())
          << "ops " << ops << " variant " << variant << ": " << report->findings.back().kind << " "
          << report->findings.back().detail;
      ++cases;
    }
  }
  EXPECT_GT(cases, 700);
}

// Each change fails once, in turn: the log reports it, goes on, and keeps its promises.
TEST(Crash, EveryChangeFailingOnceIsSurvived) {
  size_t total = 0;
  for (const int error : {EIO, ENOSPC}) {
    for (size_t failing = 0;; ++failing) {
      const TestDir dir;
      TestFs fs;
      auto log = Log::open(test_options(dir.path(), &fs)).value();
      size_t count = 0;
      fs.fault = [&](const FsOp&) { return count++ == failing ? error : 0; };
      std::uint64_t acknowledged = log.durable_size();
      std::map<std::uint64_t, Hash> roots;
      for (int round = 0; round < 10; ++round) {
        for (int at = 0; at < 9; ++at) ASSERT_TRUE(log.append(test_entry(log.size(), 260)));
        if (log.sync()) acknowledged = log.durable_size();
        const auto tree = log.checkpoint();
        if (tree) roots[tree->checkpoint.size] = tree->checkpoint.root;
      }
      const auto last = log.checkpoint();
      ASSERT_TRUE(last.has_value()) << failing << ": " << last.error().message();
      ASSERT_GE(log.durable_size(), acknowledged);
      for (const auto& [size, root] : roots) ASSERT_EQ(root_at(log.reader(), size), root);
      const auto report = verify_trail(dir.path(), {});
      ASSERT_TRUE(report.has_value() && report->ok())
          << failing << ": " << report->findings.back().kind << report->findings.back().detail;
      ++total;
      if (failing >= count) break;
    }
  }
  EXPECT_GT(total, 100U);
}

TEST(Crash, ShortWritesAreContinued) {
  const TestDir dir;
  TestFs fs;
  std::mt19937 random(3);
  fs.fault = [&](const FsOp& op) {
    return op.kind == FsOp::Kind::kWrite ? -1 - static_cast<int>(random() % 40) : 0;
  };
  const Story story = tell(fs, dir.path());
  check_promises(dir.path(), story, 0);
  EXPECT_TRUE(verify_trail(dir.path(), {})->ok());
}

TEST(Crash, AFullDiskIsBackPressureAndThenGoesOn) {
  const TestDir dir;
  TestFs fs;
  auto log = Log::open(test_options(dir.path(), &fs)).value();
  bool full = true;
  fs.fault = [&](const FsOp& op) { return full && op.kind == FsOp::Kind::kWrite ? ENOSPC : 0; };
  ASSERT_TRUE(log.append(test_entry(1)));
  const auto refused = log.sync();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().os_errno, ENOSPC);
  EXPECT_TRUE(log.disk_full());
  EXPECT_EQ(log.durable_size(), 1U);
  full = false;
  ASSERT_TRUE(log.append(test_entry(2)));
  ASSERT_TRUE(log.checkpoint().has_value());
  EXPECT_EQ(log.signed_size(), 3U);
  EXPECT_TRUE(verify_trail(dir.path(), {})->ok());
}

TEST(Crash, AFailedSyncIsNeverTriedAgainOnTheSameFile) {
  const TestDir dir;
  TestFs fs;
  auto log = Log::open(test_options(dir.path(), &fs)).value();
  std::string failed_path;
  int later_syncs = 0;
  fs.fault = [&](const FsOp& op) {
    if (op.kind != FsOp::Kind::kSync || !op.path.contains("/segments/")) return 0;
    if (failed_path.empty()) {
      failed_path = op.path;
      return EIO;
    }
    later_syncs += op.path == failed_path ? 1 : 0;
    return 0;
  };
  ASSERT_TRUE(log.append(test_entry(1)));
  ASSERT_TRUE(log.sync().has_value());
  EXPECT_EQ(later_syncs, 0);
  EXPECT_EQ(log.durable_size(), 3U);
  EXPECT_TRUE(log.reader().entry(2)->contains("\"reason\":\"sync_failed\""));
  ASSERT_TRUE(log.checkpoint().has_value());
  EXPECT_TRUE(verify_trail(dir.path(), {})->ok());
}

// A child appends and tells what is acknowledged; kill -9 at any moment loses none of it.
TEST(Crash, KillNineLosesNothingAcknowledged) {
  const TestDir dir;
  for (int round = 0; round < 15; ++round) {
    int pipe_ends[2];
    ASSERT_EQ(::pipe(pipe_ends), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(pipe_ends[0]);
      auto log = Log::open(test_options(dir.path()));
      if (!log) ::_exit(1);
      for (int batch = 0;; ++batch) {
        for (int at = 0; at < 5; ++at) (void)log->append(test_entry(log->size()));
        if (!log->sync() || (batch % 3 == 0 && !log->checkpoint())) ::_exit(2);
        const std::uint64_t acknowledged = log->durable_size();
        if (::write(pipe_ends[1], &acknowledged, sizeof acknowledged) < 0) ::_exit(3);
      }
    }
    ::close(pipe_ends[1]);
    std::uint64_t acknowledged = 0;
    std::uint64_t told = 0;
    for (int wait = 0; wait < 2 + round && ::read(pipe_ends[0], &told, sizeof told) > 0; ++wait) {
      acknowledged = told;
    }
    ::usleep(static_cast<useconds_t>(round * 137));
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child failed by itself: " << WEXITSTATUS(status);
    while (::read(pipe_ends[0], &told, sizeof told) > 0) acknowledged = told;
    ::close(pipe_ends[0]);
    auto log = Log::open(test_options(dir.path()));
    ASSERT_TRUE(log.has_value()) << log.error().message();
    ASSERT_GE(log->durable_size(), acknowledged);
    ASSERT_GT(acknowledged, 0U);
    ASSERT_TRUE(log->checkpoint().has_value());
  }
  EXPECT_TRUE(verify_trail(dir.path(), {})->ok());
}

}  // namespace
}  // namespace coff::trail
