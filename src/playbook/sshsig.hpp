// SSH signatures (`ssh-keygen -Y sign`, PROTOCOL.sshsig) and files of allowed signers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace coff::playbook {

/// Longest armoured signature, file of signers, and most lines of it.
inline constexpr size_t kSshSignatureBytesMax = 16384;
inline constexpr size_t kSignersBytesMax = size_t{256} << 10;
inline constexpr size_t kSignersMax = 1000;

/// A signature as it came, not yet checked.
struct SshSignature {
  std::string public_key;  ///< Key blob of RFC 4253.
  std::string name_space;
  std::string hash;    ///< "sha256" or "sha512".
  std::string format;  ///< "ssh-ed25519", "rsa-sha2-512", …
  std::string value;

  /// Reads the armoured form, strictly: version 1, nothing left over.
  static Result<SshSignature> parse(std::string_view armoured);
};

/// Checks `signature` over `message`. kDenied: it was not made by its key over this message for
/// `name_space`. Keys: Ed25519, RSA of at least 2048 bits with SHA-2, ECDSA on the NIST curves;
/// keys in hardware (sk-…) and certificates are kUnsupported.
Result<void> verify_ssh_signature(const SshSignature& signature, std::string_view message,
                                  std::string_view name_space);

/// "SHA256:…" as ssh-keygen -l prints it.
std::string ssh_fingerprint(std::string_view public_key);

/// One enrolled key: a line of an allowed-signers file (ssh-keygen(1), ALLOWED SIGNERS).
struct Signer {
  std::string person;      ///< The principal; patterns are refused, for they name nobody.
  std::string public_key;  ///< Key blob.
  std::vector<std::string> name_spaces;  ///< Empty: every one.
  std::optional<std::int64_t> valid_after_s;
  std::optional<std::int64_t> valid_before_s;
};
/// Reads such a file. kInvalid names the first line that is wrong: one that is skipped would take
/// away somebody's say unseen.
Result<std::vector<Signer>> parse_signers(std::string_view text);
/// Reads it from a file that root (or the caller) owns and nobody else can write. kDenied.
Result<std::vector<Signer>> read_signers(const std::string& path);

/// Whose key it is, at `wall_ns` and for `name_space`; null when it is nobody's.
const Signer* find_signer(const std::vector<Signer>& signers, std::string_view public_key,
                          std::string_view name_space, std::int64_t wall_ns);

}  // namespace coff::playbook
