// CRC-32C (Castagnoli, RFC 3720 appendix B.4), with the processor's instruction where it has one.
#pragma once

#include <cstdint>
#include <string_view>

namespace coff::trail {

std::uint32_t crc32c(std::string_view bytes);
/// The table version, for processors without the instruction; public so that a test compares both.
std::uint32_t crc32c_portable(std::string_view bytes);

}  // namespace coff::trail
