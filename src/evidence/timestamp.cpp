// RFC 3161: a time-stamping authority confirms when the manifest existed.
#include "evidence/timestamp.hpp"

#include <curl/curl.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/rand.h>
#include <openssl/ts.h>
#include <openssl/x509_vfy.h>

#include <memory>

#include "base/bytes.hpp"
#include "base/fd.hpp"

namespace coff::evidence {
namespace {

template <auto Release>
struct Free {
  template <typename T>
  void operator()(T* thing) const {
    Release(thing);
  }
};
using StampRequest = std::unique_ptr<TS_REQ, Free<TS_REQ_free>>;
using StampReply = std::unique_ptr<TS_RESP, Free<TS_RESP_free>>;
using Imprint = std::unique_ptr<TS_MSG_IMPRINT, Free<TS_MSG_IMPRINT_free>>;
using Algorithm = std::unique_ptr<X509_ALGOR, Free<X509_ALGOR_free>>;
using Checker = std::unique_ptr<TS_VERIFY_CTX, Free<TS_VERIFY_CTX_free>>;
using Number = std::unique_ptr<ASN1_INTEGER, Free<ASN1_INTEGER_free>>;
using Bio = std::unique_ptr<BIO, Free<BIO_free_all>>;

constexpr std::size_t kManifestBytesMax = std::size_t{1} << 20U;

std::size_t append_body(char* data, std::size_t size, std::size_t count, void* out) {
  auto* body = static_cast<std::string*>(out);
  if (body->size() + size * count > kTimestampBytesMax) return 0;
  body->append(data, size * count);
  return size * count;
}

Result<std::string> post(const TimestampOptions& options, const std::string& request) {
  const std::unique_ptr<CURL, Free<curl_easy_cleanup>> handle(curl_easy_init());
  const std::unique_ptr<curl_slist, Free<curl_slist_free_all>> headers(
      curl_slist_append(nullptr, "Content-Type: application/timestamp-query"));
  if (!handle || !headers) return fail(Code::kInternal, "out of memory");
  std::string body;
  CURL* curl = handle.get();
  curl_easy_setopt(curl, CURLOPT_URL, options.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.data());
  curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, static_cast<long>(request.size()));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(options.time_ms_max));
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &append_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
  const CURLcode code = curl_easy_perform(curl);
  if (code != CURLE_OK) {
    return fail(Code::kIo, "the time-stamping authority: " + std::string(curl_easy_strerror(code)));
  }
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  if (status != 200) {
    return fail(Code::kIo, "the time-stamping authority answered " + std::to_string(status));
  }
  return body;
}

Result<void> write_new(const std::string& path, std::string_view bytes) {
  const Fd file = TRY(open_file(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW));
  return write_all(file, bytes);
}

}  // namespace

Result<std::string> timestamp_request(std::string_view data) {
  const Hash hash = sha256(data);
  const StampRequest request(TS_REQ_new());
  const Imprint imprint(TS_MSG_IMPRINT_new());
  const Algorithm algorithm(X509_ALGOR_new());
  const Number nonce(ASN1_INTEGER_new());
  std::uint64_t random = 0;
  Hash copy = hash;
  if (!request || !imprint || !algorithm || !nonce ||
      RAND_bytes(reinterpret_cast<unsigned char*>(&random), sizeof random) != 1 ||
      X509_ALGOR_set0(algorithm.get(), OBJ_nid2obj(NID_sha256), V_ASN1_NULL, nullptr) != 1 ||
      TS_MSG_IMPRINT_set_algo(imprint.get(), algorithm.get()) != 1 ||
      TS_MSG_IMPRINT_set_msg(imprint.get(), copy.data(), static_cast<int>(copy.size())) != 1 ||
      TS_REQ_set_version(request.get(), 1) != 1 ||
      TS_REQ_set_msg_imprint(request.get(), imprint.get()) != 1 ||
      ASN1_INTEGER_set_uint64(nonce.get(), random) != 1 ||
      TS_REQ_set_nonce(request.get(), nonce.get()) != 1 ||
      TS_REQ_set_cert_req(request.get(), 1) != 1) {
    return fail(Code::kInternal, "cannot make a time-stamp request");
  }
  unsigned char* bytes = nullptr;
  const int size = i2d_TS_REQ(request.get(), &bytes);
  if (size <= 0) return fail(Code::kInternal, "cannot encode a time-stamp request");
  const std::unique_ptr<unsigned char, decltype([](unsigned char* p) { OPENSSL_free(p); })> owned(
      bytes);
  return std::string(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
}

Result<std::string> check_timestamp(std::string_view reply, std::string_view data,
                                    const std::string& ca_file) {
  const auto* at = reinterpret_cast<const unsigned char*>(reply.data());
  const StampReply response(d2i_TS_RESP(nullptr, &at, static_cast<long>(reply.size())));
  if (!response) return fail(Code::kInvalid, "the time-stamp reply is malformed");
  TS_TST_INFO* info = TS_RESP_get_tst_info(response.get());
  if (info == nullptr) return fail(Code::kInvalid, "the authority refused a time stamp");
  const Checker checker(TS_VERIFY_CTX_new());
  if (!checker) return fail(Code::kInternal, "out of memory");
  unsigned flags = TS_VFY_VERSION | TS_VFY_DATA;
  TS_VERIFY_CTX_set_data(checker.get(),
                         BIO_new_mem_buf(data.data(), static_cast<int>(data.size())));
  if (!ca_file.empty()) {
    flags |= TS_VFY_SIGNATURE | TS_VFY_SIGNER;
    X509_STORE* store = X509_STORE_new();
    if (store == nullptr || X509_STORE_load_file(store, ca_file.c_str()) != 1) {
      X509_STORE_free(store);
      return fail(Code::kInvalid, "cannot read the certificates in " + ca_file);
    }
    TS_VERIFY_CTX_set_store(checker.get(), store);
  }
  TS_VERIFY_CTX_set_flags(checker.get(), static_cast<int>(flags));
  if (TS_RESP_verify_response(checker.get(), response.get()) != 1) {
    return fail(Code::kCorrupt,
                "the time stamp does not fit the manifest, or its signer is not "
                "vouched for");
  }
  const Bio text(BIO_new(BIO_s_mem()));
  if (!text || ASN1_GENERALIZEDTIME_print(text.get(), TS_TST_INFO_get_time(info)) != 1) {
    return fail(Code::kInvalid, "the time stamp has no time");
  }
  char* words = nullptr;
  const long size = BIO_get_mem_data(text.get(), &words);
  return std::string(words, static_cast<std::size_t>(size));
}

Result<void> timestamp_bundle(const std::string& folder, const TimestampOptions& options) {
  const std::string manifest = TRY(read_file(folder + "/manifest.json", kManifestBytesMax));
  const std::string request = TRY(timestamp_request(manifest));
  TRY(write_new(folder + "/sig/manifest.tsq", request));
  const std::string reply = TRY(post(options, request));
  TRY(check_timestamp(reply, manifest, options.ca_file));
  return write_new(folder + "/sig/manifest.tsr", reply);
}

}  // namespace coff::evidence
