// The agent's own files and processes, as the sensor sees them: who changes the former is recorded,
// unless it is one of the latter.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "config/config.hpp"

namespace coff::agent {

/// The clause that every recording profile gets: changes of the configuration file, of what lies in
/// the data, trail and run directories, and of the running program's file. Names are taken as they
/// are and with links resolved, so call it again when the configuration changes.
config::ProfileClause own_files_clause(const config::Config& settings,
                                       std::string_view config_file);

/// Tells the agent's processes from all others.
class OwnProcesses {
 public:
  /// For a child of the supervisor: our parent is the supervisor.
  OwnProcesses();
  /// Whether it is the supervisor or descends from it, and runs the agent's program.
  [[nodiscard]] bool contains(const Process& process) const;

 private:
  std::uint32_t supervisor_ = 0;
  std::uint64_t program_ino_ = 0;
  std::string program_path_;
};

}  // namespace coff::agent
