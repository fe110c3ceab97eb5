// Signed notes, verifier keys and cosignatures (C2SP signed-note, tlog-cosignature) with Ed25519.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

struct evp_pkey_st;

namespace coff::trail {

/// Longest note that is read, and how many signature lines it may carry (C2SP asks for >= 16).
inline constexpr size_t kNoteBytesMax = 262144;
inline constexpr size_t kNoteSignaturesMax = 64;
/// Longest key name.
inline constexpr size_t kKeyNameBytesMax = 512;

using PublicKey = std::array<std::uint8_t, 32>;
using Signature = std::array<std::uint8_t, 64>;

/// Signature type identifiers of C2SP signed-note.
enum class KeyType : std::uint8_t {
  kEd25519 = 0x01,      ///< A log's own signature over the note text.
  kCosignature = 0x04,  ///< A witness's timestamped cosignature.
};

/// True for a key name that signed-note permits: not empty, no white space, no '+', valid UTF-8.
bool is_key_name(std::string_view name);

/// What is needed to check signatures of one key; written as a vkey
/// "<name>+<hex key id>+<base64(type || public key)>".
struct VerifierKey {
  std::string name;
  KeyType type = KeyType::kEd25519;
  PublicKey key{};

  [[nodiscard]] std::uint32_t id() const;
  [[nodiscard]] std::string to_string() const;
  /// Strict; the key id must be the one that the name, type and key give.
  static Result<VerifierKey> parse(std::string_view vkey);
  /// The public key as PEM (SubjectPublicKeyInfo), for openssl.
  [[nodiscard]] std::string to_pem() const;

  friend bool operator==(const VerifierKey&, const VerifierKey&) = default;
};

/// Ed25519 verification (RFC 8032).
bool verify_ed25519(const PublicKey& key, std::string_view message, const Signature& signature);

/// A private Ed25519 key. Move-only; the secret lives in OpenSSL's memory.
class SigningKey {
 public:
  static Result<SigningKey> generate();
  /// Reads an unencrypted PKCS #8 PEM.
  static Result<SigningKey> from_pem(std::string_view pem);
  [[nodiscard]] Result<std::string> to_pem() const;
  [[nodiscard]] Result<Signature> sign(std::string_view message) const;
  [[nodiscard]] const PublicKey& public_key() const { return public_; }

 private:
  struct Free {
    void operator()(evp_pkey_st* key) const;
  };
  std::unique_ptr<evp_pkey_st, Free> key_;
  PublicKey public_{};

  static Result<SigningKey> wrap(evp_pkey_st* key);
};

/// One signature line, not yet checked.
struct NoteSignature {
  std::string name;
  std::uint32_t key_id = 0;
  std::string bytes;  ///< After the key id.

  [[nodiscard]] std::string line() const;  ///< "— name base64\n".
};

struct Note {
  std::string text;  ///< Ends with a newline.
  std::vector<NoteSignature> signatures;

  /// Strict reading of a signed note.
  static Result<Note> parse(std::string_view note);
  [[nodiscard]] std::string to_string() const;
};

/// Reads lines of the form "— name base64\n".
Result<std::vector<NoteSignature>> parse_signature_lines(std::string_view lines);

/// A log's signature line (type 0x01) over a note text.
Result<NoteSignature> sign_note(const SigningKey& key, std::string_view name,
                                std::string_view text);
/// A witness's line (type 0x04) over a note text at `time_s` seconds since 1970.
Result<NoteSignature> cosign_note(const SigningKey& key, std::string_view name,
                                  std::string_view text, std::uint64_t time_s);

/// What checking a note against one key gave.
struct Verified {
  bool present = false;      ///< A line with this name and key id is there.
  bool valid = false;        ///< At least one is there and all of them are good.
  std::uint64_t time_s = 0;  ///< Latest time of a good cosignature; 0 for type 0x01.
};
/// Lines of other keys are ignored, as the specification demands.
Verified verify_note(const Note& note, const VerifierKey& key);

}  // namespace coff::trail
