// A log's side of the witness protocol: asks a witness to cosign a checkpoint.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "trail/checkpoint.hpp"
#include "trail/reader.hpp"

namespace coff::trail {

/// Longest answer of a witness that is read.
inline constexpr size_t kWitnessAnswerBytesMax = size_t{64} * 1024;

struct WitnessPeer {
  std::string url;  ///< Submission prefix, http:// or https://, without "/add-checkpoint".
  VerifierKey key;  ///< Signature type 4.
  std::int64_t timeout_ms = 10'000;
};

enum class WitnessOutcome : unsigned char {
  kCosigned,      ///< `lines` hold the cosignatures.
  kAhead,         ///< It knows a larger tree than ours: signed data was lost here (rollback).
  kInconsistent,  ///< Our tree contradicts the one it knows: our past was changed.
  kRefused,       ///< It doesn't know this log or key, or answered something else.
};
std::string_view witness_outcome_name(WitnessOutcome outcome);

struct WitnessReply {
  WitnessOutcome outcome = WitnessOutcome::kRefused;
  std::vector<NoteSignature> lines;
  std::uint64_t known_size = 0;  ///< What the witness knew before, as far as it told.
  std::string detail;            ///< Why not, for people.
};

/// What a witness answered to a POST, whatever it is.
struct WitnessAnswerHttp {
  long status = 0;
  std::string body;  ///< At most kWitnessAnswerBytesMax.
};
/// Sends `body` to `url`/add-checkpoint and waits at most `timeout_ms`. Opens no other connection
/// than this one, follows no redirection.
Result<WitnessAnswerHttp> post_to_witness(const std::string& url, std::int64_t timeout_ms,
                                          const std::string& body);

/// One conversation with a witness, apart from how its words travel: send request(), give what
/// comes back to take(), until that has a reply.
class WitnessDialog {
 public:
  /// `old_size`: what the witness knew last; 0 when that is not known.
  WitnessDialog(WitnessPeer peer, SignedCheckpoint checkpoint, std::uint64_t old_size)
      : peer_(std::move(peer)), checkpoint_(std::move(checkpoint)), old_size_(old_size) {}

  [[nodiscard]] const WitnessPeer& peer() const { return peer_; }
  [[nodiscard]] const SignedCheckpoint& checkpoint() const { return checkpoint_; }
  /// Body of the next POST.
  Result<std::string> request(EpochReader& reader) const;
  /// Nothing: ask once more, the witness told another size. The witness isn't trusted.
  Result<std::optional<WitnessReply>> take(const WitnessAnswerHttp& answer);

 private:
  WitnessPeer peer_;
  SignedCheckpoint checkpoint_;
  std::uint64_t old_size_;
  int attempts_ = 0;
};

/// Asks with `old_size` (0 when not known) and once more with the size that the witness tells. An
/// error is one of the network or of proving; it may be tried again later.
Result<WitnessReply> ask_witness(const WitnessPeer& peer, EpochReader& reader,
                                 const SignedCheckpoint& checkpoint, std::uint64_t old_size);

}  // namespace coff::trail
