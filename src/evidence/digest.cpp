// SHA-256 of bytes that come piece by piece.
#include "evidence/digest.hpp"

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <vector>

namespace coff::evidence {

void Digest::Free::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

Digest::Digest() : context_(EVP_MD_CTX_new()) {
  COFF_ASSERT(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
}

void Digest::update(std::string_view bytes) {
  COFF_ASSERT(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

Hash Digest::finish() {
  Hash hash{};
  unsigned size = 0;
  COFF_ASSERT(EVP_DigestFinal_ex(context_.get(), hash.data(), &size) == 1 && size == hash.size());
  return hash;
}

Result<Hash> hash_file(const std::string& path, std::uint64_t& size_bytes) {
  const Fd file = TRY(open_file(path, O_RDONLY | O_NOFOLLOW));
  auto hash = hash_descriptor(file, size_bytes);
  if (!hash) hash.error().what = path + ": " + hash.error().what;
  return hash;
}

Result<Hash> hash_descriptor(const Fd& file, std::uint64_t& size_bytes) {
  Digest digest;
  std::vector<char> buffer(std::size_t{1} << 20U);
  size_bytes = 0;
  for (;;) {
    const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("cannot read");
    if (got == 0) return digest.finish();
    digest.update({buffer.data(), static_cast<std::size_t>(got)});
    size_bytes += static_cast<std::uint64_t>(got);
  }
}

}  // namespace coff::evidence
