// The entries that the trail itself writes, and the members that every entry begins with.
#include "trail/entries.hpp"

#include "base/clock.hpp"
#include "base/json_writer.hpp"

namespace coff::trail {

namespace {

std::string finish(std::string_view type, const std::string& object) {
  // `object` is "{…}": make_entry() takes what lies between the braces.
  return make_entry(EntryTime::now(), type, std::string_view(object).substr(1, object.size() - 2));
}

}  // namespace

EntryTime EntryTime::now() {
  static const std::string boot = coff::boot_id();
  return {wall_now_ns(), static_cast<std::uint64_t>(boot_now_ns()), boot};
}

std::string make_entry(const EntryTime& time, std::string_view type, std::string_view members) {
  std::string out;
  JsonWriter json(out);
  json.begin_object()
      .member("type", type)
      .member("time", format_time(time.wall_ns))
      .member("boot", time.boot_ns)
      .member("boot_id", time.boot_id);
  if (!members.empty()) {
    out += ',';
    out += members;
  }
  json.end_object();
  return out;
}

std::string_view epoch_reason_name(EpochReason reason) {
  constexpr std::string_view kNames[] = {"first", "key_rotation", "rollback", "damage"};
  return kNames[static_cast<unsigned char>(reason)];
}

std::string genesis_entry(const VerifierKey& key, unsigned epoch, EpochReason reason,
                          std::string_view previous, std::string_view extra_members) {
  std::string object;
  JsonWriter json(object);
  json.begin_object()
      .member("origin", key.name)
      .member("vkey", key.to_string())
      .member("epoch", epoch)
      .member("reason", epoch_reason_name(reason))
      .member("program", std::string_view("cofferdam " COFF_VERSION));
  if (!previous.empty()) json.member("previous", previous);
  if (!extra_members.empty()) {
    object += ',';
    object += extra_members;
  }
  json.end_object();
  return finish("genesis", object);
}

std::string gap_entry(std::string_view reason, std::string_view detail,
                      std::optional<std::uint64_t> lost) {
  std::string object;
  JsonWriter json(object);
  json.begin_object().member("reason", reason).member("detail", detail).key("lost");
  if (lost) json.number(*lost); else json.null();
  json.end_object();
  return finish("gap", object);
}

std::string retention_entry(const Removal& removal) {
  std::string object;
  JsonWriter(object)
      .begin_object()
      .member("epoch", removal.epoch)
      .member("first_removed", removal.first_removed)
      .member("first_kept", removal.first_kept)
      .member("bytes", removal.bytes)
      .member("why", removal.why)
      .end_object();
  return finish("retention", object);
}

std::string key_rotate_message(const VerifierKey& old_key, const VerifierKey& new_key) {
  return "cofferdam key rotation v1\n" + old_key.to_string() + "\n" + new_key.to_string() + "\n";
}

Result<std::string> key_rotate_entry(const VerifierKey& old_key, const VerifierKey& new_key,
                                     const SigningKey& new_secret) {
  const Signature possession = TRY(new_secret.sign(key_rotate_message(old_key, new_key)));
  std::string object;
  JsonWriter(object)
      .begin_object()
      .member("vkey", new_key.to_string())
      .member("possession", to_base64(possession))
      .end_object();
  return finish("key_rotate", object);
}

}  // namespace coff::trail
