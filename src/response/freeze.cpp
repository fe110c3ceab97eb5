// Freeze: every process of a container stops where it is, and lives on from there when thawed.
#include <fcntl.h>
#include <linux/capability.h>
#include <unistd.h>

#include "base/clock.hpp"
#include "base/json_writer.hpp"
#include "response/catalogue.hpp"

namespace coff::response {
namespace {

constexpr unsigned kCapabilities[] = {CAP_DAC_OVERRIDE, CAP_SYS_PTRACE};
/// Names of `Record::before`.
constexpr const char* kFile = "file";    ///< The freezer's file that was written.
constexpr const char* kState = "state";  ///< What it held: who froze it earlier wants it frozen.
/// The kernel needs some milliseconds for processes in the middle of a call.
constexpr std::int64_t kWaitMs = 3000;
/// Processes must not have run within this time to count as frozen.
constexpr useconds_t kStillUs = 30'000;
constexpr std::size_t kFileBytesMax = 4096;

bool is_unified(const std::string& file) { return file.ends_with("cgroup.freeze"); }
const char* frozen_word(const std::string& file) { return is_unified(file) ? "1" : "FROZEN"; }
const char* thawed_word(const std::string& file) { return is_unified(file) ? "0" : "THAWED"; }

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

std::string folder_of(const std::string& file) { return file.substr(0, file.rfind('/')); }

/// Whether everything in the group and below it stands still, as the kernel says.
Result<bool> is_frozen(const std::string& file) {
  if (!is_unified(file)) return trimmed(TRY(read_file(file, kFileBytesMax))) == "FROZEN";
  const std::string events = TRY(read_file(folder_of(file) + "/cgroup.events", kFileBytesMax));
  return events.find("frozen 1") != std::string::npos;
}

Result<void> write_word(const std::string& file, const char* word) {
  const Fd opened = TRY(open_file(file, O_WRONLY));
  return write_all(opened, word);
}

Result<void> wait_for(const std::string& file, bool frozen) {
  const std::int64_t deadline_ns = boot_now_ns() + kWaitMs * 1'000'000;
  while (TRY(is_frozen(file)) != frozen) {
    if (boot_now_ns() > deadline_ns) {
      return fail(Code::kTimeout,
                  "the container's processes do not come to a stop; some may wait "
                  "in the kernel for a device or a network file system");
    }
    ::usleep(500);
  }
  return {};
}

/// The version 2 freezer when the container has one: tracers can work on what it froze.
Result<std::string> freezer_file(const Target& target) {
  if (!target.cgroup.empty() && ::access((target.cgroup + "/cgroup.freeze").c_str(), W_OK) == 0) {
    return target.cgroup + "/cgroup.freeze";
  }
  if (!target.freezer.empty()) return target.freezer + "/freezer.state";
  return fail(Code::kUnsupported, "this host has no freezer for the container's control group");
}

Result<void> plan_freeze(const Target& target, Record& record, Plan& plan) {
  const std::string file = TRY(freezer_file(target));
  record.before[kFile] = file;
  record.before[kState] = trimmed(TRY(read_file(file, kFileBytesMax)));
  const auto processes = processes_in(folder_of(file));
  const bool already = record.before[kState] == frozen_word(file);
  plan.steps.push_back({"write " + std::string(frozen_word(file)) + " to " + file + ": " +
                            std::to_string(processes.size()) +
                            " process(es) stop, in nested control groups too",
                        already ? "none: it was frozen before, and stays so"
                                : "write " + std::string(thawed_word(file))});
  if (!is_unified(file)) {
    plan.warnings.emplace_back(
        "version 1 freezer: debuggers cannot stop what it has frozen, memory can still be read");
  }
  plan.warnings.emplace_back(
      "the engine does not know: it shows the container as running, and exec into it hangs");
  plan.warnings.emplace_back(
      "peers of its connections see silence and give up by their own limits");
  add_open_channels(target, plan);
  add_restart_warnings(target, true, plan);
  return {};
}

Result<void> perform_freeze(const Target&, Record& record) {
  const std::string& file = record.before[kFile];
  TRY(write_word(file, frozen_word(file)));
  return wait_for(file, true);
}

std::uint64_t cpu_ticks_in(const std::string& folder) {
  std::uint64_t total = 0;
  for (const pid_t pid : processes_in(folder)) total += cpu_ticks_of(pid).value_or(0);
  return total;
}

Result<Measured> verify_freeze(const Target&, const Record& record) {
  const std::string& file = record.before.at(kFile);
  const std::string folder = folder_of(file);
  const std::uint64_t before = cpu_ticks_in(folder);
  ::usleep(kStillUs);
  const std::uint64_t ran = cpu_ticks_in(folder) - before;
  const bool frozen = TRY(is_frozen(file));
  Measured measured{.as_planned = frozen && ran == 0};
  std::string text;
  JsonWriter(text)
      .begin_object()
      .member("frozen", frozen)
      .member("processes", static_cast<std::uint64_t>(processes_in(folder).size()))
      .member("cpu_ticks_since", ran)
      .end_object();
  measured.members = text.substr(1, text.size() - 2);
  return measured;
}

Result<Measured> thaw(const Record& record) {
  const auto file = record.before.find(kFile);
  const auto state = record.before.find(kState);
  if (file == record.before.end() || state == record.before.end()) {
    return fail(Code::kCorrupt, "the record of a freeze does not say what was frozen");
  }
  Measured measured{.as_planned = true};
  if (::access(file->second.c_str(), F_OK) != 0) {
    measured.members = "\"container_gone\":true";
    return measured;
  }
  const bool was_frozen = state->second == frozen_word(file->second);
  if (!was_frozen) {
    TRY(write_word(file->second, thawed_word(file->second)));
    TRY(wait_for(file->second, false));
  }
  const bool frozen = TRY(is_frozen(file->second));
  measured.as_planned = frozen == was_frozen;
  std::string text;
  JsonWriter(text)
      .begin_object()
      .member("frozen", frozen)
      .member("was_frozen_before", was_frozen)
      .end_object();
  measured.members = text.substr(1, text.size() - 2);
  return measured;
}

}  // namespace

const Action kFreeze{.name = "freeze",
                     .sentence = "Stop every process of a container where it is, in memory.",
                     .approval_class = 'B',
                     .rate_class = "freeze",
                     .capabilities = kCapabilities,
                     .stays = true,
                     .plan = plan_freeze,
                     .perform = perform_freeze,
                     .verify = verify_freeze,
                     .inverse = thaw,
                     .renew = nullptr};

}  // namespace coff::response
