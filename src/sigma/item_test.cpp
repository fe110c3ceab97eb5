// Every modifier, and what a value means without one.
#include "sigma/item.hpp"

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "sigma/testing/fires.hpp"

namespace coff::sigma {
namespace {

using testing::executed;
using testing::firing;
using testing::holds;
using testing::load;
using testing::load_right;
using testing::only_error;
using testing::process_rule;

std::string error_of(const std::string& item, Options options = {}) {
  return only_error(
      load(process_rule("  selection:\n    " + item + "\n", "selection"), std::move(options)));
}

TEST(Item, WithoutModifierComparesWholeAndAnyCase) {
  EXPECT_TRUE(holds("CommandLine: 'app -X'", "APP -x"));
  EXPECT_FALSE(holds("CommandLine: 'app -X'", "app -x y"));
  EXPECT_TRUE(holds("CommandLine: 'app * y?'", "app -x yz"));
  EXPECT_FALSE(holds("CommandLine: 'app * y?'", "app -x y"));
  EXPECT_TRUE(holds("CommandLine: ['a', 'b c', 'd*']", "B C"));
  EXPECT_TRUE(holds("CommandLine: ['a', 'b c', 'd*']", "dd"));
  EXPECT_FALSE(holds("CommandLine: ['a', 'b c', 'd*']", "c"));
  EXPECT_TRUE(holds("CommandLine: '*'", "x"));
  EXPECT_FALSE(holds("CommandLine: ''", "x"));
  EXPECT_TRUE(holds("ParentCommandLine: null", "x"));
  EXPECT_TRUE(holds("ParentCommandLine: ''", "x"));
  EXPECT_FALSE(holds("CommandLine: null", "x"));
}

TEST(Item, PartsOfTexts) {
  EXPECT_TRUE(holds("CommandLine|contains: 'Bc'", "aBCd"));
  EXPECT_FALSE(holds("CommandLine|contains: 'bd'", "abcd"));
  EXPECT_TRUE(holds("CommandLine|startswith: 'AB'", "abcd"));
  EXPECT_FALSE(holds("CommandLine|startswith: 'bc'", "abcd"));
  EXPECT_TRUE(holds("Image|endswith: '/App'", "app"));
  EXPECT_FALSE(holds("Image|endswith: '/app'", "apps"));
  EXPECT_TRUE(holds("CommandLine|contains: 'a?c*e'", "xxabcddee"));
  EXPECT_TRUE(holds(R"(CommandLine|contains: 'a\*b')", "a*b"));
  EXPECT_FALSE(holds(R"(CommandLine|contains: 'a\*b')", "acb"));
}

TEST(Item, AllWantsEveryValue) {
  EXPECT_TRUE(holds("CommandLine|contains|all: [aa, bb]", "x bb aa"));
  EXPECT_FALSE(holds("CommandLine|contains|all: [aa, bb]", "x bb"));
  EXPECT_TRUE(holds("CommandLine|contains: [aa, bb]", "x bb"));
}

TEST(Item, CasedAndNeq) {
  EXPECT_TRUE(holds("CommandLine|contains|cased: 'Ab'", "xAb"));
  EXPECT_FALSE(holds("CommandLine|contains|cased: 'Ab'", "xab"));
  EXPECT_TRUE(holds("CommandLine|neq: 'x'", "y"));
  EXPECT_FALSE(holds("CommandLine|neq: 'x'", "X"));
  EXPECT_FALSE(holds("CommandLine|neq: [x, y]", "y"));
  EXPECT_TRUE(holds("CommandLine|contains|neq: 'x'", "y"));
}

TEST(Item, RegularExpressionsSearchAndMindCase) {
  EXPECT_TRUE(holds(R"(CommandLine|re: '\s-[FTd]\s')", "curl -F x"));
  EXPECT_FALSE(holds(R"(CommandLine|re: '\s-[FTd]\s')", "curl -f x"));
  EXPECT_TRUE(holds(R"(CommandLine|re|i: '\s-[FTd]\s')", "curl -f x"));
  EXPECT_TRUE(holds("CommandLine|re: '(.){20,}'", "123456789 123456789 1"));
  EXPECT_FALSE(holds("CommandLine|re: '(.){20,}'", "123456789 12345678"));
  EXPECT_TRUE(holds("CommandLine|re: ['^b', 'c$']", "abc"));
  EXPECT_FALSE(holds("CommandLine|re|all: ['^b', 'c$']", "abc"));
  const auto with_break = [](const std::string& item) {
    const Loaded loaded = load_right(process_rule("  selection:\n    " + item + "\n", "selection"));
    return !firing(loaded, testing::with_arguments(executed("a"), {"a\nb"})).empty();
  };
  EXPECT_FALSE(with_break("CommandLine|re: '^b'"));
  EXPECT_TRUE(with_break("CommandLine|re|m: '^b'"));
  EXPECT_FALSE(with_break("CommandLine|re: 'a.b'"));
  EXPECT_TRUE(with_break("CommandLine|re|s: 'a.b'"));
  EXPECT_NE(error_of("CommandLine|re: '(?=x)'").find("RE2"), std::string::npos);
  EXPECT_NE(error_of("CommandLine|i: 'x'").find("behind 're'"), std::string::npos);
}

TEST(Item, Base64) {
  EXPECT_TRUE(holds("CommandLine|base64|contains: 'foobar'", "x Zm9vYmFy"));
  for (const std::string before : {"", "a", "ab", "abc"}) {
    const std::string bytes = before + "/bin/bash -i" + "zz";
    const std::string digits = to_base64(octets(bytes));
    EXPECT_TRUE(holds("CommandLine|base64offset|contains: '/bin/bash -i'", "x " + digits))
        << before;
  }
  EXPECT_FALSE(holds("CommandLine|base64offset|contains: '/bin/bash -i'", "x L2Jpbi96c2g="));
  EXPECT_NE(error_of("CommandLine|base64: 'a*'").find("wildcard"), std::string::npos);
  EXPECT_EQ(base64_offsets("foo"), (std::vector<std::string>{"Zm9v", "Zvb", "mb2"}));
}

TEST(Item, Utf16) {
  EXPECT_EQ(to_utf16("a\xE2\x82\xAC", false).value(), std::string("a\0\xAC\x20", 4));
  EXPECT_EQ(to_utf16("\xF0\x9F\x98\x80", true).value(), std::string("\xD8\x3D\xDE\x00", 4));
  EXPECT_FALSE(to_utf16("\xFF", false));
  const std::string wide = to_base64(octets(std::string_view("p\0i\0n\0g\0", 8)));
  for (const char* name : {"wide", "utf16le"}) {
    EXPECT_TRUE(
        holds("CommandLine|" + std::string(name) + "|base64offset|contains: 'ping'", "x " + wide));
  }
  const std::string big = to_base64(octets(std::string_view("\0p\0i\0n\0g", 8)));
  EXPECT_TRUE(holds("CommandLine|utf16be|base64offset|contains: 'ping'", "x " + big));
  const std::string marked = to_base64(octets(std::string_view("\xFF\xFEp\0i\0n\0g\0", 10)));
  EXPECT_TRUE(holds("CommandLine|utf16|base64|contains: 'ping'", "x " + marked));
  EXPECT_NE(error_of("CommandLine|wide: 'ping'").find("zero bytes"), std::string::npos);
}

TEST(Item, Windash) {
  for (const char* line : {"app -f x", "app /f x",
                           "app \xE2\x80\x93"
                           "f x",
                           "app \xE2\x80\x95"
                           "f x"}) {
    EXPECT_TRUE(holds("CommandLine|windash|contains: ' -f '", line)) << line;
  }
  EXPECT_FALSE(holds("CommandLine|windash|contains: ' -f '", "app +f x"));
  EXPECT_TRUE(holds("CommandLine|windash|contains: '-a -b'", "app /a -b"));
  EXPECT_EQ(windash(parse_pattern("a-b"), 10).size(), 1U) << "inside of a word";
  EXPECT_NE(error_of("CommandLine|windash: '-a -b -c -d -e -f'").find("1000"), std::string::npos);
}

TEST(Item, ExpandTakesConfiguredValues) {
  const Options options{.placeholders = {{"admins", {"root", "ad*"}}, {"none", {}}}};
  EXPECT_TRUE(holds("CommandLine|expand|contains: 'su %admins% x'", "a su ADAM x", options));
  EXPECT_FALSE(holds("CommandLine|expand|contains: 'su %admins% x'", "a su eve x", options));
  EXPECT_FALSE(holds("CommandLine|expand: '%none%'", "x", options));
  EXPECT_TRUE(holds("CommandLine|expand: '100%'", "100%", options));
  EXPECT_TRUE(holds("CommandLine: '%admins%'", "%admins%", options));
  const std::string error = error_of("CommandLine|expand: '%servers%'", options);
  EXPECT_NE(error.find("'%servers%'"), std::string::npos) << error;
  EXPECT_NE(error.find(":7:"), std::string::npos) << error;
}

TEST(Item, ExistsAndFieldsThatAreNotHere) {
  EXPECT_TRUE(holds("CommandLine|exists: true", "x"));
  EXPECT_FALSE(holds("CommandLine|exists: false", "x"));
  EXPECT_TRUE(holds("ParentCommandLine|exists: no", "x"));
  EXPECT_FALSE(holds("Hashes|exists: true", "x"));
  EXPECT_TRUE(holds("Hashes|exists: false", "x"));
  EXPECT_FALSE(holds("Hashes: abc", "x"));
  EXPECT_TRUE(holds("Hashes: null", "x"));
  EXPECT_TRUE(holds("Hashes|neq: abc", "x"));
  const Loaded loaded = load_right(process_rule("  s:\n    Hashes: abc\n", "s"));
  EXPECT_EQ(loaded.statuses.at(0).state, State::kBlind);
  EXPECT_EQ(loaded.statuses.at(0).notes.at(0), "the field 'Hashes' has no value here");
}

TEST(Item, FieldsCompareWithFields) {
  const std::string rule = "  s:\n    Image|fieldref: ParentImage\n";
  const Event event = testing::with_arguments(
      rules::testing::run("sh").parent("SH", "/usr/bin/SH").event(), {"sh"});
  EXPECT_FALSE(firing(load_right(process_rule(rule, "s")), event).empty());
  EXPECT_TRUE(
      firing(load_right(process_rule("  s:\n    Image|cased|fieldref: ParentImage\n", "s")), event)
          .empty());
  EXPECT_TRUE(holds("Image|fieldref|endswith: CommandLine", "app"));
  EXPECT_TRUE(holds("ProcessId|fieldref|neq: ParentProcessId", "app"));
  EXPECT_NE(error_of("Image|fieldref: Nothing").find("'Nothing'"), std::string::npos);
}

TEST(Item, Numbers) {
  EXPECT_TRUE(holds("ProcessId: 412", "x"));
  EXPECT_FALSE(holds("ProcessId: 41", "x"));
  EXPECT_TRUE(holds("ProcessId: [1, 412]", "x"));
  EXPECT_TRUE(holds("ProcessId: '4*2'", "x"));
  EXPECT_TRUE(holds("ProcessId|startswith: 41", "x"));
  EXPECT_TRUE(holds("ProcessId|gt: 411", "x"));
  EXPECT_FALSE(holds("ProcessId|gt: 412", "x"));
  EXPECT_TRUE(holds("ProcessId|gte: 412", "x"));
  EXPECT_TRUE(holds("ProcessId|lt: 413", "x"));
  EXPECT_FALSE(holds("ProcessId|lt: 412", "x"));
  EXPECT_TRUE(holds("ProcessId|lte: 412", "x"));
  EXPECT_TRUE(holds("CommandLine|gte: 17", "17"));
  EXPECT_FALSE(holds("CommandLine|gte: 17", "x17"));
  EXPECT_NE(error_of("ProcessId|gt: many").find("number"), std::string::npos);
}

TEST(Item, PartsOfTimes) {
  // The sample events happen on Monday, 2025-11-24 at 16:01 UTC.
  EXPECT_TRUE(holds("UtcTime|hour: 16", "x"));
  EXPECT_FALSE(holds("UtcTime|hour: 17", "x"));
  EXPECT_TRUE(holds("UtcTime|hour|gte: 16", "x"));
  EXPECT_FALSE(holds("UtcTime|hour|lt: 16", "x"));
  EXPECT_TRUE(holds("UtcTime|minute: 1", "x"));
  EXPECT_TRUE(holds("UtcTime|day: 24", "x"));
  EXPECT_TRUE(holds("UtcTime|week: 48", "x"));
  EXPECT_TRUE(holds("UtcTime|month: 11", "x"));
  EXPECT_TRUE(holds("UtcTime|year: [2024, 2025]", "x"));
  EXPECT_NE(error_of("Image|hour: 3").find("no time"), std::string::npos);
}

TEST(Item, AddressesAndNetworks) {
  const auto network_rule = [](const std::string& item) {
    return "title: T\nlogsource: {category: network_connection, product: linux}\ndetection:\n"
           "  s:\n    " +
           item + "\n  condition: s\n";
  };
  const auto reaches = [&](const std::string& item, const char* address) {
    return !firing(load_right(network_rule(item)), rules::testing::connected(address, 443).event())
                .empty();
  };
  EXPECT_TRUE(reaches("DestinationIp|cidr: 10.0.0.0/8", "10.1.2.3"));
  EXPECT_FALSE(reaches("DestinationIp|cidr: 10.0.0.0/8", "11.1.2.3"));
  EXPECT_TRUE(reaches("DestinationIp|cidr: ['10.0.0.0/8', 'fe80::/10']", "fe80::1"));
  EXPECT_TRUE(reaches("DestinationIp|cidr|neq: ['10.0.0.0/8', 'fe80::/10']", "9.9.9.9"));
  EXPECT_TRUE(reaches("DestinationIp: 9.9.9.9", "9.9.9.9"));
  EXPECT_TRUE(reaches("DestinationIp: '9.9.*'", "9.9.9.9"));
  EXPECT_TRUE(reaches("DestinationIp|startswith: '9.9'", "9.9.9.9"));
  EXPECT_TRUE(reaches("DestinationPort: 443", "9.9.9.9"));
  EXPECT_TRUE(reaches("DestinationPort|lt: 1024", "9.9.9.9"));
  EXPECT_TRUE(reaches("Initiated: 'true'", "9.9.9.9"));
  EXPECT_FALSE(reaches("Initiated: false", "9.9.9.9"));
  EXPECT_NE(only_error(load(network_rule("DestinationIp|cidr: 10.0.0.0/33"))).find("no network"),
            std::string::npos);
  EXPECT_NE(error_of("Image|cidr: 10.0.0.0/8").find("address"), std::string::npos);
}

TEST(Item, ExcludingModifiersAndUnknownOnesAreRefused) {
  EXPECT_NE(error_of("Image|re|cidr: x").find("exclude"), std::string::npos);
  EXPECT_NE(error_of("Image|containz: x").find("unknown modifier 'containz'"), std::string::npos);
  EXPECT_NE(error_of("Image|: x").find("unknown modifier ''"), std::string::npos);
  EXPECT_NE(error_of("Image|exists: perhaps").find("true or false"), std::string::npos);
  EXPECT_NE(error_of("Image: []").find("empty list"), std::string::npos);
  EXPECT_NE(error_of("Image: {a: b}").find("a text or a list"), std::string::npos);
}

TEST(Item, KeywordsAreLookedForInTheCommandLineAndTheProgram) {
  const auto finds = [](const std::string& detections, std::string_view line) {
    return !firing(load_right(process_rule(detections, "k")), executed(line)).empty();
  };
  EXPECT_TRUE(finds("  k:\n    - 'SECRET'\n    - other\n", "x secret y"));
  EXPECT_FALSE(finds("  k:\n    - 'SECRET'\n    - other\n", "x y"));
  EXPECT_TRUE(finds("  k:\n    - '/usr/bin/nc'\n", "nc -l"));
  EXPECT_TRUE(finds("  k:\n    '|all':\n      - aa\n      - bb\n", "bb aa"));
  EXPECT_FALSE(finds("  k:\n    '|all':\n      - aa\n      - bb\n", "bb"));
  EXPECT_TRUE(finds("  k: a?c\n", "xx abc"));
  EXPECT_TRUE(finds("  k:\n    '|re': 'a[bc]d'\n", "xx acd"));
}

TEST(Item, ListsOfMapsAreAlternatives) {
  const std::string rule =
      "  s:\n    - Image|endswith: /nc\n      CommandLine|contains: ' -e'\n    - CommandLine: zz\n";
  const Loaded loaded = load_right(process_rule(rule, "s"));
  EXPECT_FALSE(firing(loaded, executed("nc -e")).empty());
  EXPECT_TRUE(firing(loaded, executed("nc -l")).empty());
  EXPECT_FALSE(firing(loaded, executed("zz")).empty());
}

}  // namespace
}  // namespace coff::sigma
