// What a service manager hears.
#include "agent/service_manager.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <string>

#include "agent/test_agent.hpp"

namespace coff::agent::test {
namespace {

class ServiceManagerTest : public testing::Test {
 protected:
  void SetUp() override {
    heard_ = Fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un address{.sun_family = AF_UNIX};
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(::bind(heard_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ::setenv("NOTIFY_SOCKET", path_.c_str(), 1);
  }
  void TearDown() override {
    ::unsetenv("NOTIFY_SOCKET");
    ::unsetenv("WATCHDOG_USEC");
  }
  std::string hear() const {
    char buffer[256];
    const ssize_t got = ::recv(heard_.get(), buffer, sizeof buffer, 0);
    return got < 0 ? "" : std::string(buffer, static_cast<std::size_t>(got));
  }

  TemporaryDirectory directory_;
  std::string path_ = directory_.path() + "/notify";
  Fd heard_;
};

TEST_F(ServiceManagerTest, HearsOfReadinessOnce) {
  ::setenv("WATCHDOG_USEC", "60000000", 1);
  auto manager = ServiceManager::open().value();
  EXPECT_EQ(manager.alive_every_ms(), 30'000);
  manager.tell_ready("Watching");
  manager.tell_ready("again");
  manager.tell_alive();
  manager.tell_stopping();
  EXPECT_EQ(hear(), "READY=1\nSTATUS=Watching");
  EXPECT_EQ(hear(), "WATCHDOG=1");
  EXPECT_EQ(hear(), "STOPPING=1");
  EXPECT_EQ(hear(), "");
}

TEST_F(ServiceManagerTest, NobodyNeedsToListen) {
  ::unsetenv("NOTIFY_SOCKET");
  auto none = ServiceManager::open();
  ASSERT_TRUE(none);
  none->tell_ready("Watching");
  EXPECT_EQ(none->alive_every_ms(), 0);
  for (const std::string& name :
       {std::string("relative"), "/" + std::string(200, 'x'), directory_.path() + "/missing"}) {
    ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
    EXPECT_FALSE(ServiceManager::open()) << name;
  }
}

TEST_F(ServiceManagerTest, OddIntervalsAskForNothing) {
  for (const char* interval : {"", "x", "-5", "0"}) {
    ::setenv("WATCHDOG_USEC", interval, 1);
    EXPECT_EQ(ServiceManager::open()->alive_every_ms(), 0) << interval;
  }
}

}  // namespace
}  // namespace coff::agent::test
