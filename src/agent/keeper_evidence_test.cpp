// The trail's entry of a sealed bundle, through the control socket of a real agent.
#include "agent/test_agent.hpp"

namespace coff::agent::test {
namespace {

using ControlEvidence = SharedAgent;

TEST_F(ControlEvidence, TheManifestsHashGetsAnEntryWithWhoAsked) {
  const std::string hash(64, 'a');
  const auto items = agent().call(
      "evidence.seal", R"({"id":"case_x","action":"record","files":3,"who":"somebody else",)"
                       R"("manifest_sha256":")" +
                           hash + R"("})");
  ASSERT_TRUE(items) << items.error().message();
  ASSERT_EQ(items->size(), 1U);
  EXPECT_NE(items->front().find("\"seq\":"), std::string::npos) << items->front();
  const std::string entry = agent().wait_entry({R"("type":"evidence")", hash, R"("id":"case_x")"});
  EXPECT_NE(entry.find(R"("files":3)"), std::string::npos) << entry;
  EXPECT_NE(entry.find(R"("who":{"uid":0)"), std::string::npos) << entry;
}

TEST_F(ControlEvidence, WhatIsNoHashIsRefused) {
  for (const char* arguments : {"{}", R"({"manifest_sha256":"xyz"})", R"({"manifest_sha256":7})"}) {
    const auto items = agent().call("evidence.seal", arguments);
    ASSERT_FALSE(items) << arguments;
    EXPECT_EQ(items.error().code, Code::kInvalid);
  }
}

}  // namespace
}  // namespace coff::agent::test
