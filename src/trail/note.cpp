// Signed notes, verifier keys and cosignatures (C2SP signed-note, tlog-cosignature) with Ed25519.
#include "trail/note.hpp"

#include <algorithm>
#include <charconv>

namespace coff::trail {

namespace {

constexpr std::string_view kDash = "\u2014 ";
constexpr size_t kCosignatureBytes = 72;

void append_be(std::string& out, std::uint64_t value, int bytes) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) {
    out += static_cast<char>(value >> shift & 255);
  }
}

std::uint64_t read_be(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const std::uint8_t byte : octets(bytes)) value = value << 8 | byte;
  return value;
}

Signature signature_of(std::string_view bytes) {
  Signature signature{};
  std::ranges::copy(octets(bytes).first(signature.size()), signature.begin());
  return signature;
}

std::string cosigned_message(std::string_view text, std::uint64_t time_s) {
  return "cosignature/v1\ntime " + std::to_string(time_s) + "\n" + std::string(text);
}

// Unicode's White_Space property beyond ASCII, as UTF-8.
bool has_unicode_space(std::string_view text) {
  constexpr std::string_view kSpaces[] = {
      "\u0085", "\u00a0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005",
      "\u2006", "\u2007", "\u2008", "\u2009", "\u200a", "\u2028", "\u2029", "\u202f", "\u205f",
      "\u3000"};
  return std::ranges::any_of(kSpaces, [&](auto space) { return text.contains(space); });
}

Result<void> check_note_bytes(std::string_view note) {
  if (note.size() > kNoteBytesMax) return fail(Code::kLimit, "note is too long");
  for (std::string_view rest = note; !rest.empty();) {
    const size_t length = utf8_sequence(rest);
    if (length == 0) return fail(Code::kInvalid, "note is not valid UTF-8");
    if (octets(rest)[0] < 0x20 && rest[0] != '\n') {
      return fail(Code::kInvalid, "note has a control character");
    }
    rest.remove_prefix(length);
  }
  return {};
}

Result<NoteSignature> parse_signature_line(std::string_view line) {
  if (!line.starts_with(kDash)) return fail(Code::kInvalid, "signature line lacks its dash");
  line.remove_prefix(kDash.size());
  const size_t space = line.find(' ');
  if (space == std::string_view::npos) return fail(Code::kInvalid, "signature line lacks a part");
  NoteSignature signature;
  signature.name = line.substr(0, space);
  if (!is_key_name(signature.name)) return fail(Code::kInvalid, "signature's key name is not valid");
  const std::string bytes = TRY(from_base64(line.substr(space + 1)));
  if (bytes.size() < 5) return fail(Code::kInvalid, "signature is too short");
  signature.key_id = static_cast<std::uint32_t>(read_be(std::string_view(bytes).substr(0, 4)));
  signature.bytes = bytes.substr(4);
  return signature;
}

}  // namespace

bool is_key_name(std::string_view name) {
  if (name.empty() || name.size() > kKeyNameBytesMax || has_unicode_space(name)) return false;
  for (std::string_view rest = name; !rest.empty();) {
    const size_t length = utf8_sequence(rest);
    const auto byte = octets(rest)[0];
    if (length == 0 || byte <= 0x20 || byte == '+' || byte == 0x7F) return false;
    rest.remove_prefix(length);
  }
  return true;
}

std::uint32_t VerifierKey::id() const {
  const char type_byte = static_cast<char>(type);
  const Hash digest = sha256({name, "\n", std::string_view(&type_byte, 1), text_of(key)});
  return static_cast<std::uint32_t>(read_be(text_of(digest).substr(0, 4)));
}

std::string VerifierKey::to_string() const {
  std::string id_bytes;
  append_be(id_bytes, id(), 4);
  std::string material(1, static_cast<char>(type));
  material += text_of(key);
  return name + "+" + to_hex(octets(id_bytes)) + "+" + to_base64(octets(material));
}

