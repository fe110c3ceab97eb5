// Custody after the seal: the file beside the bundle, and the entry in the trail.
#include <pwd.h>
#include <unistd.h>

#include <array>
#include <boost/json.hpp>
#include <charconv>

#include "base/bytes.hpp"
#include "base/json_writer.hpp"
#include "cli/control.hpp"
#include "cli/evidence.hpp"
#include "config/config.hpp"
#include "evidence/bundle/verify.hpp"

namespace coff::cli {
namespace {

/// "trail entry 7 of epoch 1 (origin)", or why there is none.
std::string tell_trail(const Global& global, const EvidenceOptions& options,
                       const evidence::Verification& manifest,
                       const evidence::CustodyRecord& record) {
  auto client = connect_to_agent(global, options.socket);
  if (!client) return "no agent runs here: the manifest's hash is in no trail";
  std::string arguments;
  JsonWriter(arguments)
      .begin_object()
      .member("action", record.action)
      .member("manifest_sha256", manifest.manifest_sha256)
      .member("id", manifest.id)
      .member("case", manifest.case_id)
      .member("container", manifest.container)
      .member("purpose", record.purpose)
      .member("authority", record.authority)
      .member("files", manifest.files)
      .member("bytes", manifest.bytes)
      .member("gaps", manifest.gaps)
      .member("custody_records", manifest.custody_records)
      .end_object();
  std::string place;
  const auto asked = client->call("evidence.seal", arguments, [&](std::string_view item) {
    boost::json::error_code problem;
    const boost::json::value value = boost::json::parse(item, problem);
    if (problem || !value.is_object()) return true;
    const auto text = [&](const char* name) {
      const boost::json::value* member = value.get_object().if_contains(name);
      return member == nullptr ? std::string() : boost::json::serialize(*member);
    };
    place = "trail entry " + text("seq") + " of epoch " + text("epoch") + ", " + text("origin");
    return true;
  });
  if (!asked) return "the trail has no entry of it: " + printable(asked.error().message());
  return place;
}

}  // namespace

Result<std::string> evidence_folder(const Global& global, const EvidenceOptions& options) {
  if (!options.store.empty()) return options.store;
  const config::Config settings = TRY(config::load_config(global.config_path));
  return settings.data_dir + "/evidence";
}

std::uint32_t login_uid() {
  const std::string text = read_file("/proc/self/loginuid", 32).value_or("");
  std::uint32_t uid = UINT32_MAX;
  std::from_chars(text.data(), text.data() + text.size(), uid);
  return uid;
}

std::string operator_name() {
  const std::uint32_t login = login_uid();
  const uid_t uid = login == UINT32_MAX ? ::getuid() : login;
  std::array<char, 16384> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  ::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found);
  return found == nullptr ? std::to_string(uid) : std::string(found->pw_name);
}

Result<std::string> record_custody(const Global& global, const EvidenceOptions& options,
                                   const std::string& folder,
                                   const evidence::CustodyRecord& record) {
  const evidence::Verification manifest = TRY(evidence::read_manifest(folder));
  const std::string trail = tell_trail(global, options, manifest, record);
  evidence::CustodyRecord with_trail = record;
  with_trail.object += "; " + trail;
  TRY(evidence::continue_custody(folder, with_trail));
  return trail;
}

}  // namespace coff::cli
