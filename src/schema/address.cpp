// Text of addresses and devices.
#include "schema/address.hpp"

#include <arpa/inet.h>
#include <sys/sysmacros.h>

namespace coff::schema {

std::string address_text(const std::array<std::uint8_t, 16>& address, bool v6) {
  char text[INET6_ADDRSTRLEN];
  inet_ntop(v6 ? AF_INET6 : AF_INET, address.data(), text, sizeof text);
  return text;
}

unsigned device_major(std::uint64_t dev) { return gnu_dev_major(dev); }
unsigned device_minor(std::uint64_t dev) { return gnu_dev_minor(dev); }

std::string unix_path_text(std::string_view path) {
  std::string text(path);
  if (!text.empty() && text.front() == '\0') text.front() = '@';
  return text;
}

}  // namespace coff::schema
