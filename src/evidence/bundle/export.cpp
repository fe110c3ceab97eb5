// A sealed bundle as one tar file, encrypted to recipients (CMS, RFC 5652) where asked.
#include "evidence/bundle/export.hpp"

#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "base/fd.hpp"
#include "evidence/bundle/store.hpp"
#include "evidence/collect/tar_writer.hpp"
#include "evidence/digest.hpp"

namespace coff::evidence {
namespace {

namespace fs = std::filesystem;

template <auto Release>
struct Free {
  template <typename T>
  void operator()(T* thing) const {
    Release(thing);
  }
};
using Bio = std::unique_ptr<BIO, Free<BIO_free_all>>;
using Content = std::unique_ptr<CMS_ContentInfo, Free<CMS_ContentInfo_free>>;

void free_certificates(STACK_OF(X509) * stack) { sk_X509_pop_free(stack, X509_free); }
using Certificates = std::unique_ptr<STACK_OF(X509), Free<free_certificates>>;

Result<Certificates> certificates_of(const std::vector<std::string>& recipients) {
  Certificates all(sk_X509_new_null());
  if (!all || recipients.size() > kRecipientsMax) return fail(Code::kLimit, "too many recipients");
  for (const std::string& pem : recipients) {
    const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    X509* certificate = bio ? PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr) : nullptr;
    if (certificate == nullptr) {
      return fail(Code::kInvalid, "a recipient's file holds no certificate in PEM");
    }
    if (sk_X509_push(all.get(), certificate) <= 0) {
      X509_free(certificate);
      return fail(Code::kInternal, "out of memory");
    }
  }
  return all;
}

Result<void> write_bio(BIO* bio, std::string_view bytes) {
  while (!bytes.empty()) {
    const int size = static_cast<int>(std::min<std::size_t>(bytes.size(), 1U << 20U));
    const int written = BIO_write(bio, bytes.data(), size);
    if (written <= 0) return fail(Code::kIo, "cannot write the encrypted bundle");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<void> add_file(TarWriter& tar, const std::string& from, const std::string& name) {
  const Fd file = TRY(open_file(from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  TarEntry entry{.path = name};
  if (::fstat(file.get(), &entry.status) != 0) return fail_errno("cannot stat " + from);
  if (!S_ISREG(entry.status.st_mode)) return fail(Code::kInvalid, from + " is no regular file");
  TRY(tar.head(entry));
  std::vector<char> buffer(std::size_t{1} << 20U);
  for (;;) {
    const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("cannot read " + from);
    if (got == 0) break;
    TRY(tar.body({buffer.data(), static_cast<std::size_t>(got)}));
  }
  if (TRY(tar.end_body()) != 0) return fail(Code::kCorrupt, from + " became shorter");
  return {};
}

Result<void> write_tar(const std::string& folder, const Sink& sink) {
  TarWriter tar(sink);
  const std::string name = fs::path(folder).filename().string();
  std::vector<std::string> paths;
  std::error_code failed;
  for (fs::recursive_directory_iterator at(folder, failed), end; !failed && at != end;
       at.increment(failed)) {
    if (at->symlink_status(failed).type() != fs::file_type::directory) {
      paths.push_back(at->path().string().substr(folder.size() + 1));
    }
  }
  if (failed) return fail(Code::kIo, "cannot list " + folder + ": " + failed.message());
  std::ranges::sort(paths);
  for (const std::string& path : paths) TRY(add_file(tar, folder + "/" + path, name + "/" + path));
  const std::string outside = continuation_of(folder);
  if (fs::exists(outside, failed)) {
    TRY(add_file(tar, outside, fs::path(outside).filename().string()));
  }
  return tar.finish();
}

Result<void> write_encrypted(const std::string& folder, const Fd& file,
                             const std::vector<std::string>& recipients) {
  const Certificates certificates = TRY(certificates_of(recipients));
  constexpr unsigned kFlags = CMS_BINARY | CMS_STREAM | CMS_PARTIAL;
  const Content content(CMS_encrypt(certificates.get(), nullptr, EVP_aes_256_cbc(), kFlags));
  const Bio out(BIO_new_fd(file.get(), BIO_NOCLOSE));
  if (!content || !out) return fail(Code::kInvalid, "cannot encrypt to these recipients");
  BIO* chain = BIO_new_CMS(out.get(), content.get());
  if (chain == nullptr) return fail(Code::kInternal, "cannot begin the encrypted bundle");
  const Result<void> written =
      write_tar(folder, [&](std::string_view bytes) { return write_bio(chain, bytes); });
  const bool flushed = BIO_flush(chain) > 0;
  // The filters in front of the file's own.
  while (chain != nullptr && chain != out.get()) {
    BIO* next = BIO_pop(chain);
    BIO_free(chain);
    chain = next;
  }
  if (written && !flushed) return fail(Code::kIo, "cannot finish the encrypted bundle");
  return written;
}

}  // namespace

Result<Exported> export_bundle(const std::string& given, const std::string& path,
                               const std::vector<std::string>& recipients_pem) {
  std::string folder = given;
  while (folder.ends_with('/')) folder.pop_back();
  const Fd file = TRY(open_file(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  const Result<void> written =
      recipients_pem.empty()
          ? write_tar(folder, [&](std::string_view bytes) { return write_all(file, bytes); })
          : write_encrypted(folder, file, recipients_pem);
  if (!written) {
    ::unlink(path.c_str());
    return std::unexpected(written.error());
  }
  if (::fsync(file.get()) != 0) return fail_errno("cannot make " + path + " durable");
  Exported exported;
  exported.sha256 = to_hex(TRY(hash_file(path, exported.size_bytes)));
  return exported;
}

}  // namespace coff::evidence
