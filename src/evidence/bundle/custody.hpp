// The chain of custody: who did what to the evidence, each line holding the hash of the one before.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/fd.hpp"
#include "base/result.hpp"

namespace coff::evidence {

inline constexpr std::string_view kCustodyFile = "custody/custody.jsonl";
inline constexpr std::size_t kCustodyBytesMax = std::size_t{64} << 20U;

/// One line, before it has its place in the chain.
struct CustodyRecord {
  std::string actor;      ///< A person's name, or "cofferdam".
  std::string role;       ///< "examiner", "tool", "receiver", …
  std::string action;     ///< "begin", "collect", "seal", "verify", "transfer", "export", …
  std::string object;     ///< What it was done to.
  std::string sha256;     ///< Of the object, lower-case hexadecimal; "" when it has none.
  std::string purpose;    ///< Why.
  std::string authority;  ///< Ticket or approval that allowed it.
};

/// Where a chain stands.
struct CustodyHead {
  std::uint64_t count = 0;
  std::string hash = std::string(64, '0');  ///< SHA-256 of the last line without its newline.
};

/// Checks a chain's text line by line; it must begin after `from`. kCorrupt names the first line
/// that is wrong.
Result<CustodyHead> check_custody(std::string_view text, const CustodyHead& from);

/// A file that lines are appended to, each durable before append() returns.
class Custody {
 public:
  /// Opens or makes the file and checks what is in it; a new one goes on from `from`.
  static Result<Custody> open(const std::string& path, const CustodyHead& from);
  Result<void> append(const CustodyRecord& record);
  [[nodiscard]] const CustodyHead& head() const { return head_; }

 private:
  Fd file_;
  CustodyHead head_;
};

}  // namespace coff::evidence
