// Notes of an ELF core file: threads, process, auxiliary vector, mapped files.
#pragma once

#include <string>
#include <vector>

#include "evidence/memory/regions.hpp"
#include "evidence/memory/registers.hpp"

namespace coff::evidence {

/// What the notes tell of the process as such, read from /proc.
struct ProcessText {
  std::string stat;
  std::string status;
  std::string auxv;
  std::string cmdline;
};

/// The segment PT_NOTE: NT_PRSTATUS of each thread with the thread's number inside the container,
/// as its threading library knows it; the first thread carries NT_PRPSINFO, NT_AUXV, NT_FILE.
/// Threads without registers are left out, but for the first.
std::string core_notes(const ProcessText& process, const Registers& registers,
                       const std::vector<Region>& regions);

}  // namespace coff::evidence
