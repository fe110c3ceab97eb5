// Sigma files: no input crashes the loader, the rules that it made, or their correlations.
#include <fcntl.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "rules/push_down.hpp"
#include "schema/testing/sample_events.hpp"
#include "sigma/condition.hpp"
#include "sigma/correlator.hpp"
#include "sigma/pattern.hpp"
#include "sigma/sigma.hpp"

namespace {

using namespace coff;

void check_parts(std::string_view text) {
  const auto condition = sigma::parse_condition(text);
  COFF_ASSERT(condition.has_value() || condition.error().offset <= text.size());
  const sigma::Pattern pattern = sigma::parse_pattern(text);
  COFF_ASSERT(sigma::parse_pattern(sigma::to_text(pattern)) == pattern);
  if (pattern.is_text()) COFF_ASSERT(sigma::matches(pattern, pattern.runs.front(), false));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (text.find(':') == std::string::npos) {
    check_parts(text);
    return 0;
  }
  sigma::Loader loader({}, {.placeholders = {{"name", {"value", "w*"}}}});
  loader.add("fuzz.yml", text);
  const sigma::Loaded loaded = loader.finish();
  for (const rules::Problem& problem : loaded.rules.problems) {
    COFF_ASSERT(!rules::to_text(problem).empty());
  }
  for (const sigma::RuleStatus& status : loaded.statuses) {
    COFF_ASSERT(sigma::to_json(status).front() == '{');
  }
  rules::kernel_filter(*loaded.rules.rules);
  rules::Evaluator evaluator(loaded.rules.rules);
  sigma::Correlator correlator(loaded.correlations);
  schema::testing::RecordBuilder open(COFF_KIND_open);
  open.file().open_flags = O_WRONLY;
  open.text(&coff_file::raw, "/etc/shadow");
  std::vector<sigma::Correlated> correlated;
  for (const Event& event : {schema::testing::sample_exec(), schema::testing::sample_event(open)}) {
    const schema::Subject subject{.event = event, .number = 1};
    const auto matched = evaluator.matches(subject);
    for (const std::uint32_t rule : matched) {
      COFF_ASSERT(rules::falco_json(evaluator.finding(rule), "host").front() == '{');
    }
    correlator.ask(subject, matched, correlated);
  }
  correlator.pass(std::uint64_t{1} << 62, correlated);
  return 0;
}
