// What is applied to which container, on disk before it is done, so that no end of a process loses
// it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace coff::response {

/// How far an action has come. What is kApplying or kReleasing after a crash is finished by
/// resume().
enum class Stage : std::uint8_t { kApplying, kApplied, kReleasing };
inline constexpr std::string_view kStageNames[] = {"applying", "applied", "releasing"};

/// One action that is in force on one container.
struct Record {
  std::string action;  ///< Name in the catalogue.
  std::string container_id;
  std::string container_name;
  Stage stage = Stage::kApplying;
  std::int64_t since_wall_ns = 0;
  std::int64_t until_wall_ns = 0;  ///< Released by itself then; 0: not.
  std::string who;                 ///< JSON object: the caller as the trail names it.
  std::string reason;
  std::string break_glass;           ///< Why guard rails were passed over; "" when they weren't.
  std::vector<std::string> allowed;  ///< Investigators' addresses.
  std::map<std::string, std::string> before;  ///< What release() restores; the action's own words.
};

/// Records at most: containers that something is done to, times actions.
inline constexpr std::size_t kRecordsMax = 1024;
/// Bytes of one record on disk.
inline constexpr std::size_t kRecordBytesMax = 256U << 10U;

std::string to_json(const Record& record);
Result<Record> parse_record(std::string_view text);

/// The folder of records, one file each (docs/formats/response.md). Every change is durable when
/// the call returns. One process at a time may change it: whoever holds lock().
class Journal {
 public:
  /// Makes the folder, mode 0700, when it isn't there.
  static Result<Journal> open(const std::string& directory);

  /// Waits at most `timeout_ms` for other actions to end. The lock lasts as long as the descriptor.
  Result<Fd> lock(int timeout_ms) const;
  /// All records, ordered by container and action. A file that can't be read is an Error: what is
  /// applied must never be forgotten silently.
  [[nodiscard]] Result<std::vector<Record>> list() const;
  Result<void> put(const Record& record) const;
  /// No error when it isn't there.
  Result<void> erase(const Record& record) const;
  /// Adds one line to the list of times at which containers were acted on, for the limit of rate.
  Result<void> note_use(std::int64_t wall_ns, const std::string& container_id) const;
  /// Containers that were acted on since `wall_ns`, each once.
  [[nodiscard]] Result<std::vector<std::string>> used_since(std::int64_t wall_ns) const;

 private:
  explicit Journal(std::string directory) : directory_(std::move(directory)) {}
  [[nodiscard]] std::string path_of(const Record& record) const;
  std::string directory_;
};

}  // namespace coff::response
