// A witness: vouches that logs only grow (C2SP tlog-witness), apart from how it is reached.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "trail/checkpoint.hpp"
#include "trail/fs.hpp"
#include "trail/merkle.hpp"
#include "trail/note.hpp"

namespace coff::trail {

/// Longest request body: 63 hashes and a note.
inline constexpr size_t kWitnessBodyBytesMax = 128 * 1024;
/// C2SP: a client must not send more.
inline constexpr size_t kWitnessProofMax = 63;

/// Body of add-checkpoint.
struct AddCheckpoint {
  std::uint64_t old_size = 0;
  std::vector<Hash> proof;
  SignedCheckpoint checkpoint;

  [[nodiscard]] std::string to_string() const;
  static Result<AddCheckpoint> parse(std::string_view body);
};

struct WitnessAnswer {
  unsigned status = 500;  ///< HTTP status.
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

/// Keeps the newest checkpoint of each log in a file of its own under `dir`. Thread-safe: checking
/// and storing are one step, and it is durable before the answer.
class Witness {
 public:
  struct Options {
    std::string dir;                ///< Made when missing; the key is made there too.
    std::string name;               ///< Key name, e.g. "witness.example/w1".
    std::vector<VerifierKey> logs;  ///< Logs that are vouched for, by origin.
    Fs* fs = nullptr;               ///< Null: the real file system.
  };
  static Result<Witness> open(const Options& options);
  Witness(Witness&&) = default;
  Witness& operator=(Witness&&) = default;
  ~Witness() = default;

  [[nodiscard]] WitnessAnswer add_checkpoint(std::string_view body);
  [[nodiscard]] const VerifierKey& key() const { return vkey_; }

 private:
  Witness() = default;
  [[nodiscard]] WitnessAnswer judge(const AddCheckpoint& request);
  Result<void> load(const VerifierKey& log);

  std::string dir_;
  Fs* fs_ = nullptr;
  SigningKey key_;
  VerifierKey vkey_;
  std::multimap<std::string, VerifierKey> logs_;    ///< By origin.
  std::map<std::string, SignedCheckpoint> latest_;  ///< By origin.
  std::unique_ptr<std::mutex> mutex_;
};

}  // namespace coff::trail
