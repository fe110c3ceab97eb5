// Cases of the third-party rule suite, read from its YAML and turned into scripts of our own.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "live/rules/cases.hpp"

namespace coff::live {

struct SuiteCase {
  std::string name;  ///< The test's, and the values of this case.
  std::string rule;
  Place place = Place::kHost;
  std::string priority;                       ///< As the suite expects it, lower case.
  std::map<std::string, std::string> fields;  ///< Expected of the finding's output.
  std::string script;
  std::string cannot;  ///< Why it does not run here; "" when it does.
};

/// Every case of one file: each test once for every combination of its values.
Result<std::vector<SuiteCase>> read_suite(const std::string& path);

}  // namespace coff::live
