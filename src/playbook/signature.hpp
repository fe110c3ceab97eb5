// Signatures of playbooks: CACAO's JSON signature scheme (`jss`), made and checked.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "playbook/crypto.hpp"
#include "playbook/document.hpp"

namespace coff::playbook {

/// What checking one signature of a playbook gave.
struct SignatureCheck {
  std::string id;
  std::string signee;
  std::string algorithm;
  std::string key;     ///< Lower-case hexadecimal SHA-256 of the public key's DER; "" when absent.
  bool valid = false;  ///< The key made it over this document.
  bool trusted = false;  ///< It is valid and its key is one of those that were given.
  std::string problem;   ///< Why it is not valid; "" when it is.
};

/// Checks every entry of `signatures`. Algorithms: Ed25519, RS256, RS384, RS512; hash: sha-256.
/// `now` is RFC 3339: a signature outside of its time or revoked is not valid. `trusted_keys` are
/// hashes as in SignatureCheck::key; a key inside of the signature proves nothing by itself.
///
/// What is signed is the lower-case hexadecimal text of the SHA-256 of the canonical document, with
/// this signature alone and without its value: so does the example of the technical committee.
std::vector<SignatureCheck> check_signatures(const json::value& document, std::string_view now,
                                             const std::vector<std::string>& trusted_keys);

struct Signing {
  std::string signee;       ///< Who signs, for people.
  std::string created_by;   ///< identity--UUID; "" leaves it out.
  std::string now;          ///< RFC 3339 with milliseconds.
  std::string valid_until;  ///< RFC 3339; "" leaves it out.
};
/// `document` with one more signature: Ed25519, or RS256 for an RSA key of at least 2048 bits.
Result<json::value> sign_playbook(json::value document, const Key& key, const Signing& signing);

}  // namespace coff::playbook
