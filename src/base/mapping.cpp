// A read-only shared memory mapping that unmaps itself.
#include "base/mapping.hpp"

#include <sys/mman.h>

namespace coff {

Result<Mapping> Mapping::map(int fd, size_t size_bytes) {
  void* data = ::mmap(nullptr, size_bytes, PROT_READ, MAP_SHARED, fd, 0);
  if (data == MAP_FAILED) return fail_errno("cannot map memory");
  Mapping mapping;
  mapping.data_ = data;
  mapping.size_bytes_ = size_bytes;
  return mapping;
}

Mapping::~Mapping() {
  if (data_ != nullptr) ::munmap(data_, size_bytes_);
}

}  // namespace coff
