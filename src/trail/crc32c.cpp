// CRC-32C (Castagnoli, RFC 3720 appendix B.4), with the processor's instruction where it has one.
#include "trail/crc32c.hpp"

#include <array>
#include <cstring>

#include "base/bytes.hpp"

namespace coff::trail {

namespace {

constexpr std::uint32_t kPolynomial = 0x82F63B78;  // Reflected.

constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ ((value & 1) != 0 ? kPolynomial : 0);
    table[byte] = value;
  }
  return table;
}
constexpr auto kTable = make_table();

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t crc32c_hardware(std::string_view bytes) {
  std::uint64_t value = 0xFFFFFFFF;
  while (bytes.size() >= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), 8);
    value = __builtin_ia32_crc32di(value, word);
    bytes.remove_prefix(8);
  }
  auto low = static_cast<std::uint32_t>(value);
  for (const std::uint8_t byte : octets(bytes)) low = __builtin_ia32_crc32qi(low, byte);
  return ~low;
}
#endif

}  // namespace

std::uint32_t crc32c_portable(std::string_view bytes) {
  std::uint32_t value = 0xFFFFFFFF;
  for (const std::uint8_t byte : octets(bytes)) value = value >> 8 ^ kTable[(value ^ byte) & 255];
  return ~value;
}

std::uint32_t crc32c(std::string_view bytes) {
#if defined(__x86_64__)
  static const bool kHasInstruction = __builtin_cpu_supports("sse4.2") != 0;
  if (kHasInstruction) return crc32c_hardware(bytes);
#endif
  return crc32c_portable(bytes);
}

}  // namespace coff::trail
