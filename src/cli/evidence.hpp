// What the files of the subcommand evidence share: its options, the store, custody, the trail.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "cli/cli.hpp"
#include "evidence/bundle/store.hpp"

namespace coff::cli {

struct EvidenceOptions {
  std::string store;
  std::string socket;
  // collect
  std::string container;
  std::string case_id;
  std::string purpose;
  std::string authority;
  std::string marking = "TLP:RED";
  std::string examiner_key;
  std::string examiner;
  std::string resume;
  std::string engine;
  std::string since = "60m";
  std::string timestamp_url;
  std::string timestamp_ca;
  std::uint64_t pid = 0;
  std::uint64_t quota_mib = 32768;
  std::uint64_t capture_s = 0;
  bool no_memory = false;
  bool volumes = false;
  // the others
  std::string bundle;
  std::string pattern;
  std::string yara;
  std::string to;
  std::string file;
  std::vector<std::string> keys;
  std::vector<std::string> recipients;
  bool regex = false;
};

/// The folder that is asked for, or evidence/ in the configured data folder.
Result<std::string> evidence_folder(const Global& global, const EvidenceOptions& options);
/// Name of the user who runs this, as the login says where it does.
std::string operator_name();
std::uint32_t login_uid();
/// Records what was done with a sealed bundle in its custody, and in the trail of the agent where
/// one runs; gives a sentence for the user about the trail.
Result<std::string> record_custody(const Global& global, const EvidenceOptions& options,
                                   const std::string& folder,
                                   const evidence::CustodyRecord& record);

/// Id of the container that is asked for; "" for a process outside of any.
Result<std::string> evidence_container(const Global& global, const EvidenceOptions& options);
/// The same as run_evidence_collect() in a process of its own, which gives up rights that its
/// caller still needs: what it printed with --json.
Result<std::string> collect_evidence_apart(Global& global, const EvidenceOptions& options);

Result<void> run_evidence_collect(Global& global, const EvidenceOptions& options);
Result<void> run_evidence_search(Global& global, const EvidenceOptions& options);
Result<void> run_evidence_export(Global& global, const EvidenceOptions& options);

}  // namespace coff::cli
