// Profiles of learned behaviour: no file crashes the reader, and what passes reads back equal.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/result.hpp"
#include "baseline/profile.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, size_t size) {
  using namespace coff::baseline;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string general = generalised_path(text);
  COFF_ASSERT(generalised_path(general).size() <= general.size());
  constexpr std::size_t kFeaturesMax = 500;
  const auto profile = parse_profile(text, kFeaturesMax);
  if (!profile) return 0;
  COFF_ASSERT(profile->size() <= kFeaturesMax + PathTree::kDepthMax);
  const std::string written = to_json(*profile);
  const auto again = parse_profile(written, 2 * kFeaturesMax);
  COFF_ASSERT(again.has_value());
  COFF_ASSERT(again->fingerprint() == profile->fingerprint());
  COFF_ASSERT(to_json(*again) == written);
  return 0;
}
