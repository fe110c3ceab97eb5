// Names that attack whoever reads them, through the real kernel programs, the trail and the command
// line: JSON stays JSON, a terminal gets no control character, and what was cut says so.
#include <gtest/gtest.h>

#include <algorithm>

#include "live/agent/product_suite.hpp"

namespace coff::live {
namespace {

namespace json = boost::json;

// Sets a window title, rings, colours, breaks the line, and is no UTF-8.
const std::string kEvil = "e\x1b]0;x\x07\x1b[31m\n\r\xff\"\\";
constexpr size_t kPathMax = 4096;

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char byte) {
    return (byte < 0x20 && byte != '\n') || byte == 0x7f;
  });
}

class HostileLive : public ProductSuite {
 protected:
  static std::string start(const std::string& name, const std::string& script) {
    const auto id = engine_->docker({"run", "-d", "--network", "none", "--name", name, "--label",
                                     "l=" + kEvil, "-v", std::string(COFF_ACTOR) + ":/actor:ro",
                                     kBusyboxImage, "sh", "-c", script, "sh", kEvil});
    EXPECT_TRUE(id) << id.error().message();
    return id.value_or("");
  }
  static std::vector<json::value> events(const std::string& container) {
    return product_->events({"--container", container, "--limit", "10000"});
  }
};

TEST_F(HostileLive, NamesReachNeitherTerminalNorJsonRaw) {
  start("evil",
        "cp /actor \"/tmp/$1\"; echo > \"/etc/$1\"; \"/tmp/$1\" calls /tmp; "
        "exec \"/tmp/$1\" wait \"$1\"");
  ASSERT_TRUE(eventually([] {
    return any_of(events("evil"), [](const json::value& event) {
      return text_at(event, {"kind"}) == "exec" &&
             text_at(event, {"process", "args"}).find("\"wait\"") != std::string::npos;
    });
  })) << product_->told();
  // The name is kept as far as UTF-8 goes, so that one can search for it.
  EXPECT_TRUE(any_of(events("evil"), [](const json::value& event) {
    return text_at(event, {"file", "path"}).starts_with("/etc/e\x1b]0;x\x07\x1b[31m\n\r");
  }));
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"events", "--container", "evil", "--limit", "10000"},
        {"events", "--json", "--container", "evil", "--limit", "10000"},
        {"ps", "evil"},
        {"ps", "--json", "evil"},
        {"events", "no-such-\x1b[31m-thing"},
        {"ps", kEvil}}) {
    const auto printed = product_->cofferdam(command);
    ASSERT_TRUE(printed) << printed.error().message();
    EXPECT_FALSE(has_control(printed->out)) << command[0] << "\n" << printed->out;
    EXPECT_FALSE(has_control(printed->err)) << command[0] << "\n" << printed->err;
  }
  const auto list = product_->cofferdam({"ps", "evil"});
  EXPECT_NE(list->out.find("\\x1b]0;x"), std::string::npos) << list->out;
}

// Without colours (ESC, [, digits and semicolons, m) and the terminal's carriage returns.
std::string without_colours(std::string_view text) {
  std::string plain;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text.substr(at).starts_with("\x1b[")) {
      const size_t end = text.find_first_not_of("0123456789;", at + 2);
      if (end != std::string_view::npos && text[end] == 'm') {
        at = end;
        continue;
      }
    }
    if (!text.substr(at).starts_with("\r\n")) plain += text[at];
  }
  return plain;
}

TEST_F(HostileLive, ATerminalGetsColoursAndNoOtherSequence) {
  start("shine", "echo > \"/etc/$1\"; exec sleep 1000");
  ASSERT_TRUE(eventually([] { return !events("shine").empty(); }));
  const auto shown =
      run({"script", "-q", "-c", product_->shell("events --container shine"), "/dev/null"});
  ASSERT_TRUE(shown) << shown.error().message();
  ASSERT_NE(shown->out.find("\x1b["), std::string::npos) << "no colour: no terminal?";
  const std::string plain = without_colours(shown->out);
  EXPECT_FALSE(has_control(plain)) << plain;
}

TEST_F(HostileLive, WhatIsTooLongSaysSo) {
  // Too long for the kernel; as long as can be; and 1.8 MB of arguments.
  std::string nested;
  while (nested.size() < kPathMax - 12) nested += "./";
  start("long", "long=$(head -c 5000 /dev/zero | tr '\\0' A); echo > \"/etc/$long\"; echo > /etc/" +
                    nested +
                    "deep; big=$(head -c 100000 /dev/zero | tr '\\0' B); /bin/true "
                    "$big $big $big $big $big $big $big $big $big $big $big $big $big "
                    "$big $big $big $big $big; exec sleep 1000");
  ASSERT_TRUE(eventually([] {
    return any_of(events("long"), [](const json::value& event) {
      return text_at(event, {"kind"}) == "exec" &&
             text_at(event, {"process", "args"}) == R"(["sleep","1000"])";
    });
  }));
  const auto all = events("long");
  EXPECT_TRUE(any_of(all, [](const json::value& event) {
    return text_at(event, {"kind"}) == "open" &&
           text_at(event, {"file", "path"}).starts_with("/etc/AAAA") &&
           text_at(event, {"truncated"}) == "true";
  }));
  EXPECT_TRUE(any_of(all, [&](const json::value& event) {
    return text_at(event, {"kind"}) == "open" && text_at(event, {"file", "path"}) == "/etc/deep" &&
           text_at(event, {"truncated"}).empty();
  }));
  EXPECT_TRUE(any_of(all, [](const json::value& event) {
    return text_at(event, {"kind"}) == "exec" && text_at(event, {"process", "name"}) == "true" &&
           text_at(event, {"truncated"}) == "true";
  }));
}

}  // namespace
}  // namespace coff::live
