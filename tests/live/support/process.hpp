// Runs other programs for live tests: with a time limit, with their output, and never left behind.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace coff::live {

struct RunOptions {
  int time_ms_max = 20'000;              ///< Afterwards the program's process group is killed.
  size_t output_bytes_max = 4U << 20U;   ///< Of each stream; more is read and thrown away.
  std::vector<std::string> environment;  ///< "NAME=value", added to ours.
  std::string_view input;                ///< What it reads on standard input.
};

struct Outcome {
  int status = -1;  ///< Exit status, or 128 + signal as a shell has it.
  std::string out;
  std::string err;
};

/// Runs `argv` (searched in PATH) to its end. Any exit status is a value; an Error is a program
/// that could not be started (kIo) or took too long (kTimeout).
Result<Outcome> run(const std::vector<std::string>& argv, const RunOptions& options = {});
/// The same, and any exit status but 0 is an Error (kIo) that quotes standard error. Gives
/// standard output without its last newline.
Result<std::string> run_ok(const std::vector<std::string>& argv, const RunOptions& options = {});

/// A program that runs beside the test, its output appended to a file. Move-only. The kernel
/// sends it SIGTERM when the thread that started it ends, so a crashed test leaves nothing.
class Child {
 public:
  static Result<Child> start(const std::vector<std::string>& argv, const std::string& log_path,
                             const std::vector<std::string>& environment = {});
  Child() = default;
  Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  Child& operator=(Child&& other) noexcept;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() { stop(1000); }

  [[nodiscard]] pid_t pid() const { return pid_; }  ///< -1 when it does not run.
  /// True until it has ended; collects it when it has.
  bool running();
  void signal(int number) const;
  /// SIGTERM, then SIGKILL when it has not ended after `wait_ms`.
  void stop(int wait_ms);

 private:
  explicit Child(pid_t pid) : pid_(pid) {}
  pid_t pid_ = -1;
};

}  // namespace coff::live
