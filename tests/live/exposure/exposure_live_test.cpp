// Containers with real Debian packages: whose processes map the vulnerable library, before and
// after it is replaced on disk.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>
#include <memory>

#include "base/fd.hpp"
#include "live/support/dockerd.hpp"
#include "live/support/require.hpp"

namespace coff::live {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr const char* kLibrary = "/usr/lib/libcoffssl.so.1";
constexpr const char* kAdvisory = "CVE-2099-0001";

/// A library of this machine, as two builds of it: the build ids differ in one byte.
std::string some_library() {
  for (const char* path :
       {"/usr/lib/x86_64-linux-gnu/libz.so.1", "/usr/lib/aarch64-linux-gnu/libz.so.1"}) {
    if (fs::exists(path)) return path;
  }
  return {};
}

void write_file(const std::string& path, std::string_view text) {
  fs::create_directories(fs::path(path).parent_path());
  const auto written = replace_file(path, text);
  ASSERT_TRUE(written) << written.error().message();
}

std::string text_of(const json::value& value, std::string_view name) {
  const json::value* member = value.as_object().if_contains(name);
  if (member == nullptr) return {};
  return member->is_string() ? std::string(std::string_view(member->as_string()))
                             : json::serialize(*member);
}

class ExposureLive : public testing::Test {
 protected:
  void SetUp() override {
    COFF_NEED("docker", docker_missing());
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    ASSERT_FALSE(some_library().empty());
    auto started = Dockerd::start();
    ASSERT_TRUE(started) << started.error().message();
    dockerd_ = std::move(*started);
    make_image("old", "1.0-1", '\x01');
    make_image("new", "1.0-2", '\x02');
    write_file(at("osv/a.json"),
               R"({"id":"CVE-2099-0001","affected":[{"package":{"ecosystem":"Debian:12",)"
               R"("name":"coffssl"},"ranges":[{"type":"ECOSYSTEM","events":[)"
               R"({"introduced":"0"},{"fixed":"1.0-2"}]}]}]})");
    import_into(store_ = at("store.db"));
  }

  [[nodiscard]] std::string at(const std::string& name) const {
    return dockerd_->workspace() / name;
  }
  void run_all(const std::vector<std::vector<std::string>>& commands) {
    for (const auto& command : commands) {
      const auto done = run_ok(command);
      ASSERT_TRUE(done) << done.error().message();
    }
  }
  std::string docker(std::vector<std::string> arguments) {
    const auto out = dockerd_->docker(std::move(arguments));
    EXPECT_TRUE(out) << out.error().message();
    return out.value_or("");
  }
  void import_into(const std::string& store) {
    run_all({{COFF_PROGRAM, "feed", "import", "--store", store, at("osv")}});
  }

  /// A package made by dpkg-deb and installed by dpkg into a root file system, as an image.
  void make_image(const std::string& name, const std::string& version, char mark) {
    const std::string root = at("root-" + name);
    const std::string package = at("package-" + name);
    auto bytes = read_file(some_library(), std::size_t{16} << 20U);
    ASSERT_TRUE(bytes);
    constexpr std::string_view kNote("\x03\0\0\0GNU\0", 8);  // NT_GNU_BUILD_ID, its owner
    const std::size_t note = bytes->find(kNote);
    ASSERT_NE(note, std::string::npos);
    (*bytes)[note + kNote.size()] = mark;  // the first byte of the build id
    write_file(package + kLibrary, *bytes);
    write_file(package + "/DEBIAN/control",
               "Package: libcoffssl1\nSource: coffssl\nVersion: " + version +
                   "\nArchitecture: all\nMaintainer: Nobody <nobody@example.org>\n"
                   "Description: library of a test\n");
    for (const char* folder : {"/var/lib/dpkg/info", "/var/lib/dpkg/updates", "/etc", "/tmp"}) {
      fs::create_directories(root + folder);
    }
    write_file(root + "/var/lib/dpkg/status", "");
    write_file(
        root + "/etc/os-release",
        "ID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\nPRETTY_NAME=\"Debian 12\"\n");
    const std::string archive = at("busybox.tar");
    ASSERT_TRUE(write_busybox_archive(archive));
    run_all(
        {{"tar", "-C", root, "-xf", archive},
         {"cp", COFF_HOLDER, root + "/bin/holder"},
         {"dpkg-deb", "--root-owner-group", "--build", package, package + ".deb"},
         {"dpkg", "--root=" + root, "--log=/dev/null", "--force-not-root", "-i", package + ".deb"},
         {"tar", "-C", root, "-cf", root + ".tar", "."}});
    docker({"import", root + ".tar", "coff/lib:" + name});
  }

