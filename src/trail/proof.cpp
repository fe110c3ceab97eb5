// Proofs that stand alone in a file (C2SP tlog-proof).
#include "trail/proof.hpp"

namespace coff::trail {

namespace {

constexpr std::string_view kHeader = "c2sp.org/tlog-proof@v1";

Result<std::string_view> take_line(std::string_view& text) {
  const size_t end = text.find('\n');
  if (end == std::string_view::npos) return fail(Code::kInvalid, "the proof is cut off");
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

}  // namespace

std::string LogProof::to_string() const {
  std::string out(kHeader);
  out += '\n';
  if (!extra.empty()) out += "extra " + to_base64(octets(extra)) + "\n";
  out += "index " + std::to_string(index) + "\n";
  for (const Hash& hash : path) out += to_base64(hash) + "\n";
  return out + "\n" + checkpoint.note.to_string();
}

Result<LogProof> LogProof::parse(std::string_view text) {
  if (text.size() > kProofBytesMax) return fail(Code::kLimit, "the proof is too long");
  LogProof proof;
  std::string_view line = TRY(take_line(text));
  if (line != kHeader) return fail(Code::kInvalid, "not a C2SP tlog-proof, version 1");
  line = TRY(take_line(text));
  if (line.starts_with("extra ")) {
    proof.extra = TRY(from_base64(line.substr(6)));
    line = TRY(take_line(text));
  }
  if (!line.starts_with("index ")) return fail(Code::kInvalid, "the proof lacks its index line");
  proof.index = TRY(parse_decimal(line.substr(6)));
  for (line = TRY(take_line(text)); !line.empty(); line = TRY(take_line(text))) {
    if (proof.path.size() == kProofHashesMax) return fail(Code::kLimit, "the proof is too long");
    const Hash hash = TRY(parse_hash(line));
    proof.path.push_back(hash);
  }
  proof.checkpoint = TRY(SignedCheckpoint::parse(text));
  return proof;
}

Result<void> LogProof::verify(std::string_view entry, const Policy& policy) const {
  TRY(policy.check(checkpoint));
  return verify_inclusion(leaf_hash(entry), index, checkpoint.checkpoint.size, path,
                          checkpoint.checkpoint.root);
}

Result<LogProof> prove_entry(EpochReader& reader, std::uint64_t seq) {
  LogProof proof;
  proof.index = seq;
  auto witnessed = reader.witnessed();
  if (witnessed && witnessed->checkpoint.size > seq) {
    proof.checkpoint = std::move(*witnessed);
  } else {
    proof.checkpoint = TRY(reader.checkpoint());
    if (proof.checkpoint.checkpoint.size <= seq) {
      return fail(Code::kNotFound,
                  "entry " + std::to_string(seq) + " is not under a signed checkpoint yet");
    }
  }
  proof.path = TRY(prove_inclusion(reader.nodes(), seq, proof.checkpoint.checkpoint.size));
  return proof;
}

}  // namespace coff::trail
