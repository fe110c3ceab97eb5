// Fuzzes everything of the trail that reads bytes from files or from the network.
#include <cstdint>
#include <string_view>

#include "base/result.hpp"
#include "trail/index_row.hpp"
#include "trail/policy.hpp"
#include "trail/proof.hpp"
#include "trail/segment.hpp"
#include "trail/tile.hpp"
#include "trail/verify_epoch.hpp"
#include "trail/witness.hpp"

namespace {

using namespace coff::trail;

void read_segment(std::string_view bytes) {
  if (!SegmentHeader::decode(bytes)) return;
  for (size_t at = kSegmentHeaderBytes; at < bytes.size();) {
    const Record record = read_record(bytes.substr(at));
    if (record.size_bytes == 0) break;
    at += record.size_bytes;
  }
}

// What is accepted must come out as it went in.
void read_texts(std::string_view text) {
  if (const auto note = Note::parse(text)) COFF_ASSERT(note->to_string() == text);
  if (const auto proof = LogProof::parse(text)) {
    COFF_ASSERT(LogProof::parse(proof->to_string()).has_value());
    (void)proof->verify("entry", Policy::of_log({"name", KeyType::kEd25519, {}}));
  }
  if (const auto request = AddCheckpoint::parse(text)) COFF_ASSERT(request->to_string() == text);
  if (const auto key = VerifierKey::parse(text)) {
    COFF_ASSERT(VerifierKey::parse(key->to_string()).has_value());
  }
  if (const auto policy = Policy::parse(text)) {
    (void)policy->check(SignedCheckpoint{});
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 4) {
    case 0: read_segment(bytes); break;
    case 1: read_texts(bytes); break;
    case 2:
      (void)parse_bundle(bytes);
      (void)segment_number(bytes);
      break;
    default:
      (void)IndexRowReader().read(bytes);
      (void)stated_seq(bytes);
      (void)read_genesis(bytes);
      (void)read_record(bytes);
      break;
  }
  return 0;
}
