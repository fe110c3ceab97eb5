// What /proc tells of a process that is older than the agent: the texts that no iterator gives.
#include "sensor/proc_reader.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <charconv>

#include "base/fd.hpp"
#include "schema/path.hpp"

namespace coff::sensor {

namespace {

constexpr std::uint64_t kNsPerTick = 10'000'000;  // USER_HZ is 100 on every Linux
constexpr std::string_view kDeleted = " (deleted)";

std::string read_link(const std::string& path) {
  std::string target(COFF_PATH_MAX, '\0');
  const ssize_t size = ::readlink(path.c_str(), target.data(), target.size());
  target.resize(size < 0 ? 0 : static_cast<size_t>(size));
  return target;
}

// The first bytes of a file that may be longer.
std::string read_some(const std::string& path, size_t size_bytes_max) {
  const auto fd = open_file(path, O_RDONLY);
  if (!fd) return {};
  std::string content(size_bytes_max, '\0');
  size_t have = 0;
  while (have < content.size()) {
    const ssize_t got = ::read(fd->get(), content.data() + have, content.size() - have);
    if (got <= 0) break;
    have += static_cast<size_t>(got);
  }
  content.resize(have);
  return content;
}

}  // namespace

std::uint64_t start_ticks(std::uint32_t pid) {
  const std::string stat = read_some("/proc/" + std::to_string(pid) + "/stat", 1024);
  // The second field is the name in parentheses and may hold anything: count from the last ')'.
  size_t at = stat.rfind(')');
  for (int field = 2; field < 22 && at != std::string::npos; ++field) at = stat.find(' ', at + 1);
  std::uint64_t ticks = 0;
  if (at == std::string::npos) return 0;
  std::from_chars(stat.data() + at + 1, stat.data() + stat.size(), ticks);
  return ticks;
}

bool read_texts(Process& process) {
  const std::string base = "/proc/" + std::to_string(process.pid) + "/";
  Program program = process.program == nullptr ? Program{} : *process.program;
  program.exe = read_link(base + "exe");
  if (program.exe.ends_with(kDeleted)) {
    program.exe.resize(program.exe.size() - kDeleted.size());
    program.exe_flags |= COFF_EXE_DELETED;
  }
  const std::string arguments = read_some(base + "cmdline", COFF_ARGV_MAX);
  const std::string environment = read_some(base + "environ", COFF_ENV_MAX);
  program.argv = schema::split_nul(arguments);
  program.env = schema::split_nul(environment);
  program.argv_bytes = arguments.size();
  program.env_bytes = environment.size();
  program.filename = program.argv.empty() ? program.exe : program.argv[0];
  process.cwd = read_link(base + "cwd");
  // Read last: had the pid changed hands meanwhile, the start time tells.
  if (start_ticks(process.pid) != process.start_boot_ns / kNsPerTick) return false;
  process.program = std::make_shared<const Program>(std::move(program));
  return true;
}

}  // namespace coff::sensor
