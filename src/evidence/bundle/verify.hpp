// Checking a sealed bundle: every byte, every file, every signature, every custody record.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "evidence/bundle/custody.hpp"

namespace coff::evidence {

struct VerifyOptions {
  std::vector<std::string> trusted_pem;  ///< Public keys; empty: those inside are only named.
  std::string continuation;              ///< Path of the custody file beside it; "" = none.
};

struct CheckedSigner {
  std::string role;
  std::string name;
  std::string fingerprint;  ///< SHA-256 of the raw public key, hexadecimal.
  bool trusted = false;
};

struct Verification {
  std::string id;
  std::string case_id;
  std::string container;
  std::string sealed_at;
  std::string manifest_sha256;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::uint64_t gaps = 0;
  std::uint64_t custody_records = 0;  ///< Inside and outside.
  std::vector<CheckedSigner> signers;
  std::vector<std::string> problems;  ///< Empty: nothing is wrong.
};
/// Problems listed at most.
inline constexpr std::size_t kProblemsMax = 100;

/// The bundle is hostile input: links and special files in it are problems and never followed.
/// An Error only where there is no bundle at all.
Result<Verification> verify_bundle(const std::string& folder, const VerifyOptions& options);

/// Members of the manifest, without checking anything.
Result<Verification> read_manifest(const std::string& folder);

}  // namespace coff::evidence
