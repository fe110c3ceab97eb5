// The text of the packet filter: what is closed, for whom it is open, and what can't be put into
// it.
#include "response/packet_filter.hpp"

#include <gtest/gtest.h>

#include "response/guard_rails.hpp"
#include "response/links.hpp"

namespace coff::response {
namespace {

const std::string kId(64, 'a');

TEST(PacketFilter, EveryDeviceIsClosedInBothDirections) {
  const auto text = render_table({.container_id = kId, .devices = {"veth1", "veth2"}});
  ASSERT_TRUE(text) << text.error().message();
  for (const char* part :
       {"hook ingress device \"veth1\"", "hook egress device \"veth1\"",
        "hook ingress device \"veth2\"", "hook egress device \"veth2\"", "policy drop"}) {
    EXPECT_NE(text->find(part), std::string::npos) << part;
  }
  // Without an investigator no frame of any protocol passes: the sets are empty.
  EXPECT_EQ(text->find("elements"), std::string::npos) << *text;
  EXPECT_EQ(text->find("nd-neighbor"), std::string::npos) << *text;
  // One transaction takes the old table away and puts the new one in its place.
  EXPECT_TRUE(text->starts_with("add table netdev " + table_name(kId) + "\ndelete table"));
}

TEST(PacketFilter, OnlyInvestigatorsAndTheirGatewayAreLetThrough) {
  const auto text = render_table({.container_id = kId,
                                  .devices = {"veth1"},
                                  .allowed = {"10.1.2.0/24", "2001:db8::7"},
                                  .neighbors = {"10.9.0.1"}});
  ASSERT_TRUE(text) << text.error().message();
  EXPECT_NE(text->find("set allowed4 { type ipv4_addr; flags interval; auto-merge; elements = { "
                       "10.1.2.0/24, }"),
            std::string::npos)
      << *text;
  EXPECT_NE(text->find("elements = { 2001:db8::7, }"), std::string::npos) << *text;
  EXPECT_NE(text->find("elements = { 10.1.2.0/24, 10.9.0.1, }"), std::string::npos) << *text;
}

TEST(PacketFilter, NothingFromOutsideBecomesText) {
  EXPECT_FALSE(render_table({.container_id = kId, .devices = {"a\"; flush ruleset"}}));
  EXPECT_FALSE(render_table({.container_id = "../../x", .devices = {"veth1"}}));
  EXPECT_FALSE(render_table(
      {.container_id = kId, .devices = {"veth1"}, .allowed = {"10.0.0.1 }; flush ruleset"}}));
  EXPECT_FALSE(render_table({.container_id = kId,
                             .devices = {"veth1"},
                             .allowed = std::vector<std::string>(kAllowedMax + 1, "10.0.0.1")}));
}

TEST(PacketFilter, AddressesAreReadStrictly) {
  for (const char* good : {"10.0.0.1", "10.0.0.0/8", "0.0.0.0/1", "::1", "2001:db8::/32"}) {
    EXPECT_TRUE(check_address(good)) << good;
  }
  for (const char* bad : {"", "10.0.0", "10.0.0.1/33", "10.0.0.1/0", "10.0.0.1/", "::1/129", "x",
                          "10.0.0.1/8x", "10.0.0.1 "}) {
    EXPECT_FALSE(check_address(bad)) << bad;
  }
}

TEST(PacketFilter, TheKernelsListingIsReadBack) {
  const FilterState state = parse_table(
      "table netdev cofferdam_a {\n\tset allowed4 {\n\t\ttype ipv4_addr\n\t\tflags interval\n\t}\n"
      "\tchain from_0 {\n"
      "\t\ttype filter hook ingress device \"veth1\" priority -500; policy drop;\n"
      "\t\tip daddr @allowed4 counter packets 3 bytes 200 accept\n"
      "\t\tcounter packets 7 bytes 500 drop\n\t}\n"
      "\tchain to_0 {\n"
      "\t\ttype filter hook egress devices = { \"veth1\" } priority -500; policy drop;\n"
      "\t\tcounter packets 2 bytes 100 drop\n\t}\n}\n");
  EXPECT_TRUE(state.exists);
  EXPECT_EQ(state.closed_from, std::vector<std::string>{"veth1"});
  EXPECT_EQ(state.closed_to, std::vector<std::string>{"veth1"});
  EXPECT_EQ(state.dropped_packets, 9U);
  EXPECT_EQ(state.passed_packets, 3U);
}

TEST(Links, NamesThatNoEngineGivesAreNotPlain) {
  EXPECT_TRUE(is_plain_name("veth1a2b3c4"));
  for (const char* bad : {"", "a b", "a\"", "a;b", "a{", "1234567890123456"}) {
    EXPECT_FALSE(is_plain_name(bad)) << bad;
  }
}

TEST(GuardRails, PatternsStandForWholeNames) {
  EXPECT_TRUE(fits("db*", "db-primary"));
  EXPECT_TRUE(fits("*:5000/*/agent*", "reg:5000/sec/agent:1"));
  EXPECT_TRUE(fits("*", ""));
  EXPECT_FALSE(fits("db", "db-primary"));
  EXPECT_FALSE(fits("", "x"));
  EXPECT_FALSE(fits("a*b*c", "a-b-d"));
  EXPECT_TRUE(fits("a*b*c", "abbbcbc"));
}

}  // namespace
}  // namespace coff::response
