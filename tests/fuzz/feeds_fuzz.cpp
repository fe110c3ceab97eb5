// Feeds of advisories: no text crashes a reader, and what it read can be judged and stored.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "exposure/affected_json.hpp"
#include "exposure/feeds/feeds.hpp"

namespace {

using namespace coff;
using namespace coff::exposure;

Result<void> check(const Advisory& advisory) {
  for (const Affected& affected : advisory.affected) {
    [[maybe_unused]] const Verdict verdict = judge(affected, "1.0");
    COFF_ASSERT(affected_of(to_json(affected)).has_value());
  }
  return {};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  [[maybe_unused]] const auto format = format_of(text);
  [[maybe_unused]] const auto tracker = read_debian_tracker(text, check);
  [[maybe_unused]] const auto list = read_debian_list(text, check);
  [[maybe_unused]] const auto osv = read_osv(text, check);
  [[maybe_unused]] const auto alpine = read_alpine(text, check);
  std::int64_t published_ns = 0;
  const auto ignore = [](const std::string&, const Threat&) -> Result<void> { return {}; };
  [[maybe_unused]] const auto kev = read_kev(text, published_ns, ignore);
  [[maybe_unused]] const auto epss = read_epss(text, published_ns, ignore);
  return 0;
}
