// cofferdam evidence export: one file to hand over, and the record that it was made.
#include <cstdio>

#include "cli/evidence.hpp"
#include "evidence/bundle/export.hpp"
#include "evidence/bundle/verify.hpp"

namespace coff::cli {

Result<void> run_evidence_export(Global& global, const EvidenceOptions& options) {
  std::string folder = options.bundle;
  if (folder.find('/') == folder.npos) {
    const auto store = TRY(evidence::Store::open_existing(TRY(evidence_folder(global, options))));
    folder = TRY(store.find(options.bundle));
  }
  const auto checked = TRY(evidence::verify_bundle(
      folder, {.trusted_pem = {}, .continuation = evidence::continuation_of(folder)}));
  if (!checked.problems.empty()) {
    return fail(Code::kCorrupt, "it does not verify: " + checked.problems.front());
  }
  constexpr std::size_t kCertificateBytesMax = 65536;
  std::vector<std::string> recipients;
  for (const std::string& path : options.recipients) {
    recipients.push_back(TRY(read_file(path, kCertificateBytesMax)));
  }
  const auto exported = TRY(evidence::export_bundle(folder, options.file, recipients));
  const std::string trail = TRY(record_custody(
      global, options, folder,
      {.actor = operator_name(),
       .role = "holder",
       .action = "export",
       .object = checked.id + " to " + options.file +
                 (recipients.empty()
                      ? ""
                      : ", encrypted to " + std::to_string(recipients.size()) + " recipients"),
       .sha256 = exported.sha256,
       .purpose = options.purpose,
       .authority = options.authority}));
  std::printf("%s  %s\n%s\n", exported.sha256.c_str(), options.file.c_str(), trail.c_str());
  return {};
}

}  // namespace coff::cli
