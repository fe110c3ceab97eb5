// SHA-256 of bytes that come piece by piece.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/fd.hpp"

struct evp_md_ctx_st;

namespace coff::evidence {

class Digest {
 public:
  Digest();
  void update(std::string_view bytes);
  /// The digest of all bytes so far; nothing may follow.
  Hash finish();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

/// Of a whole file, 1 MiB at a time; `size_bytes` becomes its length.
Result<Hash> hash_file(const std::string& path, std::uint64_t& size_bytes);
/// The same of an open file, from where it stands.
Result<Hash> hash_descriptor(const Fd& file, std::uint64_t& size_bytes);

}  // namespace coff::evidence
