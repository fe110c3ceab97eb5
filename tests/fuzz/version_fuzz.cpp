// Versions: every comparison is a total order, whatever the texts are.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/result.hpp"
#include "exposure/version/version.hpp"

namespace {

using namespace coff::exposure;

int sign(int value) { return value < 0 ? -1 : (value > 0 ? 1 : 0); }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, size_t size) {
  // Three versions, a line each.
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  std::string_view versions[3];
  for (std::string_view& version : versions) {
    const size_t end = rest.find('\n');
    version = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  }
  const auto& [a, b, c] = versions;
  for (const Scheme scheme : {Scheme::kDebian, Scheme::kRpm, Scheme::kApk, Scheme::kSemver,
                              Scheme::kPep440, Scheme::kMaven, Scheme::kGem}) {
    COFF_ASSERT(compare_versions(scheme, a, a) == 0);
    const int ab = sign(compare_versions(scheme, a, b));
    COFF_ASSERT(ab == -sign(compare_versions(scheme, b, a)));
    const int bc = sign(compare_versions(scheme, b, c));
    const int ac = sign(compare_versions(scheme, a, c));
    // Maven's specification pads the shorter version by what it is compared with: for texts that no
    // build makes, such as ".", ".ev++" and "..a0", that is no order.
    if (scheme == Scheme::kMaven) continue;
    if (ab <= 0 && bc <= 0) COFF_ASSERT(ac <= 0);
    if (ab == 0 && bc == 0) COFF_ASSERT(ac == 0);
  }
  return 0;
}
