// File systems for tests: one that fails or writes short on demand, one that records every change
// and can rebuild the disk as any crash may have left it.
#pragma once

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "trail/fs.hpp"

namespace coff::trail {

/// One change as the trail asked for it.
struct FsOp {
  enum class Kind : unsigned char {
    kCreate,
    kWrite,
    kSync,
    kTruncate,
    kRename,
    kUnlink,
    kMakeDirectory,
    kSyncDirectory
  };
  Kind kind = Kind::kWrite;
  std::string path;
  std::string target;  ///< Of a rename.
  std::uint64_t offset = 0;
  std::string bytes;
};

/// Passes changes on to the real file system, after asking `fault`. Never really syncs.
class TestFs : public Fs {
 public:
  /// Called before each change; an errno makes it fail, 0 lets it pass. A negative number makes a
  /// write short by leaving only that many bytes (at least one).
  std::function<int(const FsOp&)> fault;
  std::vector<FsOp> ops;
  bool record = false;

  Result<std::unique_ptr<FsFile>> open(const std::string& path, Mode mode,
                                       unsigned permissions) override {
    if (mode != Mode::kOpen && !std::filesystem::exists(path)) {
      TRY(ask({FsOp::Kind::kCreate, path, {}, 0, {}}));
    }
    auto real = TRY(real_fs().open(path, mode, permissions));
    return std::make_unique<File>(*this, path, std::move(real));
  }
  Result<void> rename(const std::string& from, const std::string& to) override {
    TRY(ask({FsOp::Kind::kRename, from, to, 0, {}}));
    return real_fs().rename(from, to);
  }
  Result<void> unlink(const std::string& path) override {
    TRY(ask({FsOp::Kind::kUnlink, path, {}, 0, {}}));
    return real_fs().unlink(path);
  }
  Result<void> make_directory(const std::string& path, unsigned permissions) override {
    TRY(ask({FsOp::Kind::kMakeDirectory, path, {}, 0, {}}));
    return real_fs().make_directory(path, permissions);
  }
  Result<void> sync_directory(const std::string& path) override {
    return ask({FsOp::Kind::kSyncDirectory, path, {}, 0, {}});
  }

 private:
  class File : public FsFile {
   public:
    File(TestFs& fs, std::string path, std::unique_ptr<FsFile> real)
        : fs_(fs), path_(std::move(path)), real_(std::move(real)) {}
    Result<size_t> write(std::string_view bytes, std::uint64_t offset) override {
      FsOp op{FsOp::Kind::kWrite, path_, {}, offset, std::string(bytes)};
      const int answer = fs_.fault ? fs_.fault(op) : 0;
      if (answer < 0) op.bytes.resize(std::min(op.bytes.size(), static_cast<size_t>(-answer)));
      if (answer > 0) return failed(answer, path_);
      if (fs_.record) fs_.ops.push_back(op);
      return real_->write(op.bytes, offset);
    }
    Result<void> sync() override { return fs_.ask({FsOp::Kind::kSync, path_, {}, 0, {}}); }
    Result<void> truncate(std::uint64_t size) override {
      TRY(fs_.ask({FsOp::Kind::kTruncate, path_, {}, size, {}}));
      return real_->truncate(size);
    }
    Result<void> allocate(std::uint64_t) override { return {}; }

   private:
    TestFs& fs_;
    std::string path_;
    std::unique_ptr<FsFile> real_;
  };

  static std::unexpected<Error> failed(int number, const std::string& path) {
    errno = number;
    return fail_errno("test fault at " + path);
  }
  Result<void> ask(FsOp op) {
    const int answer = fault ? fault(op) : 0;
    if (answer > 0) return failed(answer, op.path);
    if (record) ops.push_back(std::move(op));
    return {};
  }
};

/// A disk with what is durable and what is not yet, fed with recorded changes.
class CrashDisk {
 public:
  explicit CrashDisk(std::string root) : root_(std::move(root)) { dirs_[0] = {}; }

