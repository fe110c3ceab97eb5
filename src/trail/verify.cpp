// Offline verification of a whole trail: signatures, the chain of epochs, and what each one says.
#include "trail/verify.hpp"

#include <algorithm>

#include "trail/entries.hpp"
#include "trail/verify_epoch.hpp"

namespace coff::trail {

namespace {

/// What is known about an epoch before its entries are read.
struct EpochFacts {
  EpochPlace place;
  VerifierKey key;
  std::optional<SignedCheckpoint> checkpoint;
  std::optional<SignedCheckpoint> witnessed;
  std::optional<Checkpoint> previous;  ///< Last tree of the epoch before, by the genesis entry.
};

class TrailVerifier {
 public:
  TrailVerifier(VerifyReport& report, const VerifyOptions& options)
      : report_(report), options_(options), trusted_(options.trusted) {
    if (!options.policy) return;
    for (const Policy::Log& log : options.policy->logs()) trusted_.push_back(log.key);
  }

  Result<void> run(const std::string& dir);

 private:
  Result<EpochFacts> gather(const EpochPlace& place);
  Result<void> verify_epoch(size_t at);
  void check_key(const EpochFacts& facts);
  void check_policy();
  void check_removals();
  std::vector<ExpectedRoot> expected_roots(size_t at) const;
  void find(std::string_view kind, bool damage, unsigned epoch, std::string detail) {
    add_finding(report_, {std::string(kind), damage, epoch, 0, 0, std::move(detail)});
  }

