// Public keys and signatures through OpenSSL, for playbooks and approvals.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"

struct evp_pkey_st;

namespace coff::playbook {

/// A public or private key. Move-only.
class Key {
 public:
  /// SubjectPublicKeyInfo in DER.
  static Result<Key> public_from_der(std::string_view der);
  /// An unencrypted private key in PEM (PKCS #8, or what OpenSSL reads besides).
  static Result<Key> private_from_pem(std::string_view pem);
  static Result<Key> ed25519(std::string_view raw);
  /// Big-endian numbers.
  static Result<Key> rsa(std::string_view modulus, std::string_view exponent);
  /// A point of P-256, P-384 or P-521 ("prime256v1", "secp384r1", "secp521r1"), uncompressed.
  static Result<Key> ecdsa(const std::string& curve, std::string_view point);

  enum class Sort : unsigned char { kEd25519, kRsa, kEcdsa, kOther };
  [[nodiscard]] Sort sort() const;
  [[nodiscard]] int bits() const;
  /// SubjectPublicKeyInfo in DER.
  [[nodiscard]] Result<std::string> public_der() const;

  /// `digest` is "SHA256" and so on; "" for Ed25519. RSA is PKCS #1 v1.5, ECDSA is DER.
  [[nodiscard]] Result<std::string> sign(std::string_view message, const char* digest) const;
  [[nodiscard]] bool verify(std::string_view message, std::string_view signature,
                            const char* digest) const;

 private:
  struct Free {
    void operator()(evp_pkey_st* key) const;
  };
  explicit Key(evp_pkey_st* key) : key_(key) {}
  std::unique_ptr<evp_pkey_st, Free> key_;
};

/// base64url without padding (RFC 4648 section 5), and back; padding is accepted.
std::string to_base64url(std::string_view bytes);
Result<std::string> from_base64url(std::string_view text);
/// SHA-512, which SSH signatures use; 64 bytes.
std::string sha512(std::string_view data);

}  // namespace coff::playbook
