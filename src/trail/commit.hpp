// Redactable values: an entry holds a salted hash, a sidecar that can be erased holds the value.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/database.hpp"
#include "base/result.hpp"

namespace coff::trail {

/// In the trail's directory, not in an epoch: erasing it changes no tree.
inline constexpr std::string_view kSidecarFile = "sidecar.db";
/// PRAGMA user_version of the sidecar.
inline constexpr int kSidecarVersion = 2;
/// Longest reason of an erasure that is kept, bytes.
inline constexpr size_t kErasureReasonBytesMax = 1000;
/// Longest value that is kept.
inline constexpr size_t kSecretBytesMax = size_t{1024} * 1024;

/// 32 random bytes for each value, so that equal values don't look equal and can't be guessed.
using Salt = std::array<std::uint8_t, 32>;

/// SHA-256(0x02 || salt || value).
Hash commitment_hash(const Salt& salt, std::string_view value);

/// What must be shown for a commitment to be believed.
struct Disclosure {
  Salt salt{};
  std::string value;
};
/// Success when the disclosure is what `commitment` (base64 of the hash) stands for.
Result<void> verify_disclosure(std::string_view commitment, const Disclosure& disclosure);

/// That a value was erased on purpose, which the sidecar remembers without the value.
struct Erasure {
  std::int64_t wall_ns = 0;
  std::string reason;
};

/// Salts and values by commitment. Erased content is overwritten in the file.
class Sidecar {
 public:
  enum class Mode : unsigned char { kReadOnly, kReadWrite };
  static Result<Sidecar> open(const std::string& path, Mode mode);

  /// Stores a value and returns its commitment, base64. Not durable before flush().
  Result<std::string> commit(std::string_view value);
  /// Stores a value whose salt was drawn elsewhere; returns its commitment. One that is stored
  /// already stays as it is, and one that was erased stays erased. Not durable before flush().
  Result<std::string> store(const Disclosure& disclosure);
  /// Makes what commit() and store() took durable; call before the entries are made durable.
  Result<void> flush();
  /// kNotFound when it was erased or never stored here; kCorrupt when it isn't what the commitment
  /// stands for.
  Result<Disclosure> find(std::string_view commitment) const;
  /// Erases one value and remembers that and why, durably; kNotFound when there is none, kInvalid
  /// for a reason longer than kErasureReasonBytesMax.
  Result<void> erase(std::string_view commitment, std::string_view reason);
  /// When and why this value was erased; nothing when it was not, or so long ago that its entry
  /// is gone too.
  Result<std::optional<Erasure>> erasure(std::string_view commitment) const;
  /// Values that were erased one by one and are remembered.
  Result<std::uint64_t> erased_count() const;
  /// Erases everything stored before this time, and forgets what was erased before it; returns how
  /// many values went.
  Result<std::uint64_t> erase_before(std::int64_t wall_ns);

 private:
  Result<void> erase_row(std::string_view commitment, std::string_view reason);

  std::optional<Database> database_;
  std::int64_t version_ = 0;  ///< Of the file; below 2 nothing was ever erased one by one.
  bool in_transaction_ = false;
};

}  // namespace coff::trail
