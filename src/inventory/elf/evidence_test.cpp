// Evidence in programs: real Go and system files, and records made here.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cstdlib>

#include "inventory/elf/build_records.hpp"
#include "inventory/elf/elf_evidence.hpp"

namespace coff::inventory {
namespace {

Result<Fd> open_fixture(const std::string& path) {
  const char* folder = std::getenv("COFF_SHARED");
  const std::string top = folder != nullptr ? folder : COFF_SOURCE_DIR "/../shared";
  return open_file(top + "/data/pkgdb/" + path, O_RDONLY);
}

const Package* find(const std::vector<Package>& packages, std::string_view name) {
  const auto found = std::ranges::find(packages, name, &Package::name);
  return found == packages.end() ? nullptr : &*found;
}

TEST(Evidence, GoProgram) {
  const auto file = open_fixture("bin/go-linux-amd64");
  if (!file) GTEST_SKIP() << "no fixture: " << file.error().message();
  const auto evidence = read_elf_evidence(*file);
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_TRUE(evidence->problems.empty());
  const Package* release = find(evidence->packages, "stdlib");
  ASSERT_NE(release, nullptr);
  EXPECT_TRUE(release->version.starts_with("1.22")) << release->version;
}

TEST(Evidence, GoModulesAndReplacements) {
  const std::string modules = std::string(16, 'x') +
                              "path\texample.org/a\nmod\texample.org/a\t(devel)\t\n"
                              "dep\tgolang.org/x/net\tv0.1.0\th1:x=\n"
                              "dep\texample.org/old\tv1.0.0\n=>\texample.org/new\tv1.2.0\th1:y=\n" +
                              std::string(16, 'y');
  std::string bytes(kGoMagic);
  bytes += '\x08';
  bytes += '\x02';
  bytes.resize(32);
  const std::string release = "go1.21.3 X:a";
  bytes += static_cast<char>(release.size());
  bytes += release;
  bytes += static_cast<char>((modules.size() & 0x7FU) | 0x80U);
  bytes += static_cast<char>(modules.size() >> 7U);
  bytes += modules;
  const auto found = read_go_build_info(bytes);
  ASSERT_TRUE(found) << found.error().message();
  ASSERT_EQ(found->size(), 3U);
  EXPECT_EQ((*found)[0].name, "golang.org/x/net");
  EXPECT_EQ((*found)[1].name, "example.org/new");
  EXPECT_EQ((*found)[2].version, "1.21.3");
  for (std::size_t size = 0; size < bytes.size() - 1; ++size) {
    EXPECT_FALSE(read_go_build_info(bytes.substr(0, size)));
  }
}

TEST(Evidence, RustCrates) {
  const std::string json = R"({"packages":[{"name":"a","version":"1.0.0","root":true},)"
                           R"({"name":"b","version":"2.0.0","kind":"build"},)"
                           R"({"name":"openssl-src","version":"300.1.0"}]})";
  std::string packed(json.size() + 100, '\0');
  uLongf size = packed.size();
  ASSERT_EQ(compress(reinterpret_cast<Bytef*>(packed.data()), &size,
                     reinterpret_cast<const Bytef*>(json.data()), json.size()),
            Z_OK);
  packed.resize(size);
  const auto found = read_rust_crates(packed);
  ASSERT_TRUE(found) << found.error().message();
  ASSERT_EQ(found->size(), 2U);
  EXPECT_EQ((*found)[1].name, "openssl-src");
  EXPECT_FALSE(read_rust_crates(packed.substr(0, packed.size() / 2)));
  EXPECT_FALSE(read_rust_crates("nonsense"));
}

TEST(Evidence, PackageNote) {
  const auto found = read_package_note(
      R"({"type":"rpm","name":"openssl","version":"3.0.7-1.fc38","architecture":"x86_64"})");
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ((*found)[0].type, PackageType::kRpm);
  EXPECT_TRUE(read_package_note(R"({"type":"strange","name":"x"})").value().empty());
  EXPECT_FALSE(read_package_note("{"));
}

/// The library that this machine's OpenSSL programs use.
std::string crypto_library() {
  for (const char* path :
       {"/usr/lib/x86_64-linux-gnu/libcrypto.so.3", "/usr/lib/aarch64-linux-gnu/libcrypto.so.3"}) {
    if (::access(path, R_OK) == 0) return path;
  }
  return {};
}

TEST(Evidence, OpenSslInItsLibraryIsNotStatic) {
  const std::string path = crypto_library();
  if (path.empty()) GTEST_SKIP() << "there is no libcrypto.so.3";
  const auto file = open_file(path, O_RDONLY);
  ASSERT_TRUE(file);
  const auto evidence = read_elf_evidence(*file);
  ASSERT_TRUE(evidence) << evidence.error().message();
  ASSERT_EQ(evidence->openssl_versions.size(), 1U);
  EXPECT_TRUE(evidence->openssl_versions[0].starts_with("3."));
  EXPECT_FALSE(evidence->static_openssl);
  EXPECT_EQ(evidence->identity.soname, "libcrypto.so.3");
}

/// A 64-bit ELF file without segments, and this text behind its header.
Fd elf_with(std::string_view text) {
  std::string bytes =
      "\x7f"
      "ELF"
      "\x02\x01\x01";
  bytes.resize(64);
  bytes[16] = 2;   // ET_EXEC
  bytes[18] = 62;  // EM_X86_64
  bytes.append(text);
  Fd file(::memfd_create("elf", MFD_CLOEXEC));
  EXPECT_TRUE(write_all(file, bytes));
  return file;
}

TEST(Evidence, StaticOpenSsl) {
  using namespace std::string_view_literals;
  const auto old = read_elf_evidence(
      elf_with("\0OpenSSL 1.0.1e 11 Feb 2013\0SSLv3 part of OpenSSL 1.0.1e 11 Feb 2013\0"sv));
  ASSERT_TRUE(old) << old.error().message();
  EXPECT_TRUE(old->static_openssl);
  ASSERT_EQ(old->openssl_versions.size(), 1U);
  EXPECT_EQ(old->openssl_versions[0], "1.0.1e");
  const auto user = read_elf_evidence(elf_with("built with OpenSSL 3.0.17 1 Jul 2025\0"sv));
  ASSERT_TRUE(user);
  EXPECT_FALSE(user->static_openssl);
  EXPECT_EQ(user->openssl_versions.size(), 1U);
  std::string sources = "OpenSSL 3.0.19 27 Jan 2026";
  sources += '\0';
  for (int at = 0; at < 100; ++at) {
    sources += "crypto/evp/file" + std::to_string(at) + ".c";
    sources += '\0';
  }
  const auto node = read_elf_evidence(elf_with(sources));
  ASSERT_TRUE(node);
  EXPECT_TRUE(node->static_openssl);
  const auto none = read_elf_evidence(elf_with("OpenSSL 3.0 is needed. OpenSSL 1.2.3"));
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->openssl_versions.empty());
}

}  // namespace
}  // namespace coff::inventory
