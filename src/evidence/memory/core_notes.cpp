// Notes of an ELF core file: threads, process, auxiliary vector, mapped files.
#include "evidence/memory/core_notes.hpp"

#include <elf.h>
#include <signal.h>
#include <sys/procfs.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "evidence/process.hpp"

namespace coff::evidence {
namespace {

void append_note(std::string& out, std::uint32_t type, std::string_view name,
                 std::string_view bytes) {
  const Elf64_Nhdr head{static_cast<Elf64_Word>(name.size() + 1),
                        static_cast<Elf64_Word>(bytes.size()), type};
  out.append(reinterpret_cast<const char*>(&head), sizeof head);
  out.append(name).push_back('\0');
  out.append((4 - out.size() % 4) % 4, '\0');
  out.append(bytes);
  out.append((4 - out.size() % 4) % 4, '\0');
}

template <typename T>
std::string_view bytes_of(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

template <typename T>
T number_of(const std::string& text) {
  T number{};
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

/// The name of a set's owner: only the three oldest kinds belong to "CORE".
std::string_view owner_of(std::uint32_t type) { return type == NT_PRFPREG ? "CORE" : "LINUX"; }

pid_t innermost(const std::string& numbers, pid_t missing) {
  const std::size_t space = numbers.find_last_of(" \t");
  const auto found = number_of<pid_t>(space == numbers.npos ? numbers : numbers.substr(space + 1));
  return found > 0 ? found : missing;
}

std::string thread_status(const ProcessText& process, const ThreadState& thread) {
  elf_prstatus status{};
  status.pr_pid = thread.tid_inside;
  status.pr_ppid = number_of<pid_t>(stat_field(process.stat, 4));
  status.pr_pgrp = innermost(status_field(process.status, "NSpgid"), 0);
  status.pr_sid = innermost(status_field(process.status, "NSsid"), 0);
  const bool has_floating =
      std::ranges::any_of(thread.sets, [](const auto& set) { return set.first == NT_PRFPREG; });
  status.pr_fpvalid = has_floating ? 1 : 0;
  // A 32-bit process on a 64-bit kernel has smaller registers, which this structure can't hold.
  if (thread.general.size() == sizeof status.pr_reg) {
    std::memcpy(&status.pr_reg, thread.general.data(), sizeof status.pr_reg);
  }
  return std::string(bytes_of(status));
}

std::string process_info(const ProcessText& process) {
  elf_prpsinfo info{};
  const std::string state = stat_field(process.stat, 3);
  info.pr_sname = state.empty() ? '?' : state[0];
  info.pr_zomb = info.pr_sname == 'Z' ? 1 : 0;
  info.pr_nice = static_cast<char>(number_of<int>(stat_field(process.stat, 19)));
  info.pr_flag = number_of<unsigned long>(stat_field(process.stat, 9));
  info.pr_uid = number_of<unsigned>(status_field(process.status, "Uid"));
  info.pr_gid = number_of<unsigned>(status_field(process.status, "Gid"));
  info.pr_pid = innermost(status_field(process.status, "NSpid"), 0);
  info.pr_ppid = number_of<pid_t>(stat_field(process.stat, 4));
  info.pr_pgrp = innermost(status_field(process.status, "NSpgid"), 0);
  info.pr_sid = innermost(status_field(process.status, "NSsid"), 0);
  const std::size_t open = process.stat.find('(');
  const std::size_t close = process.stat.rfind(')');
  if (open != std::string::npos && close != std::string::npos && close > open) {
    const std::string name = process.stat.substr(open + 1, close - open - 1);
    std::memcpy(info.pr_fname, name.data(), std::min(name.size(), sizeof info.pr_fname - 1));
  }
  std::string arguments = process.cmdline.substr(0, sizeof info.pr_psargs - 1);
  std::ranges::replace(arguments, '\0', ' ');
  std::memcpy(info.pr_psargs, arguments.data(), arguments.size());
  return std::string(bytes_of(info));
}

/// count, page size, then start, end, offset in pages of each; then the names.
std::string mapped_files(const std::vector<Region>& regions) {
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  std::string table;
  std::string names;
  std::uint64_t count = 0;
  for (const Region& region : regions) {
    if (region.inode == 0 || region.path.empty()) continue;
    const std::uint64_t row[3] = {region.start, region.end, region.offset / page};
    table.append(bytes_of(row));
    names.append(region.path).push_back('\0');
    ++count;
  }
  const std::uint64_t head[2] = {count, page};
  return std::string(bytes_of(head)) + table + names;
}

}  // namespace

std::string core_notes(const ProcessText& process, const Registers& registers,
                       const std::vector<Region>& regions) {
  std::string out;
  bool first = true;
  for (const ThreadState& thread : registers.threads) {
    if (thread.general.empty() && !first) continue;
    append_note(out, NT_PRSTATUS, "CORE", thread_status(process, thread));
    if (first) {
      append_note(out, NT_PRPSINFO, "CORE", process_info(process));
      if (!thread.signal.empty()) append_note(out, NT_SIGINFO, "CORE", thread.signal);
      append_note(out, NT_AUXV, "CORE", process.auxv);
      append_note(out, NT_FILE, "CORE", mapped_files(regions));
    }
    for (const auto& [type, bytes] : thread.sets) append_note(out, type, owner_of(type), bytes);
    first = false;
  }
  return out;
}

}  // namespace coff::evidence
