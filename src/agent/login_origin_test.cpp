// Remote ends out of the kernel's tables of sockets.
#include "agent/login_origin.hpp"

#include <gtest/gtest.h>

namespace coff::agent {
namespace {

constexpr std::string_view kTable =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode\n"
    "   0: 0100007F:08FB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 "
    "50\n"
    "   1: 0100007F:08FB 070200C0:CDEF 01 00000000:00000000 00:00000000 00000000     0        0 "
    "51\n";
constexpr std::string_view kTable6 =
    "   0: 00000000000000000000000001000000:0016 B80D0120000000000000000001000000:1F90 01 "
    "00000000:00000000 00:00000000 00000000     0        0 60\n"
    "   1: 0000000000000000FFFF00000100007F:0016 0000000000000000FFFF0000070200C0:1F91 01 "
    "00000000:00000000 00:00000000 00000000     0        0 61\n";

TEST(LoginOrigin, ReadsTheRemoteEnd) {
  EXPECT_EQ(origin_in_table(kTable, "51").address, "192.0.2.7");
  EXPECT_EQ(origin_in_table(kTable, "51").port, 0xCDEF);
  EXPECT_EQ(origin_in_table(kTable6, "60").address, "2001:db8::1");
  EXPECT_EQ(origin_in_table(kTable6, "61").address, "192.0.2.7");
}

TEST(LoginOrigin, IgnoresListenersStrangersAndNonsense) {
  EXPECT_EQ(origin_in_table(kTable, "50").address, "");
  EXPECT_EQ(origin_in_table(kTable, "5").address, "");
  EXPECT_EQ(origin_in_table("a b c 01 e f g h i 51\n", "51").address, "");
  EXPECT_EQ(origin_in_table("", "51").address, "");
}

}  // namespace
}  // namespace coff::agent
