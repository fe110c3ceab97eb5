// Builds kernel records by hand, for tests, fuzzing seeds and benchmarks of any room.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "schema/decode.hpp"

namespace coff::schema::testing {

/// Starts as a plausible successful record of `kind` (thread "worker" of process 412, user 1000)
/// without strings. Values that one side never makes (wrong sizes, offsets) can be forced by
/// editing the result of build().
///
///   RecordBuilder builder(COFF_KIND_open);
///   builder.file().open_flags = O_RDONLY;
///   builder.text(&coff_file::raw, "/etc/passwd");
///   auto record = Record::parse(builder.build());
class RecordBuilder {
 public:
  explicit RecordBuilder(coff_kind kind) : shape_(kShapes[kind]), words_(shape_bytes() / 8) {
    coff_hdr& head = header();
    head.kind = static_cast<std::uint16_t>(kind);
    head.lane = static_cast<std::uint8_t>(kLanes[kind]);
    head.time = 5'000'000'000;
    head.start = 3'000'000'000;
    head.cgroup = 77;
    head.pid = head.tid = 412;
    head.vpid = 7;
    head.ppid = 400;
    head.uid = head.gid = head.euid = head.egid = 1000;
    head.loginuid = head.sessionid = 4294967295U;
    head.syscall = -1;
    if (shape_ == Shape::file) file().fd = -1;
    if (shape_ == Shape::sock) sock().fd = sock().fd2 = -1;
    comm("worker");
  }

  coff_hdr& header() { return *view<coff_hdr>(); }
  coff_fork& fork() { return as<coff_fork>(Shape::fork); }
  coff_exec& exec() { return as<coff_exec>(Shape::exec); }
  coff_exit& exit() { return as<coff_exit>(Shape::exit); }
  coff_file& file() { return as<coff_file>(Shape::file); }
  coff_sock& sock() { return as<coff_sock>(Shape::sock); }
  coff_call& call() { return as<coff_call>(Shape::call); }
  coff_cgroup& cgroup() { return as<coff_cgroup>(Shape::cgroup); }
  coff_api& api() { return as<coff_api>(Shape::api); }
  coff_flow& flow() { return as<coff_flow>(Shape::flow); }

  RecordBuilder& comm(std::string_view name) {
    coff_hdr& head = header();
    std::memset(head.comm, 0, sizeof head.comm);
    std::memcpy(head.comm, name.data(), std::min(name.size(), sizeof head.comm - 1));
    return *this;
  }

  /// Appends a string to the tail and points the member at it.
  template <typename T>
  RecordBuilder& text(coff_str T::* member, std::string_view value) {
    COFF_ASSERT(sizeof(T) == words_.size() * 8);
    coff_str& where = view<T>()->*member;
    where.off = static_cast<std::uint16_t>(words_.size() * 8 + tail_.size());
    where.len = static_cast<std::uint16_t>(value.size());
    tail_ += value;
    return *this;
  }

  /// The finished bytes, 8-byte aligned; owned by the builder and valid until its next change.
  std::span<std::byte> build() {
    const size_t size = words_.size() * 8 + tail_.size();
    header().size = static_cast<std::uint32_t>(size);
    built_.assign((size + 7) / 8, 0);
    std::memcpy(built_.data(), words_.data(), words_.size() * 8);
    if (!tail_.empty()) {
      std::memcpy(reinterpret_cast<char*>(built_.data()) + words_.size() * 8, tail_.data(),
                  tail_.size());
    }
    return {reinterpret_cast<std::byte*>(built_.data()), size};
  }

 private:
  [[nodiscard]] size_t shape_bytes() const {
    constexpr size_t kSizes[] = {sizeof(coff_fork),   sizeof(coff_exec), sizeof(coff_exit),
                                 sizeof(coff_file),   sizeof(coff_sock), sizeof(coff_call),
                                 sizeof(coff_cgroup), sizeof(coff_api),  sizeof(coff_flow)};
    return kSizes[static_cast<size_t>(shape_)];
  }
  template <typename T>
  T* view() {
    return reinterpret_cast<T*>(words_.data());
  }
  template <typename T>
  T& as(Shape expected) {
    COFF_ASSERT(shape_ == expected);
    return *view<T>();
  }

  Shape shape_;
  std::vector<std::uint64_t> words_;
  std::string tail_;
  std::vector<std::uint64_t> built_;
};

}  // namespace coff::schema::testing
