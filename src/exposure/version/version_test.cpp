// The order of versions against the vectors of the packaging systems themselves.
#include "exposure/version/version.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "exposure/version/compare.hpp"

namespace coff::exposure {
namespace {

std::string shared(const std::string& path) {
  const char* folder = std::getenv("COFF_SHARED");
  return (folder != nullptr ? std::string(folder) : COFF_SOURCE_DIR "/../shared") + "/data/" + path;
}

bool data_required() {
  const char* required = std::getenv("COFF_REQUIRE");
  return required != nullptr && std::string_view(required).find("data") != std::string_view::npos;
}

/// Lines of a vector file; none when the data isn't there.
std::vector<std::string> lines_of(const std::string& path) {
  std::vector<std::string> lines;
  const auto text = read_file(shared("vercmp/" + path), std::size_t{4} << 20U);
  if (!text) {
    EXPECT_FALSE(data_required()) << text.error().message();
    return lines;
  }
  std::istringstream stream(*text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

#define LINES_OR_SKIP(path)                                           \
  __extension__({                                                     \
    auto found = lines_of(path);                                      \
    if (found.empty()) GTEST_SKIP() << "no vectors (" << path << ")"; \
    found;                                                            \
  })

int sign(int value) { return value < 0 ? -1 : (value > 0 ? 1 : 0); }

void expect_order(Scheme scheme, const std::string& left, int expected, const std::string& right) {
  EXPECT_EQ(sign(compare_versions(scheme, left, right)), expected)
      << scheme_name(scheme) << ": " << left << " with " << right;
  EXPECT_EQ(sign(compare_versions(scheme, right, left)), -expected)
      << scheme_name(scheme) << ": " << right << " with " << left;
}

/// Texts between these quotes on one line.
std::vector<std::string> quoted(const std::string& line, char quote) {
  std::vector<std::string> texts;
  for (std::size_t at = line.find(quote); at != std::string::npos;) {
    const std::size_t end = line.find(quote, at + 1);
    if (end == std::string::npos) break;
    texts.push_back(line.substr(at + 1, end - at - 1));
    at = line.find(quote, end + 1);
  }
  return texts;
}

TEST(Version, DebianVectorsOfDpkg) {
  std::size_t count = 0;
  bool in_data = false;
  for (const std::string& line : LINES_OR_SKIP("dpkg/Dpkg_Version.t")) {
    std::istringstream words(line);
    std::string left;
    std::string right;
    int expected = 0;
    if (in_data && words >> left >> right >> expected) {
      expect_order(Scheme::kDebian, left, expected, right);
      ++count;
    }
    in_data |= line == "__DATA__";
  }
  EXPECT_GT(count, 30U);
}

TEST(Version, DebianValidity) {
  for (const char* good :
       {"0", "0:0", "0:0-0-0", "0:0:0-0", "0:09azAZ.-+~:-0", "0:0-azAZ09.+~", "  \t0:0-1",
        "0:0-1\t  ", "1:1.2.3", "6.0-4.el6.x86_64x", "2:7.4.052-1ubuntu3.1"}) {
    EXPECT_EQ(valid_version(Scheme::kDebian, good),
              std::string_view(good).find('_') == std::string_view::npos)
        << good;
  }
  for (const char* bad :
       {"", "  ", "0:", ":1.0", "1.0-", "0:0 0-1", "-1:0-1", "a:0-0", "2:-1u3.1",
        "999999999999999999999999:0-1", "2:A7.4.052-1", "2:7.4.!052-1", "7.4.052-!1"}) {
    EXPECT_FALSE(valid_version(Scheme::kDebian, bad)) << bad;
  }
}

TEST(Version, DebianPairsOfGoDebVersion) {
  std::size_t count = 0;
  for (const std::string& line : LINES_OR_SKIP("knqyf263/go-deb-version-version_test.go")) {
    const std::vector<std::string> texts = quoted(line, '"');
    const bool less = line.ends_with("true},");
    if (texts.size() != 2 || !line.starts_with("\t\t{\"") || !(less || line.ends_with("false},"))) {
      continue;
    }
    const int order = sign(compare_versions(Scheme::kDebian, texts[0], texts[1]));
    EXPECT_EQ(order < 0, less) << line;
    ++count;
  }
  EXPECT_GT(count, 10U);
}

TEST(Version, RpmVectorsOfRpm) {
  std::size_t count = 0;
  for (const std::string& line : LINES_OR_SKIP("rpm/rpmvercmp.at")) {
    if (!line.starts_with("RPMVERCMP(")) continue;
    std::string inner = line.substr(10, line.rfind(')') - 10);
    std::ranges::replace(inner, ',', ' ');
    std::istringstream words(inner);
    std::string left;
    std::string right;
    int expected = 0;
    ASSERT_TRUE(words >> left >> right >> expected) << line;
    EXPECT_EQ(sign(compare_rpm_part(left, right)), expected) << line;
    expect_order(Scheme::kRpm, left, expected, right);
    ++count;
  }
  EXPECT_GT(count, 80U);
}

TEST(Version, RpmVectorsOfClaircore) {
  std::size_t count = 0;
  for (const std::string& line : LINES_OR_SKIP("claircore/rpmvercmp")) {
    if (line.starts_with('#')) continue;
    std::istringstream words(line);
    std::string left;
    std::string relation;
    std::string right;
    if (!(words >> left >> relation >> right)) continue;
    const int expected = relation == "<" ? -1 : (relation == ">" ? 1 : 0);
    EXPECT_EQ(sign(compare_rpm_part(left, right)), expected) << line;
    ++count;
  }
  EXPECT_GT(count, 100U);
}

TEST(Version, RpmPartsOfGoRpmVersion) {
  std::size_t count = 0;
  for (const std::string& line : LINES_OR_SKIP("knqyf263/go-rpm-version-version_testcase.go")) {
    const std::vector<std::string> texts = quoted(line, '"');
    if (texts.size() != 2) continue;
    const bool less = line.find(", LESS,") != std::string::npos;
    const int expected = less ? -1 : (line.find(", EQUAL,") != std::string::npos ? 0 : 1);
    EXPECT_EQ(sign(compare_rpm_part(texts[0], texts[1])), expected) << line;
    ++count;
  }
  EXPECT_GT(count, 4000U);
}

TEST(Version, RpmWholeVersionsOfGoRpmVersion) {
  std::size_t count = 0;
  for (const std::string& line : LINES_OR_SKIP("knqyf263/go-rpm-version-version_test.go")) {
    const std::vector<std::string> texts = quoted(line, '"');
    const bool less = line.find("\", LESS, \"") != std::string::npos;
    const bool greater = line.find("\", GREATER, \"") != std::string::npos;
    const bool equal = line.find("\", EQUAL, \"") != std::string::npos;
    if (texts.size() != 2 || !(less || greater || equal)) continue;
    expect_order(Scheme::kRpm, texts[0], less ? -1 : (greater ? 1 : 0), texts[1]);
    ++count;
  }
  EXPECT_GT(count, 70U);
}

void expect_apk_vectors(const std::vector<std::string>& lines) {
  std::size_t count = 0;
  for (const std::string& line : lines) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::vector<std::string> fields;
    for (std::string word; words >> word;) fields.push_back(word);
    if (fields.size() == 1) {
      const bool invalid = fields[0].starts_with('!');
      const std::string version = fields[0].substr(invalid ? 1 : 0);
      EXPECT_EQ(valid_version(Scheme::kApk, version), !invalid) << line;
    } else if (fields.size() == 3 && fields[1].find('~') == std::string::npos) {
      expect_order(Scheme::kApk, fields[0], fields[1] == "<" ? -1 : (fields[1] == ">" ? 1 : 0),
                   fields[2]);
    } else {
      continue;  // "~" matches a prefix: a relation of apk's dependencies, no order.
    }
    ++count;
  }
  EXPECT_GT(count, 700U);
}

TEST(Version, ApkVectorsOfApkTools) { expect_apk_vectors(LINES_OR_SKIP("apk/version.data")); }
TEST(Version, ApkVectorsOfGoApkVersion) {
  expect_apk_vectors(LINES_OR_SKIP("apk/knqyf263-version.data"));
}

TEST(Version, SemverVectorsOfNodeSemver) {
  std::size_t count = 0;
  for (const std::string& line : LINES_OR_SKIP("semver/comparisons.js")) {
    const std::vector<std::string> texts = quoted(line, '\'');
    if (texts.size() != 2 || !line.starts_with("  [")) continue;
    expect_order(Scheme::kSemver, texts[0], 1, texts[1]);
    ++count;
  }
  for (const std::string& line : LINES_OR_SKIP("semver/equality.js")) {
    const std::vector<std::string> texts = quoted(line, '\'');
    if (texts.size() != 2 || !line.starts_with("  [")) continue;
    expect_order(Scheme::kSemver, texts[0], 0, texts[1]);
    EXPECT_TRUE(valid_version(Scheme::kSemver, texts[1])) << line;
    ++count;
  }
  for (const std::string& line : LINES_OR_SKIP("semver/valid-versions.js")) {
    const std::vector<std::string> texts = quoted(line, '\'');
    if (texts.empty() || !line.starts_with("  [")) continue;
    EXPECT_TRUE(valid_version(Scheme::kSemver, texts[0])) << line;
    ++count;
  }
  EXPECT_GT(count, 80U);
  for (const std::string& bad :
       {std::string("hello, world"), std::string("xyz"), std::string(), std::string("1.2.3-"),
        std::string(256, '1') + ".0.0", std::string("90071992547409910.0.0"),
        std::string("0.0.90071992547409910"), std::string("1.2.3+"), std::string("1..2")}) {
    EXPECT_FALSE(valid_version(Scheme::kSemver, bad)) << bad;
  }
}

/// Strings of a Python or Go list that begins on the line with `begin`.
std::vector<std::string> list_after(const std::vector<std::string>& lines, std::string_view begin) {
  std::vector<std::string> found;
  bool inside = false;
  for (const std::string& line : lines) {
    if (inside && line.find_first_of("])}") != std::string::npos && quoted(line, '"').empty())
      break;
    const std::size_t comment = line.find(" #");
    if (inside) {
      for (std::string& text : quoted(line.substr(0, comment), '"')) found.push_back(text);
    }
    inside |= line.find(begin) != std::string::npos;
  }
  return found;
}

TEST(Version, Pep440VectorsOfPackaging) {
  const std::vector<std::string> lines = LINES_OR_SKIP("pep440/packaging_test_version.py");
  const std::vector<std::string> versions = list_after(lines, "VERSIONS = [");
  ASSERT_GT(versions.size(), 80U);
  for (std::size_t left = 0; left < versions.size(); ++left) {
    EXPECT_TRUE(valid_version(Scheme::kPep440, versions[left])) << versions[left];
    for (std::size_t right = left; right < versions.size(); ++right) {
      expect_order(Scheme::kPep440, versions[left], left == right ? 0 : -1, versions[right]);
    }
  }
  const std::vector<std::string> invalid =
      list_after(lines, "# Non sensical versions should be invalid");
  ASSERT_GT(invalid.size(), 10U);
  for (const std::string& bad : invalid) {
    EXPECT_FALSE(valid_version(Scheme::kPep440, bad)) << bad;
  }
  std::size_t equal = 0;
  for (const std::string& line : lines) {
    const std::vector<std::string> texts = quoted(line, '"');
    if (texts.size() != 2 || !line.starts_with("            (\"") || !line.ends_with("\"),"))
      continue;
    // Other tables of the file pair a version with something else than its normal form.
    if (!valid_version(Scheme::kPep440, texts[1]) || texts[1].find("0") == std::string::npos) {
      continue;
    }
    if (texts[0].find_first_of("aAbBcCdDvVpP") == std::string::npos) continue;
    if (!texts[1].starts_with(texts[0].substr(texts[0].find_first_of("0123456789"), 1))) continue;
    if (sign(compare_versions(Scheme::kPep440, texts[0], texts[1])) == 0) ++equal;
  }
  EXPECT_GT(equal, 90U);
}

TEST(Version, Pep440OrdersOfClaircore) {
  std::size_t count = 0;
  std::vector<std::string> wanted;
  bool inside = false;
  for (const std::string& line : LINES_OR_SKIP("claircore/pep440_version_test.go")) {
    if (line.find("Want: []string{") != std::string::npos) {
      wanted.clear();
      inside = true;
    }
    if (!inside) continue;
    for (std::string& text : quoted(line, '"')) wanted.push_back(text);
    if (!line.ends_with("},")) continue;
    inside = false;
    for (std::size_t at = 1; at < wanted.size(); ++at, ++count) {
      expect_order(Scheme::kPep440, wanted[at - 1], -1, wanted[at]);
    }
  }
  EXPECT_GT(count, 30U);
}

TEST(Version, GemVectorsOfClaircore) {
  std::size_t count = 0;
  std::string left;
  std::string right;
  std::string version;
  for (const std::string& line : LINES_OR_SKIP("claircore/ruby_version_test.go")) {
    const std::vector<std::string> texts = quoted(line, '"');
    std::istringstream words(line);
    std::string name;
    words >> name;
    if (name == "version:" && texts.size() == 1) version = texts[0];
    if (name == "a:" && texts.size() == 1) left = texts[0];
    if (name == "b:" && texts.size() == 1) right = texts[0] == "\\t" ? "\t" : texts[0];
    if (name == "valid:") {
      EXPECT_EQ(valid_version(Scheme::kGem, version), line.find("true") != std::string::npos)
          << version;
      ++count;
    }
    if (name == "want:") {
      const bool less = line.find('-') != std::string::npos;
      expect_order(Scheme::kGem, left, less ? -1 : (line.find('1') != std::string::npos ? 1 : 0),
                   right);
      ++count;
    }
  }
  EXPECT_GT(count, 25U);
}

TEST(Version, MavenSpecification) {
  const auto in_order = {"1-alpha", "1-beta", "1-milestone-1", "1-rc", "1-SNAPSHOT",
                         "1",       "1-sp",   "1-abc",         "1-1",  "1.1"};
  const std::vector<std::string> versions(in_order.begin(), in_order.end());
  for (std::size_t left = 0; left < versions.size(); ++left) {
    for (std::size_t right = left + 1; right < versions.size(); ++right) {
      expect_order(Scheme::kMaven, versions[left], -1, versions[right]);
    }
  }
  for (const auto& [left, right] :
       std::vector<std::array<std::string, 2>>{{"1", "1.0.0"},
                                               {"1", "1.ga"},
                                               {"1", "1-final"},
                                               {"1", "1."},
                                               {"1-foo", "1.0.0-foo.0.0"},
                                               {"1", "1.0.0-0.0.0"},
                                               {"1a1", "1-alpha-1"},
                                               {"1-cr1", "1-rc1"},
                                               {"1-RC", "1-rc"}}) {
    expect_order(Scheme::kMaven, left, 0, right);
  }
  expect_order(Scheme::kMaven, "2.9.10.3", -1, "2.9.10.8");
  expect_order(Scheme::kMaven, "32.0.0-android", -1, "32.0.1-android");
}

TEST(Version, AnUnreadableVersionIsNeverTheNewerOne) {
  for (const Scheme scheme : {Scheme::kSemver, Scheme::kPep440, Scheme::kGem}) {
    for (const char* bad : {"nonsense", "!", "-"}) expect_order(scheme, bad, -1, "0.0.1");
    expect_order(scheme, "", -1, "0.0.1");
  }
}

}  // namespace
}  // namespace coff::exposure
