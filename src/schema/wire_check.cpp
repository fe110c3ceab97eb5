// Proves at compile time that both compilers lay the wire structs out alike: a struct without
// padding whose members are naturally aligned has one possible layout on every ABI we target.
#include <type_traits>

#include "bpf/wire.h"

namespace coff {

#define COFF_X(name, shape, lane, doc)                                  \
  static_assert(std::has_unique_object_representations_v<coff_##shape>, \
                "implicit padding in the shape of " #name);             \
  static_assert(sizeof(coff_##shape) % 8 == 0, "unaligned shape of " #name);
COFF_EVENTS(COFF_X)
#undef COFF_X
static_assert(std::has_unique_object_representations_v<coff_api_name>);
static_assert(std::has_unique_object_representations_v<coff_filter>);
static_assert(std::has_unique_object_representations_v<coff_cgroup_entry>);
static_assert(std::has_unique_object_representations_v<coff_count>);
static_assert(COFF_KINDS < 128, "kinds index the accounting array");

}  // namespace coff
