// Reads the third-party vectors that lie beside the repository, for tests of the room.
#pragma once

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <string>

#include "base/fd.hpp"

namespace coff::rules::testing {

/// Path of third-party data that is never part of the repository.
inline std::string data_path(const std::string& name) {
  const char* shared = std::getenv("COFF_SHARED");
  return (shared != nullptr ? std::string(shared) : COFF_SOURCE_DIR "/../shared") + "/data/" + name;
}

inline bool data_required() {
  const char* list = std::getenv("COFF_REQUIRE");
  return list != nullptr && std::string_view(list).find("data") != std::string_view::npos;
}

/// Contents of a data file, or an error when it is not there.
inline Result<std::string> read_data(const std::string& name) {
  return read_file(data_path(name), size_t{16} << 20);
}

}  // namespace coff::rules::testing

/// Defines `name` as the parsed JSON of a data file, or skips (fails where data are required).
#define COFF_NEED_VECTORS(name, file)                                             \
  const auto name##_text = ::coff::rules::testing::read_data(file);               \
  if (!name##_text) {                                                             \
    if (::coff::rules::testing::data_required()) FAIL() << file << " is missing"; \
    GTEST_SKIP() << file << " is not there";                                      \
  }                                                                               \
  const boost::json::value name = boost::json::parse(*name##_text)
