// A sealed bundle as one tar file, encrypted to recipients (CMS, RFC 5652) where asked.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"

namespace coff::evidence {

/// Recipients of one export at most.
inline constexpr std::size_t kRecipientsMax = 32;

struct Exported {
  std::uint64_t size_bytes = 0;
  std::string sha256;  ///< Of the file that was written.
};

/// Writes `file` (it must not exist, mode 0600) from the folder and the custody beside it. With
/// `recipients_pem` the tar is the content of a DER CMS EnvelopedData, AES-256-CBC, streamed:
/// `openssl cms -decrypt -inform DER -in FILE -inkey KEY -out BUNDLE.tar` gives it back.
Result<Exported> export_bundle(const std::string& folder, const std::string& file,
                               const std::vector<std::string>& recipients_pem);

}  // namespace coff::evidence
