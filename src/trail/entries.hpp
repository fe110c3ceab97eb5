// The entries that the trail itself writes, and the members that every entry begins with.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "trail/log.hpp"

namespace coff::trail {

/// When something happened, in the ways that the trail's own entries tell it.
struct EntryTime {
  std::int64_t wall_ns = 0;   ///< "time", RFC 3339.
  std::uint64_t boot_ns = 0;  ///< "boot", nanoseconds since the host started.
  std::string boot_id;        ///< "boot_id", the kernel's id of this start.

  static EntryTime now();
};

/// `{"type":<type>,"time":…,"boot":…,"boot_id":…` plus `,<members>` when there are any, and `}`.
/// `members` are complete JSON members without braces.
std::string make_entry(const EntryTime& time, std::string_view type, std::string_view members);

/// First entry of an epoch. `previous` is the last checkpoint note of the epoch before, or empty.
std::string genesis_entry(const VerifierKey& key, unsigned epoch, EpochReason reason,
                          std::string_view previous, std::string_view extra_members);
/// Something is missing from the trail. `reason` is one word, `detail` a sentence, `lost` how many
/// events, when that is known.
std::string gap_entry(std::string_view reason, std::string_view detail,
                      std::optional<std::uint64_t> lost);
/// Entries [first_removed, first_kept) of an epoch leave on purpose.
struct Removal {
  unsigned epoch = 0;
  std::uint64_t first_removed = 0;
  std::uint64_t first_kept = 0;
  std::uint64_t bytes = 0;
  std::string why;
};
std::string retention_entry(const Removal& removal);
/// The next epoch's key, with a proof of possession: its signature over the old vkey.
Result<std::string> key_rotate_entry(const VerifierKey& old_key, const VerifierKey& new_key,
                                     const SigningKey& new_secret);

/// The message whose signature by the new key is the proof of possession in a key_rotate entry.
std::string key_rotate_message(const VerifierKey& old_key, const VerifierKey& new_key);

std::string_view epoch_reason_name(EpochReason reason);

}  // namespace coff::trail
