// The agent's own files and processes, as the sensor sees them: who changes the former is recorded,
// unless it is one of the latter.
#include "agent/own_files.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

namespace coff::agent {

namespace {

void add_once(std::vector<std::string>& paths, std::string path) {
  if (path.empty() || std::find(paths.begin(), paths.end(), path) != paths.end()) return;
  paths.push_back(std::move(path));
}

// "" when it can't be told.
std::string program_path() {
  std::error_code problem;
  return std::filesystem::read_symlink("/proc/self/exe", problem).string();
}

// As configured, and where links lead.
std::vector<std::string> names_of(const std::filesystem::path& path) {
  std::error_code problem;
  std::vector<std::string> names;
  if (path.empty()) return names;
  add_once(names, std::filesystem::absolute(path, problem).lexically_normal().string());
  add_once(names, std::filesystem::weakly_canonical(path, problem).string());
  return names;
}

}  // namespace

config::ProfileClause own_files_clause(const config::Config& settings,
                                       std::string_view config_file) {
  config::ProfileClause clause;
  FilterClause& filter = clause.filter;
  filter.reason = "changes of the agent's own files";
  filter.kinds = {COFF_KIND_open,  COFF_KIND_unlink,  COFF_KIND_rmdir,    COFF_KIND_rename,
                  COFF_KIND_link,  COFF_KIND_symlink, COFF_KIND_mkdir,    COFF_KIND_mknod,
                  COFF_KIND_chmod, COFF_KIND_chown,   COFF_KIND_truncate, COFF_KIND_setxattr};
  filter.open_flags_any = COFF_OPEN_WRITE | COFF_OPEN_CREATE;
  for (const auto& name : names_of(config_file)) add_once(filter.path_exact, name);
  add_once(filter.path_exact, program_path());
  for (const std::string& directory : {settings.data_dir, settings.trail_dir(), settings.run_dir}) {
    for (const auto& name : names_of(directory)) {
      add_once(filter.path_exact, name);
      add_once(filter.path_prefix, name + "/");
    }
  }
  return clause;
}

OwnProcesses::OwnProcesses() : supervisor_(static_cast<std::uint32_t>(::getppid())) {
  struct stat program{};
  if (::stat("/proc/self/exe", &program) == 0) program_ino_ = program.st_ino;
  program_path_ = program_path();
}

bool OwnProcesses::contains(const Process& process) const {
  if (process.program == nullptr) return false;
  // After an upgrade the name is another file's; on an overlay the kernel has another number.
  if (process.program->ino != program_ino_ && process.program->exe != program_path_) return false;
  for (const Process* at = &process; at != nullptr; at = at->parent.get()) {
    if (at->pid == supervisor_) return true;
  }
  return false;
}

}  // namespace coff::agent
