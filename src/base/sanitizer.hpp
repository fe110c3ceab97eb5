// Whether this is a build with the address sanitizer, whose shadow is terabytes of address space.
#pragma once

#ifdef __has_feature
#define COFF_HAS_FEATURE(name) __has_feature(name)
#else
#define COFF_HAS_FEATURE(name) 0
#endif

namespace coff {

#if defined(__SANITIZE_ADDRESS__) || COFF_HAS_FEATURE(address_sanitizer)
inline constexpr bool kAddressSanitizer = true;
#else
inline constexpr bool kAddressSanitizer = false;
#endif

}  // namespace coff
