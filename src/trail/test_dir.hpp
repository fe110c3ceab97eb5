// A temporary directory for one test, and a log in it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "trail/log.hpp"

namespace coff::trail {

/// Removed with everything in it at the end of the test.
class TestDir {
 public:
  TestDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "coff_trail_XXXXXX").string();
    COFF_ASSERT(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  TestDir(const TestDir&) = delete;
  TestDir& operator=(const TestDir&) = delete;
  ~TestDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline LogOptions test_options(const std::string& dir, Fs* fs = nullptr) {
  return {.dir = dir,
          .origin_prefix = "cofferdam/test/host",
          .segment_bytes_max = 8192,
          .reserve_bytes = 4096,
          .fs = fs};
}

/// An entry of about `size_bytes` bytes that names itself.
inline std::string test_entry(std::uint64_t number, size_t size_bytes = 200) {
  std::string entry =
      R"({"type":"event","time":"2026-01-31T12:00:00.000000001Z","boot":1,"n":)" +
      std::to_string(number) + R"(,"fill":")";
  while (entry.size() + 2 < size_bytes) entry += static_cast<char>('a' + (number + entry.size()) % 26);
  return entry + "\"}";
}

}  // namespace coff::trail
