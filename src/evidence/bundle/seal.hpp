// Sealing a bundle: sums, manifest, signatures. docs/formats/evidence.md has every byte.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "evidence/bundle/open_bundle.hpp"
#include "evidence/process.hpp"
#include "trail/note.hpp"

namespace coff::evidence {

inline constexpr std::string_view kSumsFile = "SHA256SUMS";
inline constexpr std::string_view kManifestFile = "manifest.json";
inline constexpr std::string_view kManifestFormat = "cofferdam-evidence";
inline constexpr int kManifestVersion = 1;
/// Ending of a sealed bundle's folder, and of one that is being collected.
inline constexpr std::string_view kSealedEnding = ".evidence";
inline constexpr std::string_view kOpenEnding = ".open";

/// Who signs: "host" always, "examiner" where a person's key is at hand.
struct Signer {
  std::string role;
  std::string name;
  const trail::SigningKey* key = nullptr;
};

/// What the manifest says beside what the bundle itself knows.
struct SealFacts {
  std::string id;
  std::string case_id;
  std::string purpose;
  std::string authority;  ///< Ticket or approval.
  std::string marking;    ///< TLP 2.0 label, e.g. "TLP:RED".
  std::string operator_name;
  std::uint32_t operator_uid = 0;
  std::uint32_t operator_login_uid = 0;
  std::string container_name;
  std::string image;
  std::int64_t begun_wall_ns = 0;
  Target target;
  std::vector<Signer> signers;
};

struct Sealed {
  std::string folder;
  Hash manifest_sha256{};
  CustodyHead custody;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::uint64_t gaps = 0;
};

/// Writes README.txt, index.html, SHA256SUMS, manifest.json and sig/, makes all durable and renames
/// NAME.open to NAME.evidence. Every item is read again and must still have the hash of its
/// collection.
Result<Sealed> seal(OpenBundle& bundle, const SealFacts& facts);

/// The facts that a page for people needs.
std::string readme_text(const SealFacts& facts);
std::string index_page(const OpenBundle& bundle, const SealFacts& facts);

}  // namespace coff::evidence
