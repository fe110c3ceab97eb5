// Repeated connections are told once in a window, with their number.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.hpp"
#include "live/sensor/collector.hpp"
#include "live/support/require.hpp"

namespace coff::live {
namespace {

// A listener on the loopback of this process, and connections of it to itself.
class Loopback {
 public:
  Loopback() {
    sockaddr_in address{.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    listener_ = Fd(::socket(AF_INET, SOCK_STREAM, 0));
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener_.get(), 16), 0);
    EXPECT_EQ(::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    address_ = address;
  }
  [[nodiscard]] bool connect_and_accept() const {
    const Fd client(::socket(AF_INET, SOCK_STREAM, 0));
    if (::connect(client.get(), reinterpret_cast<const sockaddr*>(&address_), sizeof address_) != 0)
      return false;
    const Fd server(::accept(listener_.get(), nullptr, nullptr));
    return server.valid();
  }
  [[nodiscard]] std::uint16_t port() const { return ntohs(address_.sin_port); }

 private:
  Fd listener_;
  sockaddr_in address_{};
};

TEST(Repeats, EqualConnectionsAreToldOnceAWindowWithTheirNumber) {
  COFF_NEED("ebpf", ebpf_missing());
  KernelFilter filter = everything();
  filter.repeat_window_ns = 400'000'000;
  auto collector = Collector::open(filter);
  ASSERT_TRUE(collector) << collector.error().message();
  collector->drain();
  const auto before = collector->sensor().totals();
  const Loopback one;
  const Loopback two;
  // In another process: the sensor does not report its own.
  const pid_t child = ::fork();
  if (child == 0) {
    bool connected = true;
    for (int at = 0; at < 5; ++at) connected &= one.connect_and_accept();
    connected &= two.connect_and_accept();
    usleep(500'000);
    connected &= one.connect_and_accept();
    _exit(connected ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  collector->drain();
  for (const Kind kind : {Kind::connect, Kind::accept}) {
    std::vector<std::uint64_t> repeats;
    size_t others = 0;
    for (const Event& event : collector->events()) {
      if (event.kind != kind || event.process == nullptr ||
          event.process->pid != static_cast<std::uint32_t>(child))
        continue;
      const auto& socket = std::get<SocketInfo>(event.detail);
      const auto port = kind == Kind::connect ? socket.remote.port : socket.local.port;
      if (port == one.port()) repeats.push_back(socket.repeats);
      others += port == two.port();
    }
    EXPECT_EQ(repeats, (std::vector<std::uint64_t>{0, 4})) << static_cast<int>(kind);
    EXPECT_EQ(others, 1U);
    const auto at = static_cast<size_t>(kind);
    EXPECT_GE(collector->sensor().totals()[at].filtered - before[at].filtered, 4U);
  }
}

}  // namespace
}  // namespace coff::live