  void apply(const FsOp& op) {
    const auto [dir, name] = locate(op.path);
    switch (op.kind) {
      case FsOp::Kind::kMakeDirectory:
        if (op.path == root_ || now(dir).contains(name)) return;
        [[fallthrough]];
      case FsOp::Kind::kCreate: {
        const int node = ++last_node_;
        if (op.kind == FsOp::Kind::kMakeDirectory) dirs_[node] = {};
        else files_[node] = {};
        change(dir, {name, node, {}});
        return;
      }
      case FsOp::Kind::kRename:
        change(dir, {locate(op.target).second, now(dir).at(name), name});
        return;
      case FsOp::Kind::kUnlink: change(dir, {name, -1, {}}); return;
      case FsOp::Kind::kSyncDirectory: {
        Dir& self = dirs_.at(op.path == root_ ? 0 : now(dir).at(name));
        self.durable = self.now;
        self.pending.clear();
        return;
      }
      default: break;
    }
    File& file = files_.at(now(dir).at(name));
    if (op.kind == FsOp::Kind::kSync) {
      for (const FsOp& write : file.pending) put(file.durable, write, write.bytes.size());
      file.pending.clear();
    } else {
      file.pending.push_back(op);
    }
  }

  enum class Loss : unsigned char { kNothing, kEverything, kDataOnly, kRandom };

  /// Writes what a crash leaves into an empty directory.
  void materialise(const std::string& target, Loss loss, std::mt19937& random) const {
    build(0, target, loss, random);
  }

 private:
  struct Link {
    std::string name;
    int node = -1;         ///< -1: removed.
    std::string old_name;  ///< Of a rename.
  };
  struct Dir {
    std::map<std::string, int> now;
    std::map<std::string, int> durable;
    std::vector<Link> pending;
  };
  struct File {
    std::string durable;
    std::vector<FsOp> pending;
  };

  std::map<std::string, int>& now(int dir) { return dirs_.at(dir).now; }

  std::pair<int, std::string> locate(const std::string& path) {
    if (path == root_) return {0, {}};
    int dir = 0;
    std::string rest = path.substr(root_.size() + 1);
    for (size_t slash = 0; (slash = rest.find('/')) != std::string::npos;) {
      dir = now(dir).at(rest.substr(0, slash));
      rest = rest.substr(slash + 1);
    }
    return {dir, rest};
  }
  static void link(std::map<std::string, int>& names, const Link& change) {
    if (!change.old_name.empty()) names.erase(change.old_name);
    if (change.node < 0) names.erase(change.name);
    else names[change.name] = change.node;
  }
  void change(int dir, const Link& change) {
    link(now(dir), change);
    dirs_.at(dir).pending.push_back(change);
  }
  static void put(std::string& content, const FsOp& op, size_t bytes) {
    if (op.kind == FsOp::Kind::kTruncate) {
      content.resize(op.offset);
      return;
    }
    if (content.size() < op.offset + bytes) content.resize(op.offset + bytes);
    content.replace(op.offset, bytes, op.bytes, 0, bytes);
  }

  void build(int node, const std::string& target, Loss loss, std::mt19937& random) const {
    std::filesystem::create_directories(target);
    const Dir& dir = dirs_.at(node);
    std::map<std::string, int> names = dir.durable;
    // Names change in order; a crash keeps a beginning of the changes.
    size_t kept = dir.pending.size();
    if (loss == Loss::kEverything) kept = 0;
    if (loss == Loss::kRandom) kept = random() % (kept + 1);
    for (size_t at = 0; at < kept; ++at) link(names, dir.pending[at]);
    for (const auto& [name, child] : names) {
      const std::string path = target + "/" + name;
      if (dirs_.contains(child)) build(child, path, loss, random);
      else std::ofstream(path, std::ios::binary) << content(files_.at(child), loss, random);
    }
  }

  // Data not synced may be there, be missing, or be there in part; a hole reads as zeroes.
  static std::string content(const File& file, Loss loss, std::mt19937& random) {
    std::string content = file.durable;
    for (const FsOp& op : file.pending) {
      if (loss == Loss::kEverything || loss == Loss::kDataOnly) break;
      if (loss == Loss::kNothing) {
        put(content, op, op.bytes.size());
        continue;
      }
      const auto choice = random() % 4;
      if (choice == 0) continue;
      const size_t bytes = choice == 1 ? random() % (op.bytes.size() + 1) : op.bytes.size();
      if (choice == 2 && op.kind == FsOp::Kind::kWrite) {
        // The size grew, the bytes never came.
        if (content.size() < op.offset + bytes) content.resize(op.offset + bytes);
        continue;
      }
      put(content, op, bytes);
    }
    return content;
  }

  std::string root_;
  int last_node_ = 0;
  std::map<int, Dir> dirs_;
  std::map<int, File> files_;
};

}  // namespace coff::trail
