// cofferdam evidence: bundles of evidence, collected, listed, verified, searched, handed over.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "base/bytes.hpp"
#include "base/json_writer.hpp"
#include "cli/evidence.hpp"
#include "evidence/bundle/seal.hpp"
#include "evidence/bundle/verify.hpp"

namespace coff::cli {
namespace {

using evidence::Listed;
using evidence::Store;
using evidence::Verification;

constexpr std::size_t kKeyBytesMax = 65536;

void write_manifest(JsonWriter& json, const Verification& found) {
  json.member("id", found.id)
      .member("case", found.case_id)
      .member("container", found.container)
      .member("sealed", found.sealed_at)
      .member("manifest_sha256", found.manifest_sha256)
      .member("files", found.files)
      .member("bytes", found.bytes)
      .member("gaps", found.gaps)
      .member("custody_records", found.custody_records);
}

Result<void> run_list(Global& global, const EvidenceOptions& options) {
  const Store store = TRY(Store::open_existing(TRY(evidence_folder(global, options))));
  const auto all = TRY(store.list());
  for (const Listed& one : all) {
    std::string line;
    if (global.json) {
      JsonWriter json(line);
      json.begin_object()
          .member("id", one.id)
          .member("folder", one.folder)
          .member("state", one.open ? "interrupted" : "sealed")
          .member("disk_bytes", one.bytes)
          .member("container", one.manifest.container)
          .member("case", one.manifest.case_id)
          .member("sealed", one.manifest.sealed_at)
          .member("problem", one.problem)
          .end_object();
    } else {
      append_printable(line, one.id);
      char rest[64];
      std::snprintf(rest, sizeof rest, "  %8llu MiB  ",
                    static_cast<unsigned long long>(one.bytes >> 20U));
      line += rest;
      append_printable(line, one.open ? "interrupted: evidence collect --resume goes on"
                                      : one.manifest.sealed_at + " " + one.problem);
    }
    std::printf("%s\n", line.c_str());
  }
  if (all.empty()) {
    report(global, Error{Code::kNotFound, "there are no bundles in " + store.folder()});
    global.exit_code = kFound;
  }
  return {};
}

Result<void> run_show(Global& global, const EvidenceOptions& options) {
  const Store store = TRY(Store::open_existing(TRY(evidence_folder(global, options))));
  const std::string folder = TRY(store.find(options.bundle));
  const Verification found = TRY(evidence::read_manifest(folder));
  const auto gaps = read_file(folder + "/meta/gaps.jsonl", std::size_t{64} << 20U);
  if (global.json) {
    std::string line;
    JsonWriter json(line);
    json.begin_object().member("folder", folder);
    write_manifest(json, found);
    json.end_object();
    std::printf("%s\n", line.c_str());
    return {};
  }
  const std::pair<const char*, std::string> kRows[] = {{"id", found.id},
                                                       {"folder", folder},
                                                       {"case", found.case_id},
                                                       {"container", found.container},
                                                       {"sealed", found.sealed_at},
                                                       {"manifest", found.manifest_sha256},
                                                       {"files", std::to_string(found.files)},
                                                       {"bytes", std::to_string(found.bytes)},
                                                       {"gaps", std::to_string(found.gaps)}};
  for (const auto& [name, value] : kRows) {
    std::printf("%-10s %s\n", name, printable(value).c_str());
  }
  if (!gaps) return {};
  std::printf("\nWhat could not be read:\n");
  std::size_t shown = 0;
  constexpr std::size_t kShownMax = 40;
  for (std::size_t at = 0; at < gaps->size() && shown < kShownMax; ++shown) {
    const std::size_t end = std::min(gaps->find('\n', at), gaps->size());
    std::printf("  %s\n", printable(std::string_view(*gaps).substr(at, end - at)).c_str());
    at = end + 1;
  }
  return {};
}

/// A bundle by id in the store, or anywhere by its path, where there may be no store at all.
Result<std::string> locate(const Global& global, const EvidenceOptions& options) {
  if (options.bundle.find('/') != std::string::npos) return options.bundle;
  const Store store = TRY(Store::open_existing(TRY(evidence_folder(global, options))));
  return store.find(options.bundle);
}

void print_verification(const Global& global, const Verification& found) {
  if (global.json) {
    std::string line;
    JsonWriter json(line);
    json.begin_object().member("verified", found.problems.empty());
    write_manifest(json, found);
    json.key("signers").begin_array();
    for (const auto& signer : found.signers) {
      json.begin_object()
          .member("role", signer.role)
          .member("name", signer.name)
          .member("key_sha256", signer.fingerprint)
          .member("trusted", signer.trusted)
          .end_object();
    }
    json.end_array().key("problems").begin_array();
    for (const std::string& problem : found.problems) json.string(problem);
    json.end_array().end_object();
    std::printf("%s\n", line.c_str());
    return;
  }
  for (const std::string& problem : found.problems) {
    std::printf("WRONG  %s\n", printable(problem).c_str());
  }
  for (const auto& signer : found.signers) {
    std::printf("signed by %s %s, key %s%s\n", signer.role.c_str(), printable(signer.name).c_str(),
                signer.fingerprint.c_str(), signer.trusted ? " (trusted)" : "");
  }
  std::printf("%s %s: %llu files, %llu custody records, manifest %s\n",
              found.problems.empty() ? "VERIFIED" : "DAMAGED", printable(found.id).c_str(),
              static_cast<unsigned long long>(found.files),
              static_cast<unsigned long long>(found.custody_records),
              found.manifest_sha256.c_str());
}

Result<void> run_verify(Global& global, const EvidenceOptions& options) {
  const std::string folder = TRY(locate(global, options));
  evidence::VerifyOptions how{.trusted_pem = {}, .continuation = evidence::continuation_of(folder)};
  for (const std::string& path : options.keys) {
    how.trusted_pem.push_back(TRY(read_file(path, kKeyBytesMax)));
  }
  const Verification found = TRY(evidence::verify_bundle(folder, how));
  print_verification(global, found);
  global.exit_code = found.problems.empty() ? kOk : kFound;
  return {};
}

Result<void> run_transfer(Global& global, const EvidenceOptions& options) {
  const std::string folder = TRY(locate(global, options));
  const Verification found = TRY(evidence::verify_bundle(
      folder, {.trusted_pem = {}, .continuation = evidence::continuation_of(folder)}));
  if (!found.problems.empty()) {
    return fail(Code::kCorrupt,
                "it does not verify, so it is not handed over: " + found.problems.front());
  }
  const std::string told = TRY(record_custody(global, options, folder,
                                              {.actor = operator_name(),
                                               .role = "holder",
                                               .action = "transfer",
                                               .object = found.id + " to " + options.to,
                                               .sha256 = found.manifest_sha256,
                                               .purpose = options.purpose,
                                               .authority = options.authority}));
  std::printf("%s\n", told.c_str());
  return {};
}

void finish(Global& global, const Result<void>& outcome) {
  if (outcome) return;
  global.exit_code = report(global, outcome.error());
  if (outcome.error().code == Code::kInvalid) global.exit_code = kUsage;
}

using Shared = std::shared_ptr<EvidenceOptions>;
using Run = Result<void> (*)(Global&, const EvidenceOptions&);

CLI::App* add_one(CLI::App* parent, Global& global, const Shared& options, const char* name,
                  const char* help, Run run) {
  CLI::App* command = parent->add_subcommand(name, help);
  command
      ->add_option("--store", options->store,
                   "Store of evidence instead of the one in the configured data folder")
      ->type_name("PATH");
  command->callback([&global, options, run] { finish(global, run(global, *options)); });
  return command;
}

void add_bundle(CLI::App* command, const Shared& options) {
  command->add_option("BUNDLE", options->bundle, "Id, its beginning, or a path with a slash in it")
      ->required();
}

void add_socket(CLI::App* command, const Shared& options) {
  command->add_option("--socket", options->socket, "Control socket instead of the configured one")
      ->type_name("PATH");
}

void add_reasons(CLI::App* command, const Shared& options) {
  command->add_option("--purpose", options->purpose, "Why, for the record")->type_name("TEXT");
  command->add_option("--authority", options->authority, "Ticket or approval that allows it")
      ->type_name("TEXT");
}

void add_collect(CLI::App* parent, Global& global, const Shared& options) {
  CLI::App* command = add_one(parent, global, options, "collect",
                              "Collect and seal the evidence of one running container; needs root",
                              &run_evidence_collect);
  command->add_option("CONTAINER", options->container, "Name, id or the beginning of the id");
  command->add_option("--pid", options->pid, "One process instead of a container")
      ->type_name("UINT");
  command->add_option("--case", options->case_id, "Case that it belongs to")->type_name("TEXT");
  add_reasons(command, options);
  command->add_option("--marking", options->marking, "TLP label, TLP:RED by default")
      ->type_name("LABEL");
  command->add_option("--examiner", options->examiner, "Name of the examiner")->type_name("NAME");
  command
      ->add_option("--examiner-key", options->examiner_key,
                   "Private Ed25519 key (PEM) for the second signature")
      ->type_name("FILE");
  command->add_flag("--no-memory", options->no_memory, "No memory of processes");
  command->add_flag("--volumes", options->volumes, "Folders mounted from outside, too");
  command->add_option("--capture", options->capture_s, "Capture packets for so many seconds")
      ->type_name("UINT");
  command
      ->add_option("--since", options->since, "Events of the trail from this time or age on (60m)")
      ->type_name("TIME");
  command->add_option("--resume", options->resume, "Go on with an interrupted collection")
      ->type_name("ID");
  command->add_option("--quota-mib", options->quota_mib, "Most that the store may hold (32768)")
      ->type_name("UINT");
  command->add_option("--engine", options->engine, "Socket of the container engine")
      ->type_name("PATH");
  command
      ->add_option("--timestamp-url", options->timestamp_url, "Time-stamping authority, RFC 3161")
      ->type_name("URL");
  command->add_option("--timestamp-ca", options->timestamp_ca, "Who vouches for it, PEM")
      ->type_name("FILE");
  add_socket(command, options);
}

}  // namespace

void add_evidence(CLI::App& app, Global& global) {
  CLI::App* command = app.add_subcommand(
      "evidence", "Evidence of containers: memory, files, connections, sealed and verifiable");
  command->require_subcommand(1);
  const auto options = std::make_shared<EvidenceOptions>();
  add_collect(command, global, options);
  add_one(command, global, options, "list", "List bundles (exit 1: none)", &run_list);
  add_bundle(
      add_one(command, global, options, "show", "Show a bundle and what it lacks", &run_show),
      options);
  CLI::App* verify =
      add_one(command, global, options, "verify",
              "Verify every byte, signature and record (exit 1: damaged)", &run_verify);
  add_bundle(verify, options);
  verify->add_option("--key", options->keys, "Public key (PEM) that is trusted; repeatable")
      ->type_name("FILE");
  CLI::App* search = add_one(command, global, options, "search",
                             "Find a text in memory and files (exit 1: something was found)",
                             &run_evidence_search);
  add_bundle(search, options);
  search->add_option("PATTERN", options->pattern, "Text, or with --regex an RE2 expression");
  search->add_flag("--regex", options->regex, "The pattern is an expression");
  search->add_option("--yara", options->yara, "YARA rules instead of a pattern")->type_name("FILE");
  CLI::App* exported =
      add_one(command, global, options, "export",
              "Write a bundle as one tar file, encrypted where asked", &run_evidence_export);
  add_bundle(exported, options);
  exported->add_option("FILE", options->file, "Where to")->required()->type_name("FILE");
  exported
      ->add_option("--recipient", options->recipients,
                   "Certificate (PEM) of who may decrypt it (CMS); repeatable")
      ->type_name("FILE");
  CLI::App* transfer = add_one(command, global, options, "transfer",
                               "Record that a bundle was handed over", &run_transfer);
  add_bundle(transfer, options);
  transfer->add_option("--to", options->to, "Who has it now")->required()->type_name("NAME");
  for (CLI::App* one : {exported, transfer}) {
    add_reasons(one, options);
    add_socket(one, options);
  }
}

}  // namespace coff::cli
