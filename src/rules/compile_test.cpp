// Compiling and evaluating conditions: the official vectors, on events made for them.
#include <gtest/gtest.h>

#include "rules/testing/ask.hpp"
#include "rules/testing/vectors.hpp"
#include "schema/testing/sample_events.hpp"

namespace coff::rules {
namespace {

using schema::Subject;
using testing::Answer;
using testing::ask;

TEST(Compile, AgreesWithTheOfficialCompileVectors) {
  COFF_NEED_VECTORS(vectors, "falco-tests/vectors/filter_compile_eval.json");
  size_t seen = 0;
  for (const auto& each : vectors.at("compile").as_array()) {
    const std::string filter(each.at("filter").as_string());
    const Answer answer = ask(filter, nullptr);
    EXPECT_NE(answer.compiled, each.at("expect_fail").as_bool())
        << filter << ": " << answer.message;
    ++seen;
  }
  EXPECT_GE(seen, 100U);
}

TEST(Compile, AgreesWithTheOfficialRunVectors) {
  COFF_NEED_VECTORS(vectors, "falco-tests/vectors/filter_compile_eval.json");
  const Event event = schema::testing::sample_exec();
  const Subject subject{.event = event, .number = 1};
  size_t seen = 0;
  for (const auto& each : vectors.at("filter_run").as_array()) {
    const std::string filter(each.at("filter").as_string());
    const Answer answer = ask(filter, &subject);
    EXPECT_TRUE(answer.compiled) << filter << ": " << answer.message;
    EXPECT_EQ(answer.result, each.at("result").as_bool()) << filter;
    ++seen;
  }
  EXPECT_GE(seen, 10U);
}

}  // namespace
}  // namespace coff::rules
