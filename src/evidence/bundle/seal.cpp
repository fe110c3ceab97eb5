// Sealing a bundle: sums, manifest, signatures. docs/formats/evidence.md has every byte.
#include "evidence/bundle/seal.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/clock.hpp"
#include "base/json_writer.hpp"

namespace coff::evidence {
namespace {

std::string first_line(const std::string& path) {
  auto text = read_file(path, 4096).value_or("");
  return text.substr(0, text.find('\n'));
}

void write_target(JsonWriter& json, const SealFacts& facts) {
  json.key("target")
      .begin_object()
      .member("container", facts.target.container)
      .member("name", facts.container_name)
      .member("image", facts.image)
      .member("init_pid", static_cast<std::int64_t>(facts.target.init_pid))
      .member("init_start_ticks", facts.target.init_start_ticks)
      .member("cgroups", facts.target.cgroups)
      .end_object();
}

void write_host(JsonWriter& json) {
  utsname names{};
  ::uname(&names);
  std::uint64_t size = 0;
  const auto file = open_file("/proc/self/exe", O_RDONLY);
  const auto own =
      file ? hash_descriptor(*file, size) : Result<Hash>(std::unexpected(file.error()));
  json.key("host")
      .begin_object()
      .member("name", std::string_view(names.nodename))
      .member("machine_id", first_line("/etc/machine-id"))
      .member("boot_id", boot_id())
      .member("kernel", std::string_view(names.release))
      .member("architecture", std::string_view(names.machine))
      .end_object()
      .key("tool")
      .begin_object()
      .member("name", "cofferdam")
      .member("version", COFF_VERSION)
      .member("sha256", own ? to_hex(*own) : std::string())
      .end_object();
}

std::string manifest_text(const OpenBundle& bundle, const SealFacts& facts,
                          const CustodyHead& custody, std::string_view sums) {
  std::string text;
  std::uint64_t bytes = 0;
  for (const auto& [path, item] : bundle.items()) bytes += item.size_bytes;
  JsonWriter json(text);
  json.begin_object()
      .member("format", kManifestFormat)
      .member("version", kManifestVersion)
      .member("id", facts.id)
      .member("case", facts.case_id)
      .member("marking", facts.marking)
      .member("purpose", facts.purpose)
      .member("authority", facts.authority)
      .member("begun", format_time(facts.begun_wall_ns))
      .member("sealed", format_time(wall_now_ns()));
  write_target(json, facts);
  write_host(json);
  json.key("operator")
      .begin_object()
      .member("name", facts.operator_name)
      .member("uid", facts.operator_uid)
      .member("login_uid", facts.operator_login_uid)
      .end_object();
  json.member("files", static_cast<std::uint64_t>(bundle.items().size()))
      .member("bytes", bytes)
      .member("gaps", bundle.gaps())
      .member("sums_sha256", to_hex(sha256(sums)));
  json.key("custody")
      .begin_object()
      .member("records", custody.count)
      .member("head", custody.hash)
      .end_object();
  json.key("signers").begin_array();
  for (const Signer& signer : facts.signers) {
    json.begin_object()
        .member("role", signer.role)
        .member("name", signer.name)
        .member("algorithm", "Ed25519")
        .member("public_key", to_base64(signer.key->public_key()))
        .end_object();
  }
  json.end_array().end_object();
  text += '\n';
  return text;
}

/// Outside of the sums: what signs them.
Result<void> write_plain(const OpenBundle& bundle, const std::string& path,
                         std::string_view bytes) {
  const Fd file =
      TRY(open_file_at(bundle.directory(), path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW));
  TRY(write_all(file, bytes));
  if (::fsync(file.get()) != 0) return fail_errno("cannot make " + path + " durable");
  return {};
}

Result<std::string> sums_of(const OpenBundle& bundle) {
  std::string sums;
  for (const auto& [path, item] : bundle.items()) {
    std::uint64_t size = 0;
    const Hash again = TRY(hash_file(bundle.folder() + "/" + path, size));
    if (again != item.sha256 || size != item.size_bytes) {
      return fail(Code::kCorrupt, path + " changed after it was collected");
    }
    sums += to_hex(again) + "  " + path + "\n";
  }
  return sums;
}

Result<void> sign(const OpenBundle& bundle, const SealFacts& facts, std::string_view manifest) {
  if (::mkdirat(bundle.directory().get(), "sig", 0700) != 0 && errno != EEXIST) {
    return fail_errno("cannot make the folder of signatures");
  }
  for (const Signer& signer : facts.signers) {
    const trail::Signature signature = TRY(signer.key->sign(manifest));
    const trail::VerifierKey key{.name = signer.role, .key = signer.key->public_key()};
    TRY(write_plain(bundle, "sig/manifest." + signer.role, text_of(signature)));
    TRY(write_plain(bundle, "sig/" + signer.role + ".pub", key.to_pem()));
  }
  return {};
}

}  // namespace

Result<Sealed> seal(OpenBundle& bundle, const SealFacts& facts) {
  if (bundle.begin_step("describe", 99)) {
    TRY(bundle.put("README.txt", readme_text(facts), "written by cofferdam"));
    TRY(bundle.put("index.html", index_page(bundle, facts), "written by cofferdam"));
    TRY(bundle.end_step("done"));
  }
  TRY(bundle.custody().append({.actor = "cofferdam",
                               .role = "tool",
                               .action = "seal",
                               .object = facts.id,
                               .purpose = facts.purpose,
                               .authority = facts.authority}));
  const CustodyHead custody = bundle.custody().head();
  TRY(bundle.close_records());
  const std::string sums = TRY(sums_of(bundle));
  TRY(write_plain(bundle, std::string(kSumsFile), sums));
  const std::string manifest = manifest_text(bundle, facts, custody, sums);
  TRY(write_plain(bundle, std::string(kManifestFile), manifest));
  TRY(sign(bundle, facts, manifest));

  Sealed sealed{.manifest_sha256 = sha256(manifest), .custody = custody};
  sealed.files = bundle.items().size();
  sealed.gaps = bundle.gaps();
  for (const auto& [path, item] : bundle.items()) sealed.bytes += item.size_bytes;
  const std::string& open = bundle.folder();
  sealed.folder = open.substr(0, open.size() - kOpenEnding.size()) + std::string(kSealedEnding);
  if (::syncfs(bundle.directory().get()) != 0) return fail_errno("cannot make it durable");
  if (::rename(open.c_str(), sealed.folder.c_str()) != 0)
    return fail_errno("cannot rename " + open);
  TRY(sync_directory(sealed.folder.substr(0, sealed.folder.rfind('/'))));
  return sealed;
}

}  // namespace coff::evidence
