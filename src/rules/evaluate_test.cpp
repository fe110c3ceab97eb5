// Evaluating conditions: the official vectors, on the events of their tests made again.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "rules/testing/ask.hpp"
#include "rules/testing/vectors.hpp"
#include "schema/testing/sample_events.hpp"

namespace coff::rules {
namespace {

using schema::Argument;
using schema::Field;
using schema::Subject;
using schema::Type;
using schema::Value;
using schema::testing::RecordBuilder;
using testing::holds_for;

ProcessPtr process(std::string name, std::string cwd, ProcessPtr parent = nullptr) {
  coff::Program program;
  program.argv = {name};
  program.exe = "/bin/" + name;
  Process made = *schema::testing::sample_process();
  made.name = std::move(name);
  made.cwd = std::move(cwd);
  made.program = std::make_shared<const coff::Program>(std::move(program));
  made.parent = std::move(parent);
  return std::make_shared<const Process>(std::move(made));
}

Event open_event(std::string_view path, int fd) {
  RecordBuilder builder(COFF_KIND_open);
  builder.file().open_flags = O_RDWR;
  builder.file().fd = fd;
  builder.header().ret = fd;
  builder.header().syscall = SYS_openat;
  builder.text(&coff_file::raw, path);
  return schema::testing::sample_event(builder);
}

Event accept_event(bool v6) {
  RecordBuilder builder(COFF_KIND_accept);
  builder.sock().family = v6 ? AF_INET6 : AF_INET;
  builder.sock().type = SOCK_STREAM;
  const std::uint8_t local4[] = {142, 251, 111, 147};
  const std::uint8_t remote4[] = {172, 40, 111, 222};
  const std::uint8_t remote6[] = {0x20, 0x01, 0x0d, 0xb8, 0, 1};
  const std::uint8_t local6[] = {0x20, 0x01, 0x48, 0x60, 0x48, 0x60, 0,    0,
                                 0,    0,    0,    0,    0,    0,    0x88, 0x88};
  if (v6) {
    std::ranges::copy(local6, builder.sock().local);
    std::ranges::copy(remote6, builder.sock().remote);
  } else {
    std::ranges::copy(local4, builder.sock().local);
    std::ranges::copy(remote4, builder.sock().remote);
  }
  builder.sock().local_port = 443;
  builder.sock().remote_port = 54321;
  builder.sock().fd = 3;
  return schema::testing::sample_event(builder);
}

/// Stands for a field whose value only the official test's capture has.
struct Stand {
  std::string_view name;
  Type type;
  Value (*get)(const Subject&, const Argument&);
  bool list = false;
};
std::vector<Field> stand(const Stand& stand) {
  return {{stand.name, stand.type, stand.get, "", "", "", schema::Takes::kNothing, stand.list}};
}

constexpr std::string_view kZero("a\0b", 3);

// The event (and fields) that the vector's test had set up.
bool answer(std::string_view file, const std::string& filter) {
  const bool has = filter.find("2001:4860") != filter.npos || filter.find("10::") != filter.npos;
  if (file == "filter_op_net_compare.ut.cpp") return holds_for(accept_event(has), filter);
  Event event = open_event("/opt/dir/subdir/file", 4);
  if (file == "filter_op_bytebuf.ut.cpp") {
    const bool zero = filter.find("x00") != filter.npos || filter.find("6100") != filter.npos;
    const Stand hello{"evt.buffer", Type::kBytes, [](const Subject&, const Argument&) {
                        return Value{std::string_view("hello")};
                      }};
    const Stand with_zero{"evt.buffer", Type::kBytes,
                          [](const Subject&, const Argument&) { return Value{kZero}; }};
    return holds_for(event, filter, stand(zero ? with_zero : hello));
  }
  if (file == "filter_op_numeric_compare.ut.cpp") {
    event = open_event("/nonexistent", -1);
    event.result = -ENOENT;
    return holds_for(event, filter,
                     stand({"evt.cpu", Type::kInteger, [](const Subject&, const Argument&) {
                              return Value{std::int64_t{256}};
                            }}));
  }
  if (file == "filter_compiler.ut.cpp") {
    return holds_for(event, filter,
                     stand({"evt.type", Type::kText, [](const Subject&, const Argument&) {
                              return Value{std::string_view("getcwd")};
                            }}));
  }
  if (file == "filterchecks/proc.cpp") {
    event.process = process("good-exe", "/", process("bash", "/", process("init", "/")));
  }
  if (file == "filterchecks/cmp_operator_modifiers.cpp") event.process = process("myexe", "/");
  if (file == "filterchecks/invalid_utf8.cpp") {
    RecordBuilder rename(COFF_KIND_rename);
    rename.text(&coff_file::raw, "/p\xff").text(&coff_file::raw2, "/q");
    event = filter.starts_with("fs.path") ? schema::testing::sample_event(rename)
                                          : open_event("/p\xff/q\xff", 4);
    event.process = process("x\xff", "/tmp/c\xff");
  }
  if (file == "filter_transformer.ut.cpp") {
    event = open_event("/tmp/file_to_run", 4);
    const Stand one{"fd.types", Type::kText,
                    [](const Subject&, const Argument&) { return Value{schema::TextList{"file"}}; },
                    true};
    const Stand two{
        "fd.types", Type::kText,
        [](const Subject&, const Argument&) { return Value{schema::TextList{"file", "ipv4"}}; },
        true};
    return holds_for(event, filter, stand(filter == "len(fd.types) = 2" ? two : one));
  }
  return holds_for(event, filter);
}

TEST(Evaluate, AgreesWithTheOfficialEvaluationVectors) {
  COFF_NEED_VECTORS(vectors, "falco-tests/vectors/filter_compile_eval.json");
  size_t held = 0;
  for (const auto& each : vectors.at("eval_filter").as_array()) {
    const std::string filter(each.at("filter").as_string());
    const std::string file(each.at("file").as_string());
    EXPECT_EQ(answer(file, filter), each.at("expect").as_bool()) << file << ": " << filter;
    held += each.at("expect").as_bool() ? 1U : 0U;
  }
  EXPECT_GE(held, 50U);
}

TEST(Evaluate, AMissingFieldMakesEveryCheckFalse) {
  Event event = open_event("/etc/shadow", 4);
  event.container = nullptr;
  EXPECT_FALSE(holds_for(event, "container.image.repository = x"));
  EXPECT_FALSE(holds_for(event, "container.image.repository != x"));
  EXPECT_TRUE(holds_for(event, "not container.image.repository = x"));
  EXPECT_FALSE(holds_for(event, "container.image.repository exists"));
  EXPECT_FALSE(holds_for(event, "container.image.repository != val(container.image.tag)"));
  EXPECT_FALSE(holds_for(event, "tolower(container.image.repository) != x"));
}

TEST(Evaluate, ComparesFieldsWithFields) {
  Event event = open_event("/etc/shadow", 4);
  event.process = process("a", "/", process("a", "/"));
  EXPECT_TRUE(holds_for(event, "proc.name = val(proc.pname)"));
  EXPECT_TRUE(holds_for(event, "fd.name startswith val(fd.directory)"));
  EXPECT_TRUE(holds_for(event, "proc.name = tolower(proc.pname)"));
  EXPECT_TRUE(holds_for(event, "proc.name in val(proc.pname)"));
  EXPECT_TRUE(holds_for(event, "proc.pid = val(proc.pid) and proc.pid >= val(proc.pid)"));
}

TEST(Evaluate, DecodesBase64AndRefusesWhatIsNone) {
  const Event event = open_event("/x/YWJj", 4);
  EXPECT_TRUE(holds_for(event, "b64(fd.filename) = abc"));
  EXPECT_FALSE(holds_for(event, "b64(fd.name) exists and b64(proc.cmdline) exists"));
  EXPECT_TRUE(holds_for(event, "b64(concat(fd.filename, \"ZA\")) = abcd"));
  EXPECT_TRUE(holds_for(event, "basename(fd.name) = YWJj and len(fd.name) = 7"));
}

TEST(Evaluate, ComparesEitherEndOfAConnection) {
  const Event event = accept_event(false);
  EXPECT_TRUE(holds_for(event, "fd.port = 443 and fd.port = 54321"));
  EXPECT_FALSE(holds_for(event, "fd.port != 443"));
  EXPECT_TRUE(holds_for(event, "fd.port != 80"));
  EXPECT_TRUE(holds_for(event, "fd.sport = https"));
  EXPECT_TRUE(holds_for(event, "fd.net in (10.0.0.0/8, 142.251.0.0/16)"));
  EXPECT_FALSE(holds_for(event, "fd.net != 142.251.0.0/16"));
  EXPECT_TRUE(holds_for(event, "fd.ip != ::1"));
}

TEST(Evaluate, GlobsAreLinear) {
  std::string path = "/";
  path.append(4000, 'a');
  const Event event = open_event(path, 4);
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "*a";
  EXPECT_FALSE(holds_for(event, "fd.name glob '" + pattern + "*b'"));
  EXPECT_TRUE(holds_for(event, "fd.name glob '" + pattern + "'"));
  EXPECT_TRUE(holds_for(event, "fd.name iglob '/A[[:alpha:]]*'"));
  EXPECT_TRUE(holds_for(event, "fd.name glob '/[!b-z]*'"));
  EXPECT_FALSE(holds_for(event, "fd.name regex '(a*)*b'"));
}

}  // namespace
}  // namespace coff::rules
