// The append-only log of one host: signing the tree, storing cosignatures.
#include <algorithm>

#include "trail/log_state.hpp"

namespace coff::trail {

namespace {

constexpr std::string_view kIntentHeader = "cofferdam signed intent 1\n";

}  // namespace

std::string SignedIntent::encode() const {
  return std::string(kIntentHeader) + std::to_string(size) + "\n" + to_base64(root) + "\n";
}

Result<SignedIntent> SignedIntent::parse(std::string_view text) {
  if (!text.starts_with(kIntentHeader) || !text.ends_with('\n')) {
    return fail(Code::kCorrupt, "signed.intent is damaged");
  }
  text.remove_prefix(kIntentHeader.size());
  text.remove_suffix(1);
  const size_t split = text.find('\n');
  if (split == std::string_view::npos) return fail(Code::kCorrupt, "signed.intent is damaged");
  return SignedIntent{TRY(parse_decimal(text.substr(0, split))),
                      TRY(parse_hash(text.substr(split + 1)))};
}

// Order: entries durable (the caller did it), hashes durable, intent durable, sign, checkpoint
// durable. A crash anywhere leads to the same root for the same size.
Result<void> Log::State::sign_tree(const SigningKey* second_key, const VerifierKey* second_vkey) {
  if (hashes_suspect) {
    TRY(recover_hashes());
    hashes_suspect = false;
  }
  auto stored = hashes->sync();
  if (!stored) {
    hashes_suspect = true;
    return stored;
  }
  const Checkpoint tree{vkey.name, hashes->size(), hashes->root()};
  COFF_ASSERT(tree.size == durable);
  if (intent && (intent->size > tree.size ||
                 (intent->size == tree.size && intent->root != tree.root))) {
    return fail(Code::kCorrupt, "refusing to sign a second tree of size " +
                                    std::to_string(intent->size));
  }
  if (!intent || intent->size != tree.size) {
    const SignedIntent next{tree.size, tree.root};
    // From here on this root may be signed, even if storing the intent reports a failure.
    intent = next;
    TRY(fs.replace(place.path, std::string(kIntentFile), next.encode(), 0640));
  }
  SignedCheckpoint result{tree, Note{tree.text(), {}}};
  result.note.signatures.push_back(TRY(sign_note(key, vkey.name, result.note.text)));
  if (second_key != nullptr) {
    result.note.signatures.push_back(
        TRY(sign_note(*second_key, second_vkey->name, result.note.text)));
  }
  TRY(fs.replace(place.path, std::string(kCheckpointFile), result.note.to_string(), 0644));
  signed_tree = std::move(result);
  return {};
}

Result<SignedCheckpoint> Log::checkpoint() {
  TRY(sync());
  State& state = *state_;
  if (!state.signed_tree || state.signed_tree->checkpoint.size != state.durable) {
    TRY(state.sign_tree(nullptr, nullptr));
  }
  return *state.signed_tree;
}

Result<void> Log::add_cosignatures(const SignedCheckpoint& checkpoint,
                                   std::span<const NoteSignature> lines) {
  State& state = *state_;
  if (!verify_note(checkpoint.note, state.vkey).valid) {
    return fail(Code::kInvalid, "the cosigned checkpoint is not signed by this log");
  }
  Note note = checkpoint.note;
  const auto old = state.reader->witnessed();
  if (old && old->checkpoint.size > checkpoint.checkpoint.size) return {};
  if (old && old->note.text == note.text) note = old->note;
  for (const NoteSignature& line : lines) {
    // A newer line of the same witness takes the older one's place.
    std::erase_if(note.signatures, [&](const NoteSignature& known) {
      return known.name == line.name && known.key_id == line.key_id;
    });
    if (note.signatures.size() == kNoteSignaturesMax) {
      return fail(Code::kLimit, "too many cosignatures");
    }
    note.signatures.push_back(line);
  }
  return state.fs.replace(state.place.path, std::string(kWitnessedFile), note.to_string(), 0644);
}

}  // namespace coff::trail