Result<VerifierKey> VerifierKey::parse(std::string_view vkey) {
  const size_t first = vkey.find('+');
  const size_t second = first == std::string_view::npos ? first : vkey.find('+', first + 1);
  if (second == std::string_view::npos || second - first != 9) {
    return fail(Code::kInvalid, "verifier key is not of the form name+id+key");
  }
  VerifierKey result;
  result.name = vkey.substr(0, first);
  if (!is_key_name(result.name)) return fail(Code::kInvalid, "verifier key's name is not valid");
  const std::string material = TRY(from_base64(vkey.substr(second + 1)));
  if (material.size() != 33) return fail(Code::kUnsupported, "verifier key is not an Ed25519 key");
  result.type = static_cast<KeyType>(material[0]);
  if (result.type != KeyType::kEd25519 && result.type != KeyType::kCosignature) {
    return fail(Code::kUnsupported, "verifier key's signature type is not known");
  }
  std::ranges::copy(octets(material).subspan(1), result.key.begin());
  const std::string id_bytes = TRY(from_hex(vkey.substr(first + 1, 8)));
  if (read_be(id_bytes) != result.id()) {
    return fail(Code::kInvalid, "verifier key's id is not that of its key");
  }
  return result;
}

std::string NoteSignature::line() const {
  std::string material;
  append_be(material, key_id, 4);
  material += bytes;
  return std::string(kDash) + name + " " + to_base64(octets(material)) + "\n";
}

Result<std::vector<NoteSignature>> parse_signature_lines(std::string_view lines) {
  std::vector<NoteSignature> signatures;
  while (!lines.empty()) {
    const size_t end = lines.find('\n');
    if (end == std::string_view::npos) return fail(Code::kInvalid, "signature line is cut off");
    if (signatures.size() == kNoteSignaturesMax) return fail(Code::kLimit, "too many signatures");
    signatures.push_back(TRY(parse_signature_line(lines.substr(0, end))));
    lines.remove_prefix(end + 1);
  }
  return signatures;
}

Result<Note> Note::parse(std::string_view note) {
  TRY(check_note_bytes(note));
  const size_t gap = note.rfind("\n\n");
  if (gap == std::string_view::npos) return fail(Code::kInvalid, "note has no signatures");
  Note result;
  result.text = note.substr(0, gap + 1);
  result.signatures = TRY(parse_signature_lines(note.substr(gap + 2)));
  if (result.signatures.empty()) return fail(Code::kInvalid, "note has no signatures");
  return result;
}

std::string Note::to_string() const {
  std::string out = text + "\n";
  for (const NoteSignature& signature : signatures) out += signature.line();
  return out;
}

Result<NoteSignature> sign_note(const SigningKey& key, std::string_view name,
                                std::string_view text) {
  const VerifierKey verifier{std::string(name), KeyType::kEd25519, key.public_key()};
  const Signature signature = TRY(key.sign(text));
  return NoteSignature{verifier.name, verifier.id(), std::string(text_of(signature))};
}

Result<NoteSignature> cosign_note(const SigningKey& key, std::string_view name,
                                  std::string_view text, std::uint64_t time_s) {
  const VerifierKey verifier{std::string(name), KeyType::kCosignature, key.public_key()};
  const Signature signature = TRY(key.sign(cosigned_message(text, time_s)));
  std::string bytes;
  append_be(bytes, time_s, 8);
  bytes += text_of(signature);
  return NoteSignature{verifier.name, verifier.id(), std::move(bytes)};
}

Verified verify_note(const Note& note, const VerifierKey& key) {
  Verified verified;
  const std::uint32_t id = key.id();
  bool all_good = true;
  for (const NoteSignature& line : note.signatures) {
    if (line.key_id != id || line.name != key.name) continue;
    verified.present = true;
    const std::string_view bytes = line.bytes;
    bool good = false;
    if (key.type == KeyType::kEd25519 && bytes.size() == sizeof(Signature)) {
      good = verify_ed25519(key.key, note.text, signature_of(bytes));
    } else if (key.type == KeyType::kCosignature && bytes.size() == kCosignatureBytes) {
      const std::uint64_t time_s = read_be(bytes.substr(0, 8));
      good = time_s >> 63 == 0 && verify_ed25519(key.key, cosigned_message(note.text, time_s),
                                                 signature_of(bytes.substr(8)));
      if (good) verified.time_s = std::max(verified.time_s, time_s);
    }
    all_good = all_good && good;
  }
  verified.valid = verified.present && all_good;
  return verified;
}

}  // namespace coff::trail
