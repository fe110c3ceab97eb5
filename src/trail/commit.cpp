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

Result<Sidecar> Sidecar::open(const std::string& path, Mode mode) {
  Sidecar sidecar;
  const bool writes = mode == Mode::kReadWrite;
  // Values are secrets: nobody else may ever read the file or its journal.
  const mode_t old_mask = ::umask(0077);
  auto database =
      Database::open(path, writes ? Database::Mode::kReadWrite : Database::Mode::kReadOnly);
  sidecar.database_ = TRY(std::move(database));
  ::umask(old_mask);
  if (!writes) return sidecar;
  Database& db = *sidecar.database_;
  TRY(db.execute("PRAGMA journal_mode=DELETE; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;"));
  auto version = TRY(db.prepare("PRAGMA user_version"));
  TRY(version.step());
  const std::int64_t found = version.integer(0);
  version.reset();
  if (found == kSidecarVersion) return sidecar;
  if (found != 0) return fail(Code::kUnsupported, path + ": unknown sidecar version");
  TRY(
      db.execute("CREATE TABLE secrets(commitment TEXT PRIMARY KEY, salt TEXT NOT NULL, "
                 "value TEXT NOT NULL, stored_wall_ns INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
                 "CREATE INDEX secrets_stored ON secrets(stored_wall_ns);"
                 "PRAGMA user_version=1;"));
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

Result<void> Sidecar::erase(std::string_view commitment) {
  TRY(flush());
  auto remove = TRY(database_->prepare("DELETE FROM secrets WHERE commitment=?1 RETURNING 1"));
  remove.bind_text(1, commitment);
  if (!TRY(remove.step())) return fail(Code::kNotFound, "no value is stored for this commitment");
  // The deletion takes effect when the statement has run to its end.
  TRY(remove.step());
  return {};
}

Result<std::uint64_t> Sidecar::erase_before(std::int64_t wall_ns) {
  TRY(flush());
  auto remove = TRY(database_->prepare("DELETE FROM secrets WHERE stored_wall_ns<?1 RETURNING 1"));
  remove.bind(1, wall_ns);
  std::uint64_t count = 0;
  while (TRY(remove.step())) ++count;
  return count;
}

}  // namespace coff::trail
