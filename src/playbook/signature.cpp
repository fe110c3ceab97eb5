// Signatures of playbooks: CACAO's JSON signature scheme (`jss`), made and checked.
#include "playbook/signature.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "playbook/names.hpp"

namespace coff::playbook {
namespace {

constexpr int kRsaBitsMin = 2048;
constexpr size_t kSignaturesMax = 16;

struct Algorithm {
  std::string_view name;
  Key::Sort sort;
  const char* digest;
};
constexpr Algorithm kAlgorithms[] = {{"Ed25519", Key::Sort::kEd25519, ""},
                                     {"RS256", Key::Sort::kRsa, "SHA256"},
                                     {"RS384", Key::Sort::kRsa, "SHA384"},
                                     {"RS512", Key::Sort::kRsa, "SHA512"}};

// The text under one signature: the others are taken away, and its own value.
std::string signed_text(const json::value& document, const json::object& signature) {
  json::object bare = signature;
  bare.erase("value");
  bare.erase("signature");
  json::value copy = document;
  copy.as_object()["signatures"] = json::array{std::move(bare)};
  return canonical_hash(copy);
}

Result<void> check_times(const json::object& signature, const json::object& document,
                         std::string_view now) {
  const auto time = [](const std::string& text) { return parse_time(text); };
  const std::int64_t at = TRY(time(std::string(now)));
  const std::string from = text_of(signature, "valid_from");
  const std::string until = text_of(signature, "valid_until");
  if (flag_of(signature, "revoked")) return fail(Code::kDenied, "it is revoked");
  if (!from.empty() && TRY(time(from)) > at) return fail(Code::kDenied, "it is not valid yet");
  if (!until.empty() && TRY(time(until)) < at) {
    return fail(Code::kDenied, "it was valid until " + until);
  }
  if (text_of(signature, "related_to") != text_of(document, "id") ||
      text_of(signature, "related_version") != text_of(document, "modified")) {
    return fail(Code::kDenied, "it belongs to another playbook or version");
  }
  return {};
}

Result<void> check_one(const json::value& document, const json::object& signature,
                       SignatureCheck& result) {
  const auto* algorithm = std::ranges::find(kAlgorithms, result.algorithm, &Algorithm::name);
  if (algorithm == std::end(kAlgorithms)) {
    return fail(Code::kUnsupported, result.algorithm + " is not supported");
  }
  if (text_of(signature, "hash_algorithm") != "sha-256") {
    return fail(Code::kUnsupported, "its hash algorithm is not sha-256");
  }
  const std::string encoded = text_of(signature, "public_key");
  if (encoded.empty()) {
    return fail(Code::kUnsupported, "it has no public_key; certificates are not followed");
  }
  const std::string der = TRY(from_base64(encoded));
  const Key key = TRY(Key::public_from_der(der));
  result.key = to_hex(sha256(der));
  if (key.sort() != algorithm->sort) return fail(Code::kDenied, "its key is of another algorithm");
  if (key.sort() == Key::Sort::kRsa && key.bits() < kRsaBitsMin) {
    return fail(Code::kDenied, fmt::format("its key is shorter than {} bits", kRsaBitsMin));
  }
  const std::string value = TRY(from_base64url(text_of(signature, "value")));
  if (!key.verify(signed_text(document, signature), value, algorithm->digest)) {
    return fail(Code::kDenied, "it was not made over this document by its key");
  }
  return {};
}

}  // namespace

std::vector<SignatureCheck> check_signatures(const json::value& document, std::string_view now,
                                             const std::vector<std::string>& trusted_keys) {
  std::vector<SignatureCheck> checks;
  const json::value* signatures = member_of(document, "signatures");
  if (signatures == nullptr || !signatures->is_array()) return checks;
  for (const json::value& item : signatures->get_array()) {
    if (!item.is_object() || checks.size() == kSignaturesMax) continue;
    const json::object& signature = item.get_object();
    SignatureCheck& check = checks.emplace_back();
    check.id = text_of(signature, "id");
    check.signee = text_of(signature, "signee");
    check.algorithm = text_of(signature, "algorithm");
    Result<void> checked = check_one(document, signature, check);
    if (checked) checked = check_times(signature, document.get_object(), now);
    check.valid = checked.has_value();
    if (!checked) check.problem = checked.error().what;
    check.trusted = check.valid && std::ranges::find(trusted_keys, check.key) != trusted_keys.end();
  }
  return checks;
}

Result<json::value> sign_playbook(json::value document, const Key& key, const Signing& signing) {
  if (key.sort() != Key::Sort::kEd25519 && key.sort() != Key::Sort::kRsa) {
    return fail(Code::kUnsupported, "playbooks are signed with Ed25519 or RSA keys");
  }
  if (key.sort() == Key::Sort::kRsa && key.bits() < kRsaBitsMin) {
    return fail(Code::kInvalid, fmt::format("the key is shorter than {} bits", kRsaBitsMin));
  }
  const bool rsa = key.sort() == Key::Sort::kRsa;
  json::object& object = document.as_object();
  json::object signature = {{"type", "jss"},
                            {"id", TRY(new_identifier("jss"))},
                            {"created", signing.now},
                            {"modified", signing.now},
                            {"signee", signing.signee},
                            {"related_to", text_of(object, "id")},
                            {"related_version", text_of(object, "modified")},
                            {"hash_algorithm", "sha-256"},
                            {"algorithm", rsa ? "RS256" : "Ed25519"},
                            {"public_key", to_base64(octets(TRY(key.public_der())))}};
  if (!signing.created_by.empty()) signature["created_by"] = signing.created_by;
  if (!signing.valid_until.empty()) signature["valid_until"] = signing.valid_until;
  const std::string value = TRY(key.sign(signed_text(document, signature), rsa ? "SHA256" : ""));
  signature["value"] = to_base64url(value);
  json::value& signatures = object["signatures"];
  if (!signatures.is_array()) signatures = json::array();
  if (signatures.get_array().size() >= kSignaturesMax) {
    return fail(Code::kLimit, "the playbook has too many signatures");
  }
  signatures.get_array().push_back(std::move(signature));
  return document;
}

}  // namespace coff::playbook
