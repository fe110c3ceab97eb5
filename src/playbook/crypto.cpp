// Public keys and signatures through OpenSSL, for playbooks and approvals.
#include "playbook/crypto.hpp"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>

#include "base/bytes.hpp"

namespace coff::playbook {
namespace {

template <auto F>
struct FreeBy {
  template <typename T>
  void operator()(T* pointer) const {
    F(pointer);
  }
};
using DigestContext = std::unique_ptr<EVP_MD_CTX, FreeBy<EVP_MD_CTX_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, FreeBy<EVP_PKEY_CTX_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, FreeBy<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, FreeBy<OSSL_PARAM_free>>;
using Number = std::unique_ptr<BIGNUM, FreeBy<BN_free>>;
using Bio = std::unique_ptr<BIO, FreeBy<BIO_free_all>>;

// Without this OpenSSL would ask for a passphrase on the terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

Number number_of(std::string_view bytes) {
  return Number(BN_bin2bn(octets(bytes).data(), static_cast<int>(bytes.size()), nullptr));
}

EVP_PKEY* build(const char* type, OSSL_PARAM_BLD* builder) {
  const Parameters parameters(OSSL_PARAM_BLD_to_param(builder));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (parameters == nullptr || context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    return nullptr;
  }
  return key;
}

}  // namespace

void Key::Free::operator()(evp_pkey_st* key) const { EVP_PKEY_free(key); }

Result<Key> Key::public_from_der(std::string_view der) {
  const unsigned char* at = octets(der).data();
  Key key(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
  if (key.key_ == nullptr) return fail(Code::kInvalid, "not a public key");
  return key;
}

Result<Key> Key::private_from_pem(std::string_view pem) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  Key key(bio == nullptr ? nullptr
                         : PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
  if (key.key_ == nullptr) return fail(Code::kInvalid, "not an unencrypted private key in PEM");
  return key;
}

Result<Key> Key::ed25519(std::string_view raw) {
  Key key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, octets(raw).data(), raw.size()));
  if (key.key_ == nullptr) return fail(Code::kInvalid, "not an Ed25519 key");
  return key;
}

Result<Key> Key::rsa(std::string_view modulus, std::string_view exponent) {
  const Number n = number_of(modulus);
  const Number e = number_of(exponent);
  const Builder builder(OSSL_PARAM_BLD_new());
  if (n == nullptr || e == nullptr || builder == nullptr ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
    return fail(Code::kInvalid, "not an RSA key");
  }
  Key key(build("RSA", builder.get()));
  if (key.key_ == nullptr) return fail(Code::kInvalid, "not an RSA key");
  return key;
}

Result<Key> Key::ecdsa(const std::string& curve, std::string_view point) {
  const Builder builder(OSSL_PARAM_BLD_new());
  if (builder == nullptr ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve.c_str(),
                                      0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) != 1) {
    return fail(Code::kInvalid, "not an ECDSA key");
  }
  Key key(build("EC", builder.get()));
  if (key.key_ == nullptr) return fail(Code::kInvalid, "not an ECDSA key");
  return key;
}

Key::Sort Key::sort() const {
  if (EVP_PKEY_is_a(key_.get(), "ED25519") == 1) return Sort::kEd25519;
  if (EVP_PKEY_is_a(key_.get(), "RSA") == 1) return Sort::kRsa;
  if (EVP_PKEY_is_a(key_.get(), "EC") == 1) return Sort::kEcdsa;
  return Sort::kOther;
}

int Key::bits() const { return EVP_PKEY_get_bits(key_.get()); }

Result<std::string> Key::public_der() const {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key_.get(), &der);
  if (size <= 0) return fail(Code::kInternal, "cannot encode a public key");
  std::string bytes(reinterpret_cast<const char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  return bytes;
}

Result<std::string> Key::sign(std::string_view message, const char* digest) const {
  const char* name = *digest == '\0' ? nullptr : digest;
  const DigestContext context(EVP_MD_CTX_new());
  size_t size = 0;
  if (context == nullptr ||
      EVP_DigestSignInit_ex(context.get(), nullptr, name, nullptr, nullptr, key_.get(), nullptr) !=
          1 ||
      EVP_DigestSign(context.get(), nullptr, &size, octets(message).data(), message.size()) != 1) {
    return fail(Code::kInternal, "signing failed");
  }
  std::string signature(size, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                     octets(message).data(), message.size()) != 1) {
    return fail(Code::kInternal, "signing failed");
  }
  signature.resize(size);
  return signature;
}

bool Key::verify(std::string_view message, std::string_view signature, const char* digest) const {
  const char* name = *digest == '\0' ? nullptr : digest;
  const DigestContext context(EVP_MD_CTX_new());
  return context != nullptr &&
         EVP_DigestVerifyInit_ex(context.get(), nullptr, name, nullptr, nullptr, key_.get(),
                                 nullptr) == 1 &&
         EVP_DigestVerify(context.get(), octets(signature).data(), signature.size(),
                          octets(message).data(), message.size()) == 1;
}

std::string to_base64url(std::string_view bytes) {
  std::string text = to_base64(octets(bytes));
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  while (text.ends_with('=')) text.pop_back();
  return text;
}

Result<std::string> from_base64url(std::string_view text) {
  std::string plain(text);
  if (plain.find_first_of("+/") != plain.npos) return fail(Code::kInvalid, "not base64url");
  std::ranges::replace(plain, '-', '+');
  std::ranges::replace(plain, '_', '/');
  while (plain.ends_with('=')) plain.pop_back();
  plain.append((4 - plain.size() % 4) % 4, '=');
  return from_base64(plain);
}

std::string sha512(std::string_view data) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  COFF_ASSERT(EVP_Digest(data.data(), data.size(), digest, &size, EVP_sha512(), nullptr) == 1);
  return {reinterpret_cast<const char*>(digest), size};
}

}  // namespace coff::playbook
