// RFC 3161: a time-stamping authority confirms when the manifest existed.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace coff::evidence {

struct TimestampOptions {
  std::string url;      ///< Of an authority, http or https; "" = none is asked.
  std::string ca_file;  ///< PEM of who vouches for it; "" = the system's.
  int time_ms_max = 15'000;
};
/// A reply is no longer than this.
inline constexpr std::size_t kTimestampBytesMax = std::size_t{256} << 10U;

/// A request (DER) for a token over `data`, with a nonce and the authority's certificate.
Result<std::string> timestamp_request(std::string_view data);
/// Checks that a reply is granted, is about `data`, and is signed by whom `ca_file` vouches for
/// ("" = the signature is not checked). Gives the time, RFC 3339 or as the token writes it.
Result<std::string> check_timestamp(std::string_view reply, std::string_view data,
                                    const std::string& ca_file);
/// Asks the authority about manifest.json and writes sig/manifest.tsq and sig/manifest.tsr.
Result<void> timestamp_bundle(const std::string& folder, const TimestampOptions& options);

}  // namespace coff::evidence
