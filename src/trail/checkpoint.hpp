// Checkpoints: a tree's origin, size and root as the text of a signed note (C2SP tlog-checkpoint).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "trail/note.hpp"

namespace coff::trail {

/// The three lines that matter. Extension lines of foreign logs are read over.
struct Checkpoint {
  std::string origin;
  std::uint64_t size = 0;
  Hash root{};

  /// The note text: "origin\nsize\nbase64(root)\n".
  [[nodiscard]] std::string text() const;
  /// Strict reading of a note text.
  static Result<Checkpoint> parse(std::string_view text);

  friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

/// A checkpoint with the note that carries its signatures.
struct SignedCheckpoint {
  Checkpoint checkpoint;
  Note note;

  static Result<SignedCheckpoint> parse(std::string_view note);
};

/// Strict decimal without sign or leading zeroes, as every C2SP format writes sizes.
Result<std::uint64_t> parse_decimal(std::string_view text);
/// Strict base64 of exactly one hash.
Result<Hash> parse_hash(std::string_view text);

}  // namespace coff::trail
