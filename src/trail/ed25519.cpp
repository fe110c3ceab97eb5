// Ed25519 keys through OpenSSL: generate, read, write, sign, verify.
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "trail/note.hpp"

namespace coff::trail {

namespace {

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
struct FreeBio {
  void operator()(BIO* bio) const { BIO_free_all(bio); }
};
using Context = std::unique_ptr<EVP_MD_CTX, FreeContext>;
using Bio = std::unique_ptr<BIO, FreeBio>;

std::string bio_text(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string(data, static_cast<size_t>(size)) : std::string();
}

// An unencrypted key needs no passphrase; without this OpenSSL would ask on the terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

}  // namespace

void SigningKey::Free::operator()(evp_pkey_st* key) const { EVP_PKEY_free(key); }

Result<SigningKey> SigningKey::wrap(evp_pkey_st* key) {
  SigningKey result;
  result.key_.reset(key);
  size_t size = result.public_.size();
  if (key == nullptr || EVP_PKEY_id(key) != EVP_PKEY_ED25519 ||
      EVP_PKEY_get_raw_public_key(key, result.public_.data(), &size) != 1 ||
      size != result.public_.size()) {
    return fail(Code::kInvalid, "not an Ed25519 private key");
  }
  return result;
}

Result<SigningKey> SigningKey::generate() {
  return wrap(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
}

Result<SigningKey> SigningKey::from_pem(std::string_view pem) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (bio == nullptr) return fail(Code::kInternal, "out of memory");
  return wrap(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
}

Result<std::string> SigningKey::to_pem() const {
  const Bio bio(BIO_new(BIO_s_secmem()));
  if (bio == nullptr || PEM_write_bio_PKCS8PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0,
                                                      nullptr, nullptr) != 1) {
    return fail(Code::kInternal, "cannot encode the private key");
  }
  return bio_text(bio.get());
}

Result<Signature> SigningKey::sign(std::string_view message) const {
  const Context context(EVP_MD_CTX_new());
  Signature signature{};
  size_t size = signature.size();
  if (context == nullptr ||
      EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) != 1 ||
      EVP_DigestSign(context.get(), signature.data(), &size, octets(message).data(),
                     message.size()) != 1 ||
      size != signature.size()) {
    return fail(Code::kInternal, "signing failed");
  }
  return signature;
}

std::string VerifierKey::to_pem() const {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> handle(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.data(), key.size()),
      EVP_PKEY_free);
  const Bio bio(BIO_new(BIO_s_mem()));
  COFF_ASSERT(handle != nullptr && bio != nullptr);
  COFF_ASSERT(PEM_write_bio_PUBKEY(bio.get(), handle.get()) == 1);
  return bio_text(bio.get());
}

bool verify_ed25519(const PublicKey& key, std::string_view message, const Signature& signature) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> handle(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.data(), key.size()),
      EVP_PKEY_free);
  const Context context(EVP_MD_CTX_new());
  return handle != nullptr && context != nullptr &&
         EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, handle.get()) == 1 &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(),
                          octets(message).data(), message.size()) == 1;
}

}  // namespace coff::trail
