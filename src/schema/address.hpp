// Text of addresses and devices.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace coff::schema {

/// "10.0.0.1" or "2001:db8::1" (RFC 5952); `v6` says how many of the bytes count.
std::string address_text(const std::array<std::uint8_t, 16>& address, bool v6);
/// Major and minor of a kernel device number as stat(2) reports it.
unsigned device_major(std::uint64_t dev);
unsigned device_minor(std::uint64_t dev);
/// Name of a unix socket for people: "@name" for abstract ones.
std::string unix_path_text(std::string_view path);

}  // namespace coff::schema
