// Configuration files: no input crashes the reader, and what passes reads back equal.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/result.hpp"
#include "config/config.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, size_t size) {
  using namespace coff::config;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Parsed parsed = parse_config(text, "fuzz.yaml");
  for (const Problem& problem : parsed.problems) {
    COFF_ASSERT(!to_text(problem).empty());
    COFF_ASSERT(to_json(problem).front() == '{');
  }
  if (parsed.problems.empty()) {
    const Parsed again = parse_config(to_yaml(parsed.config), "again.yaml");
    COFF_ASSERT(again.problems.empty());
    COFF_ASSERT(again.config == parsed.config);
  }
  return 0;
}