  std::string start(const std::string& image, std::vector<std::string> command) {
    std::vector<std::string> call = {"run", "-d", "--network", "none", "coff/lib:" + image};
    call.insert(call.end(), command.begin(), command.end());
    return docker(std::move(call));
  }

  /// Findings about one container.
  std::vector<json::value> ask(const std::string& what, const std::string& container) {
    std::vector<json::value> found;
    const auto outcome =
        run({COFF_PROGRAM, "exposure", "--json", "--store", store_, what}, {.time_ms_max = 60'000});
    EXPECT_TRUE(outcome) << outcome.error().message();
    if (!outcome) return found;
    EXPECT_LE(outcome->status, 1) << outcome->err;
    json::error_code problem;
    const json::value answer = json::parse(outcome->out, problem);
    EXPECT_FALSE(problem) << outcome->out;
    if (problem) return found;
    for (const json::value& finding : answer.at("findings").as_array()) {
      if (text_of(finding.at("container"), "id") == container) found.push_back(finding);
    }
    return found;
  }

  std::unique_ptr<Dockerd> dockerd_;
  std::string store_;
};

TEST_F(ExposureLive, FindsWhoMapsItAndNobodyElse) {
  const std::string holder = start("old", {"/bin/holder", kLibrary});
  const std::string idle = start("old", {"sleep", "1000"});
  const std::string fixed = start("new", {"/bin/holder", kLibrary});

  auto found = ask(kAdvisory, holder);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(text_of(found[0], "grade"), "mapped_now");
  EXPECT_EQ(text_of(found[0], "certainty"), "confirmed");
  EXPECT_EQ(text_of(found[0], "version"), "1.0-1");
  EXPECT_EQ(text_of(found[0], "path"), kLibrary);
  const std::string pid = docker({"inspect", "-f", "{{.State.Pid}}", holder});
  ASSERT_EQ(found[0].at("processes").as_array().size(), 1U);
  EXPECT_EQ(text_of(found[0].at("processes").as_array()[0], "pid"), pid);
  EXPECT_EQ(text_of(found[0].at("advisories").as_array().at(0), "fixed"), "1.0-2");

  found = ask(kAdvisory, idle);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(text_of(found[0], "grade"), "on_disk_owned");
  EXPECT_TRUE(found[0].at("processes").as_array().empty());
  EXPECT_TRUE(ask(kAdvisory, fixed).empty());

  // By package, library and build id the fixed one is there too.
  EXPECT_EQ(ask("coffssl", fixed).size(), 1U);
  found = ask("libcoffssl.so", fixed);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(ask(text_of(found[0], "build_id"), fixed).size(), 1U);
  EXPECT_TRUE(ask(text_of(found[0], "build_id"), holder).empty());
}

TEST_F(ExposureLive, AReplacedFileIsStillFoundUntilTheProcessRestarts) {
  const std::string holder = start("old", {"/bin/holder", kLibrary});
  ASSERT_EQ(ask(kAdvisory, holder).size(), 1U);
  // The upgrade, as dpkg does it: a new file under the old name, a new database.
  for (const std::string path : {kLibrary, "/var/lib/dpkg/status"}) {
    docker({"cp", at("root-new") + path, holder + ":" + path});
  }
  auto found = ask(kAdvisory, holder);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(text_of(found[0], "grade"), "mapped_now");
  EXPECT_EQ(text_of(found[0], "certainty"), "confirmed");
  EXPECT_EQ(text_of(found[0], "deleted"), "true");
  EXPECT_EQ(text_of(found[0], "version"), "1.0-1");
  EXPECT_EQ(text_of(found[0], "on_disk_version"), "1.0-2");

  // Who never saw the old build can only presume, and does.
  import_into(store_ = at("fresh.db"));
  found = ask(kAdvisory, holder);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(text_of(found[0], "certainty"), "presumed");
  EXPECT_EQ(text_of(found[0], "version"), "");

  docker({"restart", "-t", "0", holder});
  EXPECT_TRUE(ask(kAdvisory, holder).empty());
}

TEST_F(ExposureLive, ACopyThatNobodyOwnsIsFoundByItsBuild) {
  const std::string owner = start("old", {"/bin/holder", kLibrary});
  ASSERT_EQ(ask(kAdvisory, owner).size(), 1U);
  const std::string copy =
      start("old", {"sh", "-c", "cp /usr/lib/libcoffssl.so.1 /tmp/x.bin; exec holder /tmp/x.bin"});
  std::vector<json::value> found;
  // The shell may not have made the copy yet.
  for (int tries = 0; tries < 20; ++tries) {
    found = ask("/tmp/x.bin", copy);
    if (!found.empty()) break;
    ::usleep(200'000);
  }
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(text_of(found[0], "certainty"), "unconfirmed");
  EXPECT_EQ(text_of(found[0], "package"), "");
}

}  // namespace
}  // namespace coff::live
