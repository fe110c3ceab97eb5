// Checked view of one kernel record (bpf/wire.h): nothing of it is trusted before parse() agrees.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "base/result.hpp"
#include "bpf/wire.h"

namespace coff::schema {

/// Shapes of the wire: which struct a record of a kind starts with.
enum class Shape : unsigned char { fork, exec, exit, file, sock, call, cgroup, api, flow };

/// Shape of each kind, index enum coff_kind.
inline constexpr Shape kShapes[COFF_KINDS] = {
#define COFF_X(name, shape, lane, doc) Shape::shape,
    COFF_EVENTS(COFF_X)
#undef COFF_X
};
/// Lane of each kind, index enum coff_kind.
inline constexpr coff_lane kLanes[COFF_KINDS] = {
#define COFF_X(name, shape, lane, doc) COFF_LANE_##lane,
    COFF_EVENTS(COFF_X)
#undef COFF_X
};
/// Name of each kind, index enum coff_kind.
inline constexpr std::string_view kKindNames[COFF_KINDS] = {
#define COFF_X(name, shape, lane, doc) #name,
    COFF_EVENTS(COFF_X)
#undef COFF_X
};

/// A record whose header and strings were checked. Borrows the bytes: valid while they are.
class Record {
 public:
  /// Checks one record: 8-byte aligned, at least its shape, `size` equal to the span's and at most
  /// COFF_RECORD_MAX, a known kind on its own lane, each string wholly in the tail. kCorrupt
  /// otherwise. Costs some ten nanoseconds and allocates only on failure.
  static Result<Record> parse(std::span<const std::byte> bytes);

  [[nodiscard]] const coff_hdr& header() const { return *view<coff_hdr>(); }
  [[nodiscard]] coff_kind kind() const { return static_cast<coff_kind>(header().kind); }
  [[nodiscard]] Shape shape() const { return kShapes[header().kind]; }

  // The record as its shape. A programmer's error when the kind has another one.
  [[nodiscard]] const coff_fork& fork() const { return as<coff_fork>(Shape::fork); }
  [[nodiscard]] const coff_exec& exec() const { return as<coff_exec>(Shape::exec); }
  [[nodiscard]] const coff_exit& exit() const { return as<coff_exit>(Shape::exit); }
  [[nodiscard]] const coff_file& file() const { return as<coff_file>(Shape::file); }
  [[nodiscard]] const coff_sock& sock() const { return as<coff_sock>(Shape::sock); }
  [[nodiscard]] const coff_call& call() const { return as<coff_call>(Shape::call); }
  [[nodiscard]] const coff_cgroup& cgroup() const { return as<coff_cgroup>(Shape::cgroup); }
  [[nodiscard]] const coff_api& api() const { return as<coff_api>(Shape::api); }
  [[nodiscard]] const coff_flow& flow() const { return as<coff_flow>(Shape::flow); }

  /// Bytes of a string member of this record; empty when not known or not applicable.
  [[nodiscard]] std::string_view text(coff_str where) const {
    return {reinterpret_cast<const char*>(bytes_.data()) + where.off, where.len};
  }
  /// Thread name without its padding, at most 15 bytes (16 from a broken kernel).
  [[nodiscard]] std::string_view comm() const;

 private:
  explicit Record(std::span<const std::byte> bytes) : bytes_(bytes) {}

  template <typename T>
  [[nodiscard]] const T* view() const {
    return reinterpret_cast<const T*>(bytes_.data());
  }
  template <typename T>
  [[nodiscard]] const T& as(Shape expected) const {
    COFF_ASSERT(shape() == expected);
    return *view<T>();
  }

  std::span<const std::byte> bytes_;
};

}  // namespace coff::schema
