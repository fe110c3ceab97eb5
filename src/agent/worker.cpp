// Short-lived processes that parse what a container supplied, and can do nothing else.
#include "agent/worker.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "agent/process.hpp"
#include "agent/sandbox.hpp"
#include "base/clock.hpp"
#include "evidence/search/search.hpp"
#include "inventory/elf/elf_identity.hpp"
#include "inventory/inventory.hpp"

namespace coff::agent {
namespace {

constexpr int kOutput = 3;
constexpr int kFirstInput = 4;
/// First byte of what a worker writes.
constexpr char kFound = '+';
constexpr char kMalformed = '-';
/// Descriptors of a worker beside its inputs: 0 to 3, and two to spare.
constexpr std::uint64_t kDescriptors = 6;
/// Exit status when the sandbox could not be entered: the worker then read nothing.
constexpr int kNotConfined = 125;

Result<std::string> identify_elf(std::span<const Fd> inputs) {
  if (inputs.empty()) return fail(Code::kInvalid, "there is no file");
  return inventory::read_elf_identity(inputs.front());
}

constexpr WorkerFunction kFunctions[] = {
    {static_cast<std::uint16_t>(WorkerKind::kElf), &identify_elf},
    {static_cast<std::uint16_t>(WorkerKind::kInventory), &inventory::answer_inventory},
    {static_cast<std::uint16_t>(WorkerKind::kSearch), &evidence::answer_search}};

/// Reads until the worker closes its output, a limit is reached, or time is over.
Result<std::string> collect(const Fd& output, const WorkerLimits& limits) {
  const std::int64_t deadline_ns = boot_now_ns() + limits.wall_ms * 1'000'000;
  std::string text;
  std::array<char, 16384> buffer{};
  for (;;) {
    const std::int64_t left_ms = (deadline_ns - boot_now_ns()) / 1'000'000;
    if (left_ms <= 0) return fail(Code::kTimeout, "a worker ran longer than its time limit");
    pollfd entry{output.get(), POLLIN, 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(left_ms));
    if (ready < 0 && errno != EINTR) return fail_errno("cannot wait for a worker");
    if (ready <= 0) continue;
    const ssize_t got = ::read(output.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("cannot read from a worker");
    if (got == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > limits.output_bytes_max + 1) {
      return fail(Code::kLimit, "a worker wrote more than its limit of " +
                                    std::to_string(limits.output_bytes_max) + " bytes");
    }
  }
}

Result<void> check_ending(const Ending& ending) {
  if (ending.signal == SIGSYS) {
    return fail(Code::kDenied, "a worker tried a forbidden system call and was ended");
  }
  if (ending.signal == SIGXCPU || ending.signal == SIGKILL) {
    return fail(Code::kLimit, "a worker was ended at a limit: " + ending.text());
  }
  if (ending.signal != 0) return fail(Code::kInvalid, "a worker crashed: " + ending.text());
  if (ending.status == kNotConfined) {
    return fail(Code::kUnsupported, "a worker could not be confined, so it did not run");
  }
  if (ending.status != 0) return fail(Code::kInvalid, "a worker failed: " + ending.text());
  return {};
}

std::string encode_limits(const WorkerLimits& limits, std::size_t inputs) {
  return std::to_string(limits.memory_bytes) + ":" + std::to_string(limits.cpu_seconds) + ":" +
         std::to_string(inputs);
}

bool decode_limits(std::string_view text, Limits& limits, std::size_t& inputs) {
  std::uint64_t numbers[3] = {};
  for (std::uint64_t& number : numbers) {
    const std::size_t colon = std::min(text.find(':'), text.size());
    const auto [end, problem] = std::from_chars(text.data(), text.data() + colon, number);
    if (problem != std::errc() || end != text.data() + colon) return false;
    text.remove_prefix(std::min(colon + 1, text.size()));
  }
  limits.memory_bytes = numbers[0];
  limits.cpu_seconds = numbers[1];
  inputs = numbers[2];
  return text.empty() && inputs <= kWorkerInputsMax;
}

Result<void> confine(std::string_view limits_text, std::size_t& inputs) {
  Limits limits{.no_new_file_content = true, .no_new_processes = true};
  if (!decode_limits(limits_text, limits, inputs)) return fail(Code::kInvalid, "malformed limits");
  limits.descriptors = kDescriptors + inputs;
  std::vector<int> kept = {kOutput};
  for (std::size_t at = 0; at < inputs; ++at) kept.push_back(kFirstInput + static_cast<int>(at));
  // Its messages would be a container's text on our log: 0 to 2 lead nowhere.
  const Fd nowhere = TRY(open_file("/dev/null", O_RDWR));
  for (int number = 0; number < kOutput; ++number) {
    if (::dup2(nowhere.get(), number) < 0) return fail_errno("cannot replace a descriptor");
  }
  Sandbox sandbox;
  if (::geteuid() == 0) {
    const Identity identity = identity_of(Role::kWorker);
    sandbox.user(identity.uid, identity.gid);
  }
  TRY(sandbox.capabilities({})
          .descriptors(kept)
          .limits(limits)
          .files({})
          .syscalls(Syscalls::kWorker)
          .enter());
  return {};
}

}  // namespace

Result<std::string> run_worker(WorkerKind kind, Fd input, const WorkerLimits& limits) {
  std::vector<Fd> inputs;
  inputs.push_back(std::move(input));
  return run_worker(kind, std::move(inputs), limits);
}

Result<std::string> run_worker(WorkerKind kind, std::vector<Fd> inputs,
                               const WorkerLimits& limits) {
  if (inputs.size() > kWorkerInputsMax) return fail(Code::kLimit, "too many files for a worker");
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("cannot make a pipe");
  const Fd output(ends[0]);
  Fd output_write(ends[1]);
  const std::string arguments[] = {
      std::string(kChildArgument), std::string(role_name(Role::kWorker)),
      std::to_string(static_cast<unsigned>(kind)), encode_limits(limits, inputs.size())};
  std::vector<int> given = {output_write.get()};
  for (const Fd& input : inputs) given.push_back(input.get());
  const Spawned child = TRY(spawn_self(arguments, given));
  output_write.reset();
  inputs.clear();
  Result<std::string> text = collect(output, limits);
  // It has nothing to do after closing its output; whoever stays then, or is over a limit, ends.
  if (!text) ::kill(child.pid, SIGKILL);
  pollfd entry{child.handle.get(), POLLIN, 0};
  if (::poll(&entry, 1, static_cast<int>(limits.wall_ms)) == 0) ::kill(child.pid, SIGKILL);
  ::poll(&entry, 1, -1);
  const std::optional<Ending> ending = TRY(reap(child));
  if (!text) return text;
  if (ending) TRY(check_ending(*ending));
  if (text->empty()) return fail(Code::kInvalid, "a worker said nothing");
  const char verdict = text->front();
  text->erase(0, 1);
  if (verdict == kFound) return text;
  if (verdict == kMalformed) return fail(Code::kInvalid, std::move(*text));
  return fail(Code::kInvalid, "a worker's answer is malformed");
}

int worker_main(std::string_view kind, std::string_view limits,
                std::span<const WorkerFunction> extra) {
  std::size_t count = 0;
  if (!confine(limits, count)) return kNotConfined;
  unsigned number = 0;
  std::from_chars(kind.data(), kind.data() + kind.size(), number);
  const WorkerFunction* chosen = nullptr;
  for (const auto list : {std::span<const WorkerFunction>(kFunctions), extra}) {
    for (const WorkerFunction& one : list) {
      if (one.kind == number) chosen = &one;
    }
  }
  if (chosen == nullptr) return 2;
  std::vector<Fd> inputs;
  for (std::size_t at = 0; at < count; ++at)
    inputs.emplace_back(kFirstInput + static_cast<int>(at));
  const Fd output(kOutput);
  const Result<std::string> found = chosen->run(inputs);
  const std::string text = found ? std::string(1, kFound) + *found
                                 : std::string(1, kMalformed) + found.error().message();
  const int status = write_all(output, text) ? 0 : 1;
  ::_exit(status);
}

}  // namespace coff::agent
