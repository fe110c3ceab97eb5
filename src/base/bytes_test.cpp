// Encodings, digests and terminal safety.
#include "base/bytes.hpp"

#include <gtest/gtest.h>

namespace coff {
namespace {

TEST(Bytes, Sha256MatchesFips180) {
  EXPECT_EQ(to_hex(sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256({"a", "bc"}), sha256("abc"));
}

TEST(Bytes, Base64RoundTripsEveryLength) {
  std::string text;
  for (int length = 0; length < 70; ++length) {
    const auto back = from_base64(to_base64(octets(text)));
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(*back, text);
    text += static_cast<char>(length * 37);
  }
}

TEST(Bytes, Base64RefusesWhatIsNotCanonical) {
  for (const char* bad : {"A", "AAA", "AB==C", "A===", "AB==AB==", "AA\n=", "AB==", "AAB="}) {
    EXPECT_FALSE(from_base64(bad).has_value()) << bad;
  }
  EXPECT_EQ(from_base64("AA==").value(), std::string(1, '\0'));
}

TEST(Bytes, HexRefusesGarbage) {
  EXPECT_EQ(from_hex("00fF").value(), std::string("\x00\xff", 2));
  EXPECT_FALSE(from_hex("0").has_value());
  EXPECT_FALSE(from_hex("0g").has_value());
}

TEST(Bytes, Utf8FollowsRfc3629) {
  EXPECT_EQ(utf8_sequence("a"), 1U);
  EXPECT_EQ(utf8_sequence("\xC3\xA9"), 2U);
  EXPECT_EQ(utf8_sequence("\xE2\x82\xAC"), 3U);
  EXPECT_EQ(utf8_sequence("\xF0\x9F\x90\x8B"), 4U);
  for (const char* bad : {"\x80", "\xC0\x80", "\xC3", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xFF"}) {
    EXPECT_EQ(utf8_sequence(bad), 0U);
  }
}

TEST(Bytes, PrintableNeverInjectsTheTerminal) {
  EXPECT_EQ(printable("a\x1b[31mb\n"), "a\\x1b[31mb\\x0a");
  EXPECT_EQ(printable("\xE2\x80\xAEtxt"), "\\u{202e}txt");
  EXPECT_EQ(printable("\xC2\x9B"), "\\u{009b}");
  EXPECT_EQ(printable("\xFFé"), "\\xffé");
}

}  // namespace
}  // namespace coff
