// Package databases: real ones of every kind, and damaged ones that must be named.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "base/database.hpp"
#include "base/fd.hpp"
#include "inventory/packages/apk.hpp"
#include "inventory/packages/dpkg.hpp"
#include "inventory/packages/language.hpp"
#include "inventory/packages/rpm.hpp"
#include "inventory/packages/rpm_header.hpp"
#include "inventory/packages/sqlite_log.hpp"

namespace coff::inventory {
namespace {

constexpr std::size_t kFixtureBytesMax = std::size_t{64} << 20U;

/// A fixture; empty when the data isn't there.
std::string fixture(const std::string& path) {
  const char* folder = std::getenv("COFF_SHARED");
  const std::string top = folder != nullptr ? folder : COFF_SOURCE_DIR "/../shared";
  auto bytes = read_file(top + "/data/pkgdb/" + path, kFixtureBytesMax);
  if (bytes) return std::move(*bytes);
  const char* required = std::getenv("COFF_REQUIRE");
  const bool needed =
      required != nullptr && std::string(required).find("data") != std::string::npos;
  EXPECT_FALSE(needed) << bytes.error().message();
  return {};
}

#define FIXTURE_OR_SKIP(path)                                           \
  __extension__({                                                       \
    auto content = fixture(path);                                       \
    if (content.empty()) GTEST_SKIP() << "no fixture (" << path << ")"; \
    content;                                                            \
  })

const Package* find(const PackageSet& set, std::string_view name) {
  const auto found = std::ranges::find(set.packages, name, &Package::name);
  return found == set.packages.end() ? nullptr : &*found;
}

constexpr std::string_view kSyft = "dpkg/syft/var/lib/dpkg/status.d/";

PackageSet read_part(const std::string& name) {
  PackageSet set;
  const std::string path = std::string(kSyft) + name;
  read_dpkg_status(set, path, fixture(path), DpkgFile::kStatusPart);
  return set;
}

TEST(Dpkg, ReadsRealParagraphs) {
  FIXTURE_OR_SKIP("dpkg/syft/var/lib/dpkg/status.d/single");
  const PackageSet single = read_part("single");
  ASSERT_EQ(single.packages.size(), 1U);
  EXPECT_EQ(single.packages[0].name, "apt");
  EXPECT_EQ(single.packages[0].version, "1.8.2");
  EXPECT_EQ(single.packages[0].source, "apt-dev");
  EXPECT_EQ(single.packages[0].arch, "amd64");
  const PackageSet runtime = read_part("libpam-runtime");
  ASSERT_EQ(runtime.packages.size(), 1U);
  EXPECT_EQ(runtime.packages[0].source, "pam");
  EXPECT_EQ(read_part("installed-size-4KB").packages.size(), 1U);
  // The others in it have no version: each is named.
  const PackageSet examples = read_part("doc-examples");
  EXPECT_EQ(examples.packages.size(), 5U);
  EXPECT_EQ(examples.problems.size(), 11U);
}

TEST(Dpkg, WhatWasRemovedIsNotThere) {
  FIXTURE_OR_SKIP("dpkg/syft/var/lib/dpkg/status.d/deinstall");
  const PackageSet set = read_part("deinstall");
  EXPECT_NE(find(set, "linux-image-6.14.0-1012-aws"), nullptr);
  EXPECT_EQ(find(set, "linux-image-6.8.0-1029-aws"), nullptr);
}

TEST(Dpkg, DamageIsNamed) {
  FIXTURE_OR_SKIP("dpkg/syft/glob-paths/var/lib/dpkg/status.d/pkg-1.0");
  PackageSet set;
  const std::string path = "dpkg/syft/glob-paths/var/lib/dpkg/status.d/pkg-1.0";
  read_dpkg_status(set, path, fixture(path), DpkgFile::kStatusPart);
  EXPECT_TRUE(set.packages.empty());
  ASSERT_EQ(set.problems.size(), 1U);
  EXPECT_EQ(set.problems[0].file, path);
  const PackageSet empty = read_part("empty");
  EXPECT_TRUE(empty.packages.empty());
  EXPECT_EQ(empty.problems.size(), 1U);
}

TEST(Dpkg, StatesSourcesAndContinuations) {
  PackageSet set;
  read_dpkg_status(set, "status",
                   "Package: a\nStatus: install ok installed\nVersion: 1\n\n"
                   "package: b\nStatus: install ok half-configured\nversion: 2-1+b1\n"
                   "Source: bb (2-1)\nDescription: x\n Version: 9\n\tPackage: z\n\n"
                   "Package: c\nStatus: install ok not-installed\nVersion: 1\n\n"
                   "Package: d\nStatus: deinstall ok config-files\nVersion: 1\n\n"
                   "Package: e\nVersion: 1\n\n"
                   "Package: f\nStatus: install reinstreq unpacked\nVersion: 3\r\n",
                   DpkgFile::kStatus);
  ASSERT_EQ(set.packages.size(), 3U);
  EXPECT_EQ(set.packages[0].source, "a");
  EXPECT_EQ(set.packages[0].source_version, "1");
  EXPECT_EQ(set.packages[1].version, "2-1+b1");
  EXPECT_EQ(set.packages[1].source, "bb");
  EXPECT_EQ(set.packages[1].source_version, "2-1");
  EXPECT_EQ(set.packages[2].version, "3");
  EXPECT_TRUE(set.problems.empty());
}

TEST(Dpkg, OwnersThroughMergedFoldersAndDiversions) {
  PackageSet set;
  read_dpkg_status(set, "status",
                   "Package: libssl3\nArchitecture: amd64\nStatus: install ok installed\n"
                   "Version: 3\n\nPackage: other\nStatus: install ok installed\nVersion: 1\n",
                   DpkgFile::kStatus);
  const TopLinks links = {{"lib", "usr/lib"}};
  const Diversions diversions =
      read_dpkg_diversions(set, "diversions", "/bin/tool\n/bin/tool.real\nother\n", links);
  const WantedPaths wanted = {"/usr/lib/x/libssl.so.3", "/bin/tool", "/bin/tool.real", "/etc/z"};
  const OwnerSearch search{wanted, links, diversions};
  read_dpkg_list(set, "/var/lib/dpkg/info/libssl3:amd64.list",
                 "/.\n/lib\n/lib/x/libssl.so.3\n/bin/tool\n", search);
  read_dpkg_list(set, "/var/lib/dpkg/info/other.list", "/bin/tool\n", search);
  read_dpkg_list(set, "/var/lib/dpkg/info/gone.list", "/etc/z\n", search);
  ASSERT_EQ(set.owners.size(), 3U);
  EXPECT_EQ(set.packages[set.owners.at("/usr/lib/x/libssl.so.3")].name, "libssl3");
  EXPECT_EQ(set.packages[set.owners.at("/bin/tool.real")].name, "libssl3");
  EXPECT_EQ(set.packages[set.owners.at("/bin/tool")].name, "other");
  const auto broken = read_dpkg_diversions(set, "diversions", "/a\n/b\n", links);
  EXPECT_TRUE(broken.empty());
  EXPECT_EQ(set.problems.size(), 1U);
}

TEST(Dpkg, OwnersWithoutDpkg) {
  const std::string path =
      "dpkg/syft/image-distroless-deb/var/lib/dpkg/status.d/libsqlite3-0.md5sums";
  const std::string sums = FIXTURE_OR_SKIP(path);
  PackageSet set;
  read_dpkg_status(set, "status.d/libsqlite3-0", "Package: libsqlite3-0\nVersion: 3.34.1-3\n",
                   DpkgFile::kStatusPart);
  const std::string file = "/usr/lib/aarch64-linux-gnu/libsqlite3.so.0.8.6";
  const WantedPaths wanted = {file};
  read_dpkg_sums(set, path, sums, {wanted, {}, {}});
  EXPECT_TRUE(set.owners.contains(file));
}

TEST(Apk, ReadsBlocks) {
  PackageSet set;
  const WantedPaths wanted = {"/usr/lib/libssl.so.3", "/lib/libssl.so.3"};
  read_apk_installed(set, "/lib/apk/db/installed",
                     "C:Q1abc=\nP:libssl3\nV:3.0.8-r0\nA:x86_64\no:openssl\nF:lib\n"
                     "R:libssl.so.3\na:0:0:755\nZ:Q1x=\nF:usr/lib\nR:libssl.so.3\n\n"
                     "P:musl\nV:1.2.3-r4\nA:x86_64\n",
                     wanted, {});
  ASSERT_EQ(set.packages.size(), 2U);
  EXPECT_EQ(set.packages[0].source, "openssl");
  EXPECT_EQ(set.packages[0].version, "3.0.8-r0");
  EXPECT_EQ(set.packages[1].source, "musl");
  EXPECT_EQ(set.owners.size(), 2U);
  EXPECT_TRUE(set.problems.empty());
  read_apk_installed(set, "installed", "P:x\nnonsense\n\nV:1\n\n", wanted, {});
  EXPECT_EQ(set.problems.size(), 3U);
}

TEST(Rpm, ReadsSqlite) {
  const std::string bytes = FIXTURE_OR_SKIP("rpm/sqlite/rpm-tests-rpmdb.sqlite");
  PackageSet set;
  read_rpm_database(set, "rpmdb.sqlite", bytes, "", {}, {});
  EXPECT_GT(set.packages.size(), 0U);
  EXPECT_TRUE(set.problems.empty()) << set.problems[0].what;
  for (const Package& package : set.packages) {
    EXPECT_EQ(package.database, "rpmdb.sqlite");
    EXPECT_FALSE(package.version.empty());
  }
}

TEST(Rpm, ReadsNdb) {
  const std::string bytes = FIXTURE_OR_SKIP("rpm/ndb/sle15-bci-Packages.db");
  PackageSet set;
  const WantedPaths wanted = {"/usr/lib64/libz.so.1.2.11", "/lib64/libz.so.1.2.11",
                              "/lib64/libc-2.31.so", "/lib64/libc.so.6"};
  read_rpm_database(set, "Packages.db", bytes, "", wanted, {});
  EXPECT_EQ(set.packages.size(), 35U);
  EXPECT_TRUE(set.problems.empty());
  ASSERT_NE(find(set, "glibc"), nullptr);
  EXPECT_EQ(find(set, "glibc")->source, "glibc");
  EXPECT_GT(set.owners.size(), 0U);
}

TEST(Rpm, DamageIsNamedAndTheRestIsRead) {
  const std::string bytes = FIXTURE_OR_SKIP("rpm/ndb/sle15-bci-Packages.db");
  PackageSet cut;
  read_rpm_database(cut, "Packages.db", std::string_view(bytes).substr(0, bytes.size() / 2), "", {},
                    {});
  EXPECT_FALSE(cut.problems.empty());
  EXPECT_LT(cut.packages.size(), 35U);
  PackageSet berkeley;
  std::string header(512, '\0');
  header.replace(12, 4, "\x61\x15\x06\x00", 4);
  read_rpm_database(berkeley, "/var/lib/rpm/Packages", header, "", {}, {});
  ASSERT_EQ(berkeley.problems.size(), 1U);
  EXPECT_EQ(berkeley.problems[0].file, "/var/lib/rpm/Packages");
  EXPECT_NE(berkeley.problems[0].what.find("Berkeley"), std::string::npos);
  const std::string sqlite = FIXTURE_OR_SKIP("rpm/sqlite/rpm-tests-rpmdb.sqlite");
  PackageSet damaged;
  std::string changed = sqlite;
  for (std::size_t at = 5000; at < changed.size(); at += 97) changed[at] = '\xff';
  read_rpm_database(damaged, "rpmdb.sqlite", changed, "", {}, {});
  EXPECT_FALSE(damaged.problems.empty());
}

TEST(Rpm, SourceNames) {
  std::string name;
  std::string version;
  ASSERT_TRUE(split_source_rpm("openssl-1.1.1k-7.el8.src.rpm", name, version));
  EXPECT_EQ(name, "openssl");
  EXPECT_EQ(version, "1.1.1k-7.el8");
  EXPECT_FALSE(split_source_rpm("openssl.src.rpm", name, version));
  EXPECT_FALSE(split_source_rpm("(none)", name, version));
}

TEST(SqliteLog, CommittedFramesCount) {
  std::string folder = testing::TempDir() + "coff-log-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const std::string path = folder + "/a.db";
  auto database = Database::open(path, Database::Mode::kReadWrite);
  ASSERT_TRUE(database);
  for (const char* sql :
       {"PRAGMA journal_mode=WAL", "PRAGMA wal_autocheckpoint=0",
        "CREATE TABLE Packages(hnum INTEGER PRIMARY KEY, blob BLOB)",
        "INSERT INTO Packages VALUES (1, x'01')", "INSERT INTO Packages VALUES (2, x'02')"}) {
    ASSERT_TRUE(database->execute(sql)) << sql;
  }
  const auto bytes = read_file(path, kFixtureBytesMax);
  const auto log = read_file(path + "-wal", kFixtureBytesMax);
  ASSERT_TRUE(bytes && log);
  ASSERT_GT(log->size(), 1000U);
  auto copy = Database::open_copy(with_sqlite_log(*bytes, *log));
  ASSERT_TRUE(copy) << copy.error().message();
  auto count = copy->prepare("SELECT count(*) FROM Packages");
  ASSERT_TRUE(count);
  ASSERT_TRUE(count->step().value_or(false));
  EXPECT_EQ(count->integer(0), 2);
  // The last commit is cut off: the state before it.
  const std::string_view most = std::string_view(*log).substr(0, log->size() - 10);
  auto before = Database::open_copy(with_sqlite_log(*bytes, most));
  ASSERT_TRUE(before);
  auto fewer = before->prepare("SELECT count(*) FROM Packages");
  ASSERT_TRUE(fewer);
  ASSERT_TRUE(fewer->step().value_or(false));
  EXPECT_EQ(fewer->integer(0), 1);
}

TEST(Languages, NpmAndPython) {
  PackageSet set;
  read_npm_package(set, "/app/node_modules/a/package.json",
                   R"({"name":"a","version":"1.2.3","dependencies":{"b":"^1"}})");
  read_npm_package(set, "/app/package.json", R"({"private":true})");
  read_npm_package(set, "/app/node_modules/b/package.json", "{");
  read_python_metadata(set, "/usr/lib/python3/dist-packages/Foo_Bar-1.0.dist-info/METADATA",
                       "Metadata-Version: 2.1\nName: Foo_.Bar\nVersion: 1.0\n\nName: no\n");
  read_python_metadata(set, "/x.egg-info/PKG-INFO", "Name: y\n");
  ASSERT_EQ(set.packages.size(), 2U);
  EXPECT_EQ(set.packages[0].name, "a");
  EXPECT_EQ(set.packages[1].name, "foo-bar");
  EXPECT_EQ(set.packages[1].version, "1.0");
  EXPECT_EQ(set.problems.size(), 2U);
}

TEST(Paths, Canonical) {
  const TopLinks links = {{"lib", "usr/lib"}, {"bin", "/usr/bin"}};
  EXPECT_EQ(canonical_path("/lib/x.so", links), "/usr/lib/x.so");
  EXPECT_EQ(canonical_path("lib//x/./../y", links), "/usr/lib/y");
  EXPECT_EQ(canonical_path("/bin/sh", links), "/usr/bin/sh");
  EXPECT_EQ(canonical_path("/../../etc", links), "/etc");
  EXPECT_EQ(canonical_path("/library", links), "/library");
  EXPECT_EQ(canonical_path("", links), "/");
}

}  // namespace
}  // namespace coff::inventory