  VerifyReport& report_;
  const VerifyOptions& options_;
  std::vector<VerifierKey> trusted_;
  std::vector<EpochFacts> epochs_;
  std::vector<std::pair<std::string, std::string>> rotations_;  ///< Of the epoch before.
  std::map<unsigned, std::uint64_t> kept_from_;
};

Result<EpochFacts> TrailVerifier::gather(const EpochPlace& place) {
  auto reader = TRY(EpochReader::open(place.path));
  EpochFacts facts{place, TRY(reader.key()), {}, {}, {}};
  const auto take = [&](Result<SignedCheckpoint> note, std::string_view what)
      -> std::optional<SignedCheckpoint> {
    if (note && verify_note(note->note, facts.key).valid &&
        note->checkpoint.origin == facts.key.name) {
      return std::move(*note);
    }
    if (note || note.error().code != Code::kNotFound) {
      find("signature", true, place.number,
           std::string(what) + (note ? " is not signed by the epoch's key" : " can't be read"));
    }
    return std::nullopt;
  };
  facts.checkpoint = take(reader.checkpoint(), "the checkpoint");
  facts.witnessed = take(reader.witnessed(), "the witnessed checkpoint");
  const auto genesis = reader.entry(0);
  if (!genesis) return facts;
  const auto statements = read_genesis(*genesis);
  if (!statements) return facts;
  const auto note = SignedCheckpoint::parse(*statements);
  if (note) facts.previous = note->checkpoint;
  return facts;
}

std::vector<ExpectedRoot> TrailVerifier::expected_roots(size_t at) const {
  const EpochFacts& facts = epochs_[at];
  std::vector<ExpectedRoot> expected;
  const auto add = [&](const Checkpoint& tree, std::string who) {
    if (tree.origin == facts.key.name) expected.push_back({tree.size, tree.root, std::move(who)});
  };
  if (facts.checkpoint) add(facts.checkpoint->checkpoint, "the signed checkpoint");
  if (facts.witnessed) add(facts.witnessed->checkpoint, "the witnessed checkpoint");
  if (at + 1 < epochs_.size() && epochs_[at + 1].previous) {
    add(*epochs_[at + 1].previous, "the next epoch's genesis entry");
  }
  for (const SignedCheckpoint& known : options_.known) {
    if (known.checkpoint.origin != facts.key.name) continue;
    add(known.checkpoint, "a checkpoint kept elsewhere");
  }
  return expected;
}

// A key is believed when it is listed, or is the same key under the next origin, or was announced
// by a key_rotate entry of the believed epoch before.
void TrailVerifier::check_key(const EpochFacts& facts) {
  const auto same = [&](const VerifierKey& key) { return key.key == facts.key.key; };
  if (trusted_.empty()) {
    find("own_key", false, facts.place.number,
         "no trusted key was given: the trail's own " + facts.key.to_string() + " is believed");
    trusted_.push_back(facts.key);
    return;
  }
  if (std::ranges::any_of(trusted_, same)) return;
  for (const auto& [vkey, possession] : rotations_) {
    const auto signature = from_base64(possession);
    if (vkey != facts.key.to_string() || !signature || signature->size() != sizeof(Signature)) {
      continue;
    }
    Signature bytes{};
    std::ranges::copy(octets(*signature), bytes.begin());
    const VerifierKey& old_key = epochs_[&facts - epochs_.data() - 1].key;
    if (verify_ed25519(facts.key.key, key_rotate_message(old_key, facts.key), bytes)) {
      trusted_.push_back(facts.key);
      return;
    }
  }
  find("untrusted_key", true, facts.place.number,
       "signed by " + facts.key.to_string() + ", which nothing trusted has announced");
}

Result<void> TrailVerifier::verify_epoch(size_t at) {
  const EpochFacts& facts = epochs_[at];
  check_key(facts);
  const unsigned number = facts.place.number;
  if (number != at + 1) find("chain", true, number, "an epoch before this one is missing");
  if (at > 0 && !facts.previous && epochs_[at - 1].checkpoint) {
    find("chain", true, number, "its genesis entry doesn't name the last tree of the one before");
  }
  if (!facts.checkpoint) find("unsigned", true, number, "there is no valid checkpoint");
  EpochSummary summary;
  summary.number = number;
  summary.origin = facts.key.name;
  if (facts.checkpoint) {
    summary.size = facts.checkpoint->checkpoint.size;
    summary.root = to_base64(facts.checkpoint->checkpoint.root);
  }
  if (facts.witnessed) summary.witnessed_size = facts.witnessed->checkpoint.size;
  const std::uint64_t before = report_.entries;
  EpochVerifier epoch(report_, options_, facts.place);
  auto statements = TRY(epoch.run(expected_roots(at), summary.size));
  summary.first_seq = epoch.first_seq();
  summary.entries = report_.entries - before;
  rotations_ = std::move(statements.rotations);
  for (const auto& [epoch_number, kept] : statements.kept_from) {
    kept_from_[epoch_number] = std::max(kept_from_[epoch_number], kept);
  }
  report_.epochs.push_back(std::move(summary));
  return {};
}

void TrailVerifier::check_removals() {
  for (const EpochSummary& epoch : report_.epochs) {
    const auto kept = kept_from_.find(epoch.number);
    const std::uint64_t allowed = kept == kept_from_.end() ? 0 : kept->second;
    if (epoch.first_seq <= allowed) continue;
    add_finding(report_, {"deleted", true, epoch.number, allowed, epoch.first_seq - 1,
                          "they are gone and no retention entry says so"});
  }
}

void TrailVerifier::check_policy() {
  if (!options_.policy || epochs_.empty()) return;
  const EpochFacts& newest = epochs_.back();
  const auto& note = newest.witnessed ? newest.witnessed : newest.checkpoint;
  if (!note) return;
  const auto checked = options_.policy->check(*note);
  if (!checked) find("policy", true, newest.place.number, checked.error().what);
}

Result<void> TrailVerifier::run(const std::string& dir) {
  const auto places = TRY(list_epochs(dir));
  if (places.empty()) return fail(Code::kNotFound, "there is no trail in " + dir);
  for (const EpochPlace& place : places) epochs_.push_back(TRY(gather(place)));
  for (size_t at = 0; at < epochs_.size(); ++at) TRY(verify_epoch(at));
  check_removals();
  check_policy();
  for (const SignedCheckpoint& known : options_.known) {
    const bool ours = std::ranges::any_of(epochs_, [&](const EpochFacts& facts) {
      return facts.key.name == known.checkpoint.origin;
    });
    if (!ours) find("chain", true, 0, "no epoch here is " + known.checkpoint.origin);
  }
  return {};
}

}  // namespace

bool VerifyReport::ok() const {
  return std::ranges::none_of(findings, &Finding::damage) && findings_dropped == 0;
}

Result<VerifyReport> verify_trail(const std::string& dir, const VerifyOptions& options) {
  VerifyReport report;
  TRY(TrailVerifier(report, options).run(dir));
  return report;
}

}  // namespace coff::trail
