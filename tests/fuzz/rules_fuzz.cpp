// Rule files: no input crashes the loader or the evaluation of what it loaded.
#include <fcntl.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "rules/parser.hpp"
#include "rules/rules.hpp"
#include "schema/testing/sample_events.hpp"

namespace {

using namespace coff;

void check_condition(std::string_view text) {
  const auto parsed = rules::parse_condition(text);
  if (!parsed) {
    COFF_ASSERT(!parsed.error().message.empty());
    COFF_ASSERT(!rules::snippet(text, parsed.error().place).empty());
    return;
  }
  const std::string written = rules::to_text(*parsed);
  const auto again = rules::parse_condition(written);
  COFF_ASSERT(again.has_value());
  COFF_ASSERT(rules::to_text(*again) == written);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (!text.empty() && text[0] != '-') {
    check_condition(text);
    return 0;
  }
  rules::Loader loader;
  loader.add("fuzz.yaml", text);
  const rules::Loaded loaded = loader.finish();
  for (const rules::Problem& problem : loaded.problems) {
    COFF_ASSERT(!rules::to_text(problem).empty());
    COFF_ASSERT(rules::to_json(problem).front() == '{');
  }
  rules::Evaluator evaluator(loaded.rules);
  schema::testing::RecordBuilder open(COFF_KIND_open);
  open.file().open_flags = O_WRONLY;
  open.text(&coff_file::raw, "/etc/shadow");
  for (const Event& event : {schema::testing::sample_exec(), schema::testing::sample_event(open)}) {
    for (const std::uint32_t rule : evaluator.matches({.event = event, .number = 1})) {
      COFF_ASSERT(rules::falco_json(evaluator.finding(rule), "host").front() == '{');
    }
  }
  return 0;
}
