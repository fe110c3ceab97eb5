// Reads and checks SSH signatures: PROTOCOL.sshsig, RFC 4253, RFC 5656, RFC 8332, RFC 8709.
#include "playbook/sshsig.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.hpp"
#include "playbook/crypto.hpp"

namespace coff::playbook {
namespace {

constexpr std::string_view kMagic = "SSHSIG";
constexpr std::string_view kBegin = "-----BEGIN SSH SIGNATURE-----";
constexpr std::string_view kEnd = "-----END SSH SIGNATURE-----";
constexpr int kRsaBitsMin = 2048;
constexpr int kRsaBitsMax = 16384;

/// Fields of the SSH wire format: a length of four bytes, then the bytes.
class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : rest_(bytes) {}

  Result<std::uint32_t> number() {
    if (rest_.size() < 4) return fail(Code::kInvalid, "it ends within a number");
    std::uint32_t value = 0;
    for (size_t at = 0; at < 4; ++at) value = value << 8U | static_cast<unsigned char>(rest_[at]);
    rest_.remove_prefix(4);
    return value;
  }
  Result<std::string_view> text() {
    const std::uint32_t size = TRY(number());
    if (size > rest_.size()) return fail(Code::kInvalid, "it ends within a text");
    const std::string_view value = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return value;
  }
  /// A positive multiple-precision number without its leading zeros.
  Result<std::string_view> positive() {
    std::string_view value = TRY(text());
    if (!value.empty() && (static_cast<unsigned char>(value[0]) & 0x80U) != 0) {
      return fail(Code::kInvalid, "a number is negative");
    }
    while (value.starts_with('\0')) value.remove_prefix(1);
    return value;
  }
  Result<void> end() const {
    if (rest_.empty()) return {};
    return fail(Code::kInvalid, "something stands behind its end");
  }
  bool take(std::string_view bytes) {
    if (!rest_.starts_with(bytes)) return false;
    rest_.remove_prefix(bytes.size());
    return true;
  }

 private:
  std::string_view rest_;
};

void append_text(std::string& out, std::string_view text) {
  for (const unsigned shift : {24U, 16U, 8U, 0U}) {
    out += static_cast<char>(static_cast<std::uint32_t>(text.size()) >> shift & 0xFFU);
  }
  out += text;
}

void append_der_number(std::string& out, std::string_view number) {
  std::string body(number);
  if (body.empty() || (static_cast<unsigned char>(body[0]) & 0x80U) != 0) body.insert(0, 1, '\0');
  out += '\x02';
  out += static_cast<char>(body.size());
  out += body;
}

// ECDSA: two numbers here, a DER sequence for OpenSSL. At most 2 * 68 bytes: P-521 needs a long
// form of the length.
Result<std::string> der_of(std::string_view value) {
  constexpr size_t kNumberBytesMax = 66;
  WireReader reader(value);
  const std::string_view r = TRY(reader.positive());
  const std::string_view s = TRY(reader.positive());
  TRY(reader.end());
  if (r.size() > kNumberBytesMax || s.size() > kNumberBytesMax) {
    return fail(Code::kInvalid, "a number of the signature is too long");
  }
  std::string body;
  append_der_number(body, r);
  append_der_number(body, s);
  std::string der = "\x30";
  if (body.size() > 0x7F) der += '\x81';
  der += static_cast<char>(body.size());
  return der + body;
}

struct Curve {
  std::string_view type;
  std::string_view name;
  const char* group;
  const char* digest;
};
constexpr Curve kCurves[] = {{"ecdsa-sha2-nistp256", "nistp256", "prime256v1", "SHA256"},
                             {"ecdsa-sha2-nistp384", "nistp384", "secp384r1", "SHA384"},
                             {"ecdsa-sha2-nistp521", "nistp521", "secp521r1", "SHA512"}};

Result<bool> verify_with(const SshSignature& signature, std::string_view message) {
  WireReader key(signature.public_key);
  const std::string type(TRY(key.text()));
  if (type == "ssh-ed25519" && signature.format == type) {
    const std::string_view raw = TRY(key.text());
    TRY(key.end());
    return TRY(Key::ed25519(raw)).verify(message, signature.value, "");
  }
  if (type == "ssh-rsa" &&
      (signature.format == "rsa-sha2-256" || signature.format == "rsa-sha2-512")) {
    const std::string_view exponent = TRY(key.positive());
    const std::string_view modulus = TRY(key.positive());
    TRY(key.end());
    if (modulus.size() * 8 > kRsaBitsMax) return fail(Code::kInvalid, "the key is too long");
    const Key rsa = TRY(Key::rsa(modulus, exponent));
    if (rsa.bits() < kRsaBitsMin) {
      return fail(Code::kDenied, fmt::format("the key is shorter than {} bits", kRsaBitsMin));
    }
    return rsa.verify(message, signature.value,
                      signature.format == "rsa-sha2-256" ? "SHA256" : "SHA512");
  }
  const auto* curve = std::ranges::find(kCurves, type, &Curve::type);
  if (curve != std::end(kCurves) && signature.format == type) {
    const std::string_view name = TRY(key.text());
    const std::string_view point = TRY(key.text());
    TRY(key.end());
    if (name != curve->name) return fail(Code::kInvalid, "the key is of two curves");
    const std::string der = TRY(der_of(signature.value));
    return TRY(Key::ecdsa(curve->group, point)).verify(message, der, curve->digest);
  }
  return fail(Code::kUnsupported, fmt::format("keys of type {} with signatures of type {} are not "
                                              "supported",
                                              type, signature.format));
}

}  // namespace

