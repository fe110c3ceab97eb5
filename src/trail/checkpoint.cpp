// Checkpoints: a tree's origin, size and root as the text of a signed note (C2SP tlog-checkpoint).
#include "trail/checkpoint.hpp"

#include <algorithm>
#include <charconv>

namespace coff::trail {

namespace {

Result<std::string_view> take_line(std::string_view& text) {
  const size_t end = text.find('\n');
  if (end == std::string_view::npos || end == 0) {
    return fail(Code::kInvalid, "checkpoint needs three lines that are not empty");
  }
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

}  // namespace

Result<std::uint64_t> parse_decimal(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || problem != std::errc() || end != text.data() + text.size() ||
      (text.size() > 1 && text[0] == '0')) {
    return fail(Code::kInvalid, "not a decimal number: " + std::string(text.substr(0, 32)));
  }
  return value;
}

Result<Hash> parse_hash(std::string_view text) {
  if (text.size() != 44) return fail(Code::kInvalid, "not the base64 of a SHA-256 hash");
  const std::string bytes = TRY(from_base64(text));
  Hash hash{};
  if (bytes.size() != hash.size()) return fail(Code::kInvalid, "hash is not 32 bytes long");
  std::ranges::copy(octets(bytes), hash.begin());
  return hash;
}

std::string Checkpoint::text() const {
  return origin + "\n" + std::to_string(size) + "\n" + to_base64(root) + "\n";
}

Result<Checkpoint> Checkpoint::parse(std::string_view text) {
  Checkpoint result;
  result.origin = TRY(take_line(text));
  const std::string_view size = TRY(take_line(text));
  result.size = TRY(parse_decimal(size));
  const std::string_view root = TRY(take_line(text));
  result.root = TRY(parse_hash(root));
  while (!text.empty()) TRY(take_line(text));
  return result;
}

Result<SignedCheckpoint> SignedCheckpoint::parse(std::string_view note) {
  SignedCheckpoint result;
  result.note = TRY(Note::parse(note));
  result.checkpoint = TRY(Checkpoint::parse(result.note.text));
  return result;
}

}  // namespace coff::trail
