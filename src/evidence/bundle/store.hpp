// The local store of evidence: a folder of bundles, the host's key, custody after the seal.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "evidence/bundle/custody.hpp"
#include "evidence/bundle/open_bundle.hpp"
#include "evidence/bundle/verify.hpp"
#include "trail/note.hpp"

namespace coff::evidence {

/// Bundles of a store that are listed at most.
inline constexpr std::size_t kBundlesMax = 10'000;
/// Left free on the disk whatever the quota says.
inline constexpr std::uint64_t kFreeBytesMin = std::uint64_t{512} << 20U;

struct Listed {
  std::string id;
  std::string folder;
  bool open = false;        ///< Interrupted: it can be resumed.
  std::uint64_t bytes = 0;  ///< On disk.
  Verification manifest;    ///< Unchecked; empty when open or unreadable.
  std::string problem;
};

/// Folder (0700, root's): ID.evidence, ID.open, ID.custody.jsonl, host.key.
class Store {
 public:
  /// Makes the folder and the host's key where they are missing.
  static Result<Store> open(const std::string& folder);
  /// Only for looking: nothing is made; kNotFound when there is no store.
  static Result<Store> open_existing(const std::string& folder);

  [[nodiscard]] const std::string& folder() const { return folder_; }
  [[nodiscard]] Result<std::vector<Listed>> list() const;
  /// Bytes that one more bundle may have under `quota_bytes` of all; kLimit when there are none.
  [[nodiscard]] Result<std::uint64_t> left_bytes(std::uint64_t quota_bytes) const;
  /// The sealed bundle whose id begins so, or a path to one elsewhere.
  [[nodiscard]] Result<std::string> find(const std::string& id_or_path) const;
  /// The folder of an interrupted one.
  [[nodiscard]] Result<std::string> find_open(const std::string& id) const;
  /// Private key of the host's signature; read when it is needed.
  [[nodiscard]] Result<trail::SigningKey> host_key() const;

 private:
  explicit Store(std::string folder) : folder_(std::move(folder)) {}
  std::string folder_;
};

/// "ID.custody.jsonl" beside a sealed bundle's folder.
std::string continuation_of(const std::string& sealed_folder);
/// Appends to it, after checking the chain inside and outside.
Result<void> continue_custody(const std::string& sealed_folder, const CustodyRecord& record);
/// "CASE_CONTAINER12_20260131T120000Z"; letters that a file's name shouldn't have become '-'.
std::string new_bundle_id(std::string_view case_id, std::string_view container,
                          std::int64_t wall_ns);

}  // namespace coff::evidence