Result<SshSignature> SshSignature::parse(std::string_view armoured) {
  if (armoured.size() > kSshSignatureBytesMax)
    return fail(Code::kLimit, "the signature is too long");
  const size_t begin = armoured.find_first_not_of(" \r\n\t");
  if (begin == armoured.npos || !armoured.substr(begin).starts_with(kBegin)) {
    return fail(Code::kInvalid, "not a signature of ssh-keygen -Y sign");
  }
  const size_t from = begin + kBegin.size();
  const size_t end = armoured.find(kEnd, from);
  if (end == armoured.npos ||
      armoured.find_first_not_of(" \r\n\t", end + kEnd.size()) != armoured.npos) {
    return fail(Code::kInvalid, "the signature has no end, or something behind it");
  }
  std::string encoded(armoured.substr(from, end - from));
  std::erase_if(encoded, [](char byte) { return byte == '\n' || byte == '\r'; });
  const std::string blob = TRY(from_base64(encoded));
  WireReader reader(blob);
  if (!reader.take(kMagic) || TRY(reader.number()) != 1) {
    return fail(Code::kInvalid, "not a signature of version 1");
  }
  SshSignature signature;
  signature.public_key = TRY(reader.text());
  signature.name_space = TRY(reader.text());
  if (!TRY(reader.text()).empty()) return fail(Code::kInvalid, "its reserved part is not empty");
  signature.hash = TRY(reader.text());
  const std::string inner(TRY(reader.text()));
  TRY(reader.end());
  WireReader value(inner);
  signature.format = TRY(value.text());
  signature.value = TRY(value.text());
  TRY(value.end());
  if (signature.hash != "sha256" && signature.hash != "sha512") {
    return fail(Code::kInvalid, "its hash is neither sha256 nor sha512");
  }
  return signature;
}

Result<void> verify_ssh_signature(const SshSignature& signature, std::string_view message,
                                  std::string_view name_space) {
  if (signature.name_space != name_space) {
    return fail(Code::kDenied, fmt::format("it was made for {}, not for {}",
                                           printable(signature.name_space), name_space));
  }
  std::string digest = sha512(message);
  if (signature.hash == "sha256") digest = text_of(sha256(message));
  std::string text(kMagic);
  append_text(text, signature.name_space);
  append_text(text, "");
  append_text(text, signature.hash);
  append_text(text, digest);
  if (TRY(verify_with(signature, text))) return {};
  return fail(Code::kDenied, "its key did not make it over this text");
}

std::string ssh_fingerprint(std::string_view public_key) {
  std::string text = to_base64(sha256(public_key));
  while (text.ends_with('=')) text.pop_back();
  return "SHA256:" + text;
}

}  // namespace coff::playbook
