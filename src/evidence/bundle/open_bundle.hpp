// An evidence bundle while it is collected: items with their hashes, the order, and the gaps.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "evidence/bundle/custody.hpp"
#include "evidence/digest.hpp"

namespace coff::evidence {

inline constexpr std::string_view kOrderFile = "meta/order.jsonl";
inline constexpr std::string_view kGapsFile = "meta/gaps.jsonl";
/// Gaps of one collector that are listed one by one; the rest is counted in one line.
inline constexpr std::uint64_t kGapsOfStepMax = 2000;
/// Items of one bundle at most.
inline constexpr std::size_t kItemsMax = 200'000;

/// A finished file of the bundle.
struct Item {
  std::string path;  ///< In the bundle; made of our own words and numbers alone.
  std::uint64_t size_bytes = 0;
  Hash sha256{};
};

class OpenBundle;

/// One file that is being written. Bytes are hashed as they pass. Without finish() the file goes
/// away again.
class ItemWriter {
 public:
  ItemWriter(ItemWriter&&) = default;
  ItemWriter& operator=(ItemWriter&&) = delete;
  ~ItemWriter();
  /// kLimit once the bundle's quota is used up.
  Result<void> write(std::string_view bytes);
  /// `source` says where it came from, for people: "/proc/7/maps".
  Result<Item> finish(std::string_view source);
  [[nodiscard]] std::uint64_t size_bytes() const { return size_bytes_; }

 private:
  friend class OpenBundle;
  ItemWriter(OpenBundle& bundle, std::string path, Fd file)
      : bundle_(&bundle), path_(std::move(path)), file_(std::move(file)) {}
  OpenBundle* bundle_;
  std::string path_;
  Fd file_;
  Digest digest_;
  std::uint64_t size_bytes_ = 0;
  std::int64_t begun_wall_ns_ = 0;
};

/// A folder NAME.open in the store. Everything in it is written by us, 0600 below 0700. Belongs to
/// one thread.
class OpenBundle {
 public:
  /// Makes the folder; `bytes_max` bounds the sum of its items.
  static Result<OpenBundle> create(const std::string& folder, std::uint64_t bytes_max);
  /// Goes on with one that was interrupted: finished steps stay, their items are taken over from
  /// the order; what else lies there is removed and named in the gaps.
  static Result<OpenBundle> resume(const std::string& folder, std::uint64_t bytes_max);

  [[nodiscard]] const std::string& folder() const { return folder_; }
  [[nodiscard]] const Fd& directory() const { return directory_; }
  [[nodiscard]] std::uint64_t left_bytes() const;
  [[nodiscard]] const std::map<std::string, Item>& items() const { return items_; }
  [[nodiscard]] std::uint64_t gaps() const { return gaps_; }
  Custody& custody() { return *custody_; }

  /// A step of the order of volatility begins. False: it was finished before the interruption.
  bool begin_step(std::string_view step, int rank);
  /// It is over; durable afterwards.
  Result<void> end_step(std::string_view outcome);
  /// Starts a file; folders on the way are made.
  Result<ItemWriter> start(const std::string& path);
  /// A small file in one go.
  Result<void> put(const std::string& path, std::string_view bytes, std::string_view source);
  /// What could not be read, and why. `what` may hold anything.
  void gap(std::string_view what, std::string_view reason);
  /// Closes order and gaps: they become items themselves. Nothing may follow.
  Result<void> close_records();

 private:
  friend class ItemWriter;
  explicit OpenBundle(std::string folder) : folder_(std::move(folder)) {}
  Result<void> open_records();
  Result<void> load_order();
  void remove_strays();
  Result<void> append_order(std::string_view line);
  Result<Item> add_existing(const std::string& path);

  std::string folder_;
  Fd directory_;
  Fd order_;
  Fd gaps_file_;
  std::shared_ptr<Custody> custody_;
  std::map<std::string, Item> items_;
  std::set<std::string> steps_done_;
  std::uint64_t bytes_max_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t sequence_ = 0;
  std::uint64_t gaps_ = 0;
  std::uint64_t gaps_of_step_ = 0;
  std::string step_;
  int rank_ = 0;
};

}  // namespace coff::evidence
