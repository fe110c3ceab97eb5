// A log's side of the witness protocol: asks a witness to cosign a checkpoint.
#include "trail/witness_client.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <memory>

#include "trail/witness.hpp"

namespace coff::trail {

namespace {

/// Once without knowing its size, once with it.
constexpr int kAttemptsMax = 2;

struct CloseCurl {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

size_t collect(char* data, size_t size, size_t count, void* user) {
  auto& body = *static_cast<std::string*>(user);
  // Less than given tells curl to stop.
  if (body.size() + size * count > kWitnessAnswerBytesMax) return 0;
  body.append(data, size * count);
  return size * count;
}

// A witness's words are somebody else's: short and on one line.
std::string quoted(std::string_view body) {
  constexpr size_t kQuoteBytesMax = 200;
  return printable(body.substr(0, std::min(body.find('\n'), kQuoteBytesMax)));
}

WitnessReply read_lines(const WitnessPeer& peer, const SignedCheckpoint& checkpoint,
                        std::string_view body) {
  WitnessReply reply;
  const auto lines = parse_signature_lines(body);
  if (!lines) {
    reply.detail = "the witness's answer is malformed: " + lines.error().what;
    return reply;
  }
  for (const NoteSignature& line : *lines) {
    // Lines of keys that we don't know are ignored, as the specification demands.
    if (verify_note(Note{checkpoint.note.text, {line}}, peer.key).valid) {
      reply.lines.push_back(line);
    }
  }
  if (reply.lines.empty()) {
    reply.detail = "the witness's answer has no valid cosignature of " + peer.key.name;
  } else {
    reply.outcome = WitnessOutcome::kCosigned;
  }
  return reply;
}

}  // namespace

std::string_view witness_outcome_name(WitnessOutcome outcome) {
  constexpr std::string_view kNames[] = {"cosigned", "ahead", "inconsistent", "refused"};
  return kNames[static_cast<unsigned char>(outcome)];
}

Result<WitnessAnswerHttp> post_to_witness(const std::string& url_prefix, std::int64_t timeout_ms,
                                          const std::string& body) {
  static const CURLcode kReady = curl_global_init(CURL_GLOBAL_DEFAULT);
  const std::unique_ptr<CURL, CloseCurl> curl(curl_easy_init());
  if (kReady != CURLE_OK || curl == nullptr) return fail(Code::kInternal, "libcurl can't start");
  // "Expect: 100-continue" would cost a round trip.
  const std::unique_ptr<curl_slist, FreeList> headers(
      curl_slist_append(curl_slist_append(nullptr, "Content-Type: text/plain"), "Expect:"));
  const std::string url = url_prefix + "/add-checkpoint";
  WitnessAnswerHttp answer;
  CURL* handle = curl.get();
  curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(timeout_ms));
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(handle, CURLOPT_USERAGENT, "cofferdam/" COFF_VERSION);
  curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  curl_easy_setopt(handle, CURLOPT_POSTFIELDS, body.data());
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, collect);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &answer.body);
  const CURLcode code = curl_easy_perform(handle);
  if (code != CURLE_OK) {
    const Code kind = code == CURLE_OPERATION_TIMEDOUT ? Code::kTimeout : Code::kIo;
    return fail(kind,
                "the witness at " + url_prefix + " can't be asked: " + curl_easy_strerror(code));
  }
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &answer.status);
  return answer;
}

Result<std::string> WitnessDialog::request(EpochReader& reader) const {
  AddCheckpoint request{old_size_, {}, checkpoint_};
  if (old_size_ > 0) {
    const std::uint64_t size = checkpoint_.checkpoint.size;
    request.proof = TRY(prove_consistency(reader.nodes(), old_size_, size));
  }
  return request.to_string();
}

Result<std::optional<WitnessReply>> WitnessDialog::take(const WitnessAnswerHttp& answer) {
  ++attempts_;
  WitnessReply reply;
  if (answer.status == 200) {
    reply = read_lines(peer_, checkpoint_, answer.body);
    reply.known_size = old_size_;
    return reply;
  }
  reply.detail = "HTTP " + std::to_string(answer.status) + ": " + quoted(answer.body);
  if (answer.status == 422) reply.outcome = WitnessOutcome::kInconsistent;
  if (answer.status != 409) return reply;
  std::string_view told = answer.body;
  if (told.ends_with('\n')) told.remove_suffix(1);
  old_size_ = TRY(parse_decimal(told));
  reply.known_size = old_size_;
  if (old_size_ > checkpoint_.checkpoint.size) {
    reply.outcome = WitnessOutcome::kAhead;
    reply.detail = "the witness knows " + std::to_string(old_size_) + " entries, we have " +
                   std::to_string(checkpoint_.checkpoint.size);
    return reply;
  }
  if (attempts_ < kAttemptsMax) return std::nullopt;
  return reply;
}

Result<WitnessReply> ask_witness(const WitnessPeer& peer, EpochReader& reader,
                                 const SignedCheckpoint& checkpoint, std::uint64_t old_size) {
  WitnessDialog dialog(peer, checkpoint, old_size);
  for (;;) {
    const std::string body = TRY(dialog.request(reader));
    const WitnessAnswerHttp answer = TRY(post_to_witness(peer.url, peer.timeout_ms, body));
    if (auto reply = TRY(dialog.take(answer))) return std::move(*reply);
  }
}

}  // namespace coff::trail
