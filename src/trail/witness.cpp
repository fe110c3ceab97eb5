// A witness: vouches that logs only grow (C2SP tlog-witness), apart from how it is reached.
#include "trail/witness.hpp"

#include "base/clock.hpp"
#include "base/fd.hpp"
#include "base/log.hpp"

namespace coff::trail {

namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;

std::string state_name(const std::string& origin) { return to_hex(sha256(origin)) + ".checkpoint"; }

WitnessAnswer refuse(unsigned status, std::string_view why) {
  return {.status = status, .body = std::string(why) + "\n"};
}

Result<SigningKey> load_key(Fs& fs, const std::string& dir) {
  const auto pem = read_file(dir + "/witness-key.pem", 4096);
  if (pem) return SigningKey::from_pem(*pem);
  if (pem.error().code != Code::kNotFound) return std::unexpected(pem.error());
  auto key = TRY(SigningKey::generate());
  const std::string text = TRY(key.to_pem());
  TRY(fs.replace(dir, "witness-key.pem", text, 0600));
  return key;
}

}  // namespace

std::string AddCheckpoint::to_string() const {
  std::string out = "old " + std::to_string(old_size) + "\n";
  for (const Hash& hash : proof) out += to_base64(hash) + "\n";
  return out + "\n" + checkpoint.note.to_string();
}

Result<AddCheckpoint> AddCheckpoint::parse(std::string_view body) {
  if (body.size() > kWitnessBodyBytesMax) return fail(Code::kLimit, "the request is too long");
  AddCheckpoint request;
  for (bool first = true;; first = false) {
    const size_t end = body.find('\n');
    if (end == std::string_view::npos) return fail(Code::kInvalid, "the request is cut off");
    const std::string_view line = body.substr(0, end);
    body.remove_prefix(end + 1);
    if (first) {
      if (!line.starts_with("old ")) return fail(Code::kInvalid, "the old size is missing");
      request.old_size = TRY(parse_decimal(line.substr(4)));
      continue;
    }
    if (line.empty()) break;
    if (request.proof.size() == kWitnessProofMax) return fail(Code::kLimit, "too many hashes");
    const Hash hash = TRY(parse_hash(line));
    request.proof.push_back(hash);
  }
  request.checkpoint = TRY(SignedCheckpoint::parse(body));
  return request;
}

Result<Witness> Witness::open(const Options& options) {
  if (!is_key_name(options.name)) return fail(Code::kInvalid, "not a key name: " + options.name);
  Witness witness;
  witness.mutex_ = std::make_unique<std::mutex>();
  witness.dir_ = options.dir;
  witness.fs_ = options.fs == nullptr ? &real_fs() : options.fs;
  TRY(witness.fs_->make_directory(options.dir, 0700));
  witness.key_ = TRY(load_key(*witness.fs_, options.dir));
  witness.vkey_ = {options.name, KeyType::kCosignature, witness.key_.public_key()};
  for (const VerifierKey& log : options.logs) TRY(witness.load(log));
  return witness;
}

Result<void> Witness::load(const VerifierKey& log) {
  if (log.type != KeyType::kEd25519) return fail(Code::kInvalid, "not a log's key: " + log.name);
  logs_.emplace(log.name, log);
  const auto text = read_file(dir_ + "/" + state_name(log.name), kNoteBytesMax);
  // Absent means never cosigned; anything else unreadable must not be taken for that.
  if (!text && text.error().code == Code::kNotFound) return {};
  if (!text) return std::unexpected(text.error());
  const auto state = TRY(SignedCheckpoint::parse(*text));
  if (state.checkpoint.origin != log.name) {
    return fail(Code::kCorrupt, "the state of " + log.name + " is that of another log");
  }
  latest_[log.name] = state;
  return {};
}

WitnessAnswer Witness::add_checkpoint(std::string_view body) {
  const auto request = AddCheckpoint::parse(body);
  if (!request) return refuse(400, request.error().what);
  const std::lock_guard lock(*mutex_);
  return judge(*request);
}

// The checks in the order of the specification.
WitnessAnswer Witness::judge(const AddCheckpoint& request) {
  const Checkpoint& tree = request.checkpoint.checkpoint;
  const auto [first, last] = logs_.equal_range(tree.origin);
  if (first == last) return refuse(404, "unknown log");
  bool believed = false;
  for (auto log = first; log != last; ++log) {
    const Verified verified = verify_note(request.checkpoint.note, log->second);
    if (verified.present && !verified.valid) return refuse(403, "a signature is wrong");
    believed = believed || verified.valid;
  }
  if (!believed) return refuse(403, "no signature of a trusted key");
  if (request.old_size > tree.size) return refuse(400, "the old size is larger than the new one");
  const auto known = latest_.find(tree.origin);
  const std::uint64_t known_size = known == latest_.end() ? 0 : known->second.checkpoint.size;
  if (request.old_size != known_size) {
    return {409, "text/x.tlog.size", std::to_string(known_size) + "\n"};
  }
  if (tree.size == 0 && tree.root != empty_root()) return refuse(422, "not the empty root");
  if (known_size == 0) {
    if (!request.proof.empty()) return refuse(422, "nothing needs to be proven from size 0");
  } else {
    const auto consistent = verify_consistency(known_size, tree.size, request.proof,
                                               known->second.checkpoint.root, tree.root);
    if (!consistent) {
      log_error("witness", "the log " + tree.origin + " contradicts itself at size " +
                               std::to_string(tree.size) + ": " + consistent.error().what);
      return refuse(422, consistent.error().what);
    }
  }
  const auto stored =
      fs_->replace(dir_, state_name(tree.origin), request.checkpoint.note.to_string(), 0600);
  if (!stored) {
    log_error("witness", stored.error().message());
    return refuse(500, "the checkpoint can't be stored");
  }
  latest_[tree.origin] = request.checkpoint;
  const auto line = cosign_note(key_, vkey_.name, request.checkpoint.note.text,
                                static_cast<std::uint64_t>(wall_now_ns() / kNsPerSecond));
  if (!line) return refuse(500, "signing failed");
  return {.status = 200, .body = line->line()};
}

}  // namespace coff::trail
