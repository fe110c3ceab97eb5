// Redactable values: an entry holds a salted hash, a sidecar that can be erased holds the value.
#include "trail/commit.hpp"

#include <openssl/rand.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/clock.hpp"

namespace coff::trail {

Hash commitment_hash(const Salt& salt, std::string_view value) {
  return sha256({"\x02", text_of(salt), value});
}

Result<void> verify_disclosure(std::string_view commitment, const Disclosure& disclosure) {
  if (to_base64(commitment_hash(disclosure.salt, disclosure.value)) == commitment) return {};
  return fail(Code::kInvalid, "the value is not the one that was committed to");
}

namespace {

constexpr const char* kFirstVersion =
    "CREATE TABLE secrets(commitment TEXT PRIMARY KEY, salt TEXT NOT NULL, "
    "value TEXT NOT NULL, stored_wall_ns INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX secrets_stored ON secrets(stored_wall_ns);"
    "PRAGMA user_version=1;";
constexpr const char* kSecondVersion =
    "CREATE TABLE erased(commitment TEXT PRIMARY KEY, reason TEXT NOT NULL, "
    "erased_wall_ns INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "PRAGMA user_version=2;";

}  // namespace

Result<Sidecar> Sidecar::open(const std::string& path, Mode mode) {
  Sidecar sidecar;
  const bool writes = mode == Mode::kReadWrite;
  // Values are secrets: nobody else may ever read the file or its journal.
  const mode_t old_mask = ::umask(0077);
  auto database =
      Database::open(path, writes ? Database::Mode::kReadWrite : Database::Mode::kReadOnly);
  ::umask(old_mask);
  sidecar.database_ = TRY(std::move(database));
  Database& db = *sidecar.database_;
  auto version = TRY(db.prepare("PRAGMA user_version"));
  TRY(version.step());
  sidecar.version_ = version.integer(0);
  version.reset();
  if (sidecar.version_ < 0 || sidecar.version_ > kSidecarVersion) {
    return fail(Code::kUnsupported, path + ": unknown sidecar version");
  }
  if (!writes) return sidecar;
  TRY(db.execute("PRAGMA journal_mode=DELETE; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;"));
  TRY(db.execute("BEGIN IMMEDIATE"));
  if (sidecar.version_ < 1) TRY(db.execute(kFirstVersion));
  if (sidecar.version_ < 2) TRY(db.execute(kSecondVersion));
  TRY(db.execute("COMMIT"));
  sidecar.version_ = kSidecarVersion;
  return sidecar;
}

Result<std::string> Sidecar::commit(std::string_view value) {
  Disclosure disclosure{{}, std::string(value)};
  Salt& salt = disclosure.salt;
  if (RAND_bytes(salt.data(), static_cast<int>(salt.size())) != 1) {
    return fail(Code::kInternal, "there is no randomness");
  }
  return store(disclosure);
}

Result<std::string> Sidecar::store(const Disclosure& disclosure) {
  const auto& [salt, value] = disclosure;
  if (value.size() > kSecretBytesMax) return fail(Code::kLimit, "the value is too long");
  std::string commitment = to_base64(commitment_hash(salt, value));
  // Sent again by a producer that wasn't told of the first time.
  if (TRY(erasure(commitment))) return commitment;
  if (!in_transaction_) {
    TRY(database_->execute("BEGIN IMMEDIATE"));
    in_transaction_ = true;
  }
  const std::string salt_text = to_base64(salt);
  const std::string value_text = to_base64(octets(std::string_view(value)));
  auto insert = TRY(database_->prepare("INSERT OR IGNORE INTO secrets VALUES(?1, ?2, ?3, ?4)"));
  TRY(insert.bind_text(1, commitment)
          .bind_text(2, salt_text)
          .bind_text(3, value_text)
          .bind(4, wall_now_ns())
          .run());
  return commitment;
}

Result<void> Sidecar::flush() {
  if (!in_transaction_) return {};
  in_transaction_ = false;
  return database_->execute("COMMIT");
}

Result<Disclosure> Sidecar::find(std::string_view commitment) const {
  auto select = TRY(const_cast<Database&>(*database_)
                        .prepare("SELECT salt, value FROM secrets WHERE commitment=?1"));
  select.bind_text(1, commitment);
  if (!TRY(select.step())) {
    return fail(Code::kNotFound, "no value is stored for this commitment; it may be erased");
  }
  const std::string salt = TRY(from_base64(select.text(0)));
  Disclosure disclosure;
  if (salt.size() != disclosure.salt.size()) return fail(Code::kCorrupt, "the salt is damaged");
  std::ranges::copy(octets(salt), disclosure.salt.begin());
  disclosure.value = TRY(from_base64(select.text(1)));
  if (!verify_disclosure(commitment, disclosure)) {
    return fail(Code::kCorrupt, "the stored value is not the one that was committed to");
  }
  return disclosure;
}

Result<void> Sidecar::erase(std::string_view commitment, std::string_view reason) {
  if (reason.size() > kErasureReasonBytesMax) return fail(Code::kInvalid, "the reason is too long");
  TRY(flush());
  TRY(database_->execute("BEGIN IMMEDIATE"));
  auto erased = erase_row(commitment, reason);
  TRY(database_->execute(erased ? "COMMIT" : "ROLLBACK"));
  return erased;
}

Result<void> Sidecar::erase_row(std::string_view commitment, std::string_view reason) {
  auto remove = TRY(database_->prepare("DELETE FROM secrets WHERE commitment=?1 RETURNING 1"));
  remove.bind_text(1, commitment);
  if (!TRY(remove.step())) return fail(Code::kNotFound, "no value is stored for this commitment");
  // The deletion takes effect when the statement has run to its end.
  TRY(remove.step());
  auto remember = TRY(database_->prepare("INSERT OR REPLACE INTO erased VALUES(?1, ?2, ?3)"));
  return remember.bind_text(1, commitment).bind_text(2, reason).bind(3, wall_now_ns()).run();
}

Result<std::optional<Erasure>> Sidecar::erasure(std::string_view commitment) const {
  if (version_ < 2) return std::nullopt;
  auto select = TRY(const_cast<Database&>(*database_)
                        .prepare("SELECT erased_wall_ns, reason FROM erased WHERE commitment=?1"));
  select.bind_text(1, commitment);
  if (!TRY(select.step())) return std::nullopt;
  return Erasure{select.integer(0), std::string(select.text(1))};
}

Result<std::uint64_t> Sidecar::erased_count() const {
  if (version_ < 2) return 0U;
  auto count = TRY(const_cast<Database&>(*database_).prepare("SELECT count(*) FROM erased"));
  TRY(count.step());
  return static_cast<std::uint64_t>(count.integer(0));
}

Result<std::uint64_t> Sidecar::erase_before(std::int64_t wall_ns) {
  TRY(flush());
  auto remove = TRY(database_->prepare("DELETE FROM secrets WHERE stored_wall_ns<?1 RETURNING 1"));
  remove.bind(1, wall_ns);
  std::uint64_t count = 0;
  while (TRY(remove.step())) ++count;
  auto forget = TRY(database_->prepare("DELETE FROM erased WHERE erased_wall_ns<?1"));
  TRY(forget.bind(1, wall_ns).run());
  return count;
}

}  // namespace coff::trail
