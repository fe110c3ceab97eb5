// cofferdam evidence collect: the target, what the agent knows, progress, the trail's entry.
#include <fcntl.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <charconv>
#include <cstdio>
#include <memory>

#include "agent/sandbox.hpp"
#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/fd.hpp"
#include "base/json_writer.hpp"
#include "cli/control.hpp"
#include "cli/evidence.hpp"
#include "config/config.hpp"
#include "evidence/evidence.hpp"

namespace coff::cli {
namespace {

using evidence::CollectOptions;
using evidence::CustodyRecord;
using evidence::Outcome;
using evidence::Request;
using evidence::Target;

constexpr std::size_t kKeyBytesMax = 65536;
constexpr std::uint64_t kEventsMax = 10'000;
constexpr std::size_t kOutputBytesMax = 65536;

bool is_id_beginning(std::string_view text) {
  return text.size() >= 6 && text.find_first_not_of("0123456789abcdef") == text.npos;
}

std::vector<std::string> engines_of(const Global& global, const EvidenceOptions& options) {
  if (!options.engine.empty()) return {options.engine};
  const auto loaded = config::load_config(global.config_path);
  const config::Config settings = loaded ? *loaded : config::Config();
  return settings.engine_sockets();
}

/// By id from the control groups alone; by name through an engine. The engine that knew it is the
/// one that is asked about it.
Result<Target> target_of(const std::vector<std::string>& engines, const EvidenceOptions& options,
                         std::string& engine) {
  if (options.pid != 0) return evidence::target_of_process(static_cast<pid_t>(options.pid));
  if (options.container.empty()) {
    return fail(Code::kInvalid, "which container? Give its name or id, or --pid");
  }
  std::string id = is_id_beginning(options.container) ? options.container : "";
  for (const std::string& socket : engines) {
    const auto known = evidence::ask_container_id(socket, options.container);
    if (!known) continue;
    engine = socket;
    id = *known;
    break;
  }
  if (id.empty()) {
    return fail(Code::kNotFound,
                "no engine here knows a container " + options.container + "; its id always works");
  }
  return evidence::find_target(id);
}

evidence::Supplied supplied(const Global& global, const EvidenceOptions& options, std::string call,
                            std::string arguments, std::string path, std::string source) {
  return {std::move(path), std::move(source),
          [&global, &options, call, arguments](const evidence::Sink& sink) -> Result<void> {
            auto client = TRY(connect_to_agent(global, options.socket));
            Result<void> written;
            TRY(client.call(call, arguments, [&](std::string_view item) {
              written = sink(std::string(item) + "\n");
              return written.has_value();
            }));
            return written;
          }};
}

Result<std::string> event_arguments(const Target& target, const EvidenceOptions& options) {
  std::string text;
  JsonWriter(text)
      .begin_object()
      .member("container", target.container)
      .member("since", format_time(TRY(time_argument(options.since, "--since"))))
      .member("limit", kEventsMax)
      .end_object();
  return text;
}

void show_progress(std::string_view step, std::uint64_t done, std::uint64_t total) {
  static std::int64_t shown_ns = 0;
  const std::int64_t now_ns = boot_now_ns();
  if (now_ns - shown_ns < 200'000'000) return;
  shown_ns = now_ns;
  std::string text = "\r\x1b[K" + std::string(step);
  if (done > 0) text += " " + std::to_string(done);
  if (total > 0) text += " of " + std::to_string(total);
  std::fputs(text.c_str(), stderr);
}

Result<Request> request_of(const Global& global, const EvidenceOptions& options) {
  Request request{.case_id = options.case_id,
                  .purpose = options.purpose,
                  .authority = options.authority,
                  .marking = options.marking,
                  .operator_name = operator_name(),
                  .operator_uid = ::getuid(),
                  .operator_login_uid = login_uid(),
                  .examiner_name = options.examiner,
                  .resume = options.resume,
                  .quota_bytes = options.quota_mib << 20U,
                  .timestamp = {.url = options.timestamp_url, .ca_file = options.timestamp_ca}};
  constexpr std::uint64_t kQuotaMibMax = std::uint64_t{1} << 40U;
  constexpr std::uint64_t kCaptureMax = 86'400;
  if (options.quota_mib > kQuotaMibMax) return fail(Code::kInvalid, "--quota-mib is too large");
  if (options.capture_s > kCaptureMax) return fail(Code::kInvalid, "--capture is at most a day");
  if (!options.examiner_key.empty()) {
    const std::string pem = TRY(read_file(options.examiner_key, kKeyBytesMax));
    request.examiner_key = TRY(trail::SigningKey::from_pem(pem));
  }
  request.target =
      TRY(target_of(engines_of(global, options), options, request.options.engine_socket));
  request.options.memory = !options.no_memory;
  request.options.volumes = options.volumes;
  request.options.capture_ms = static_cast<std::int64_t>(options.capture_s) * 1000;
  if (::isatty(STDERR_FILENO) == 1) request.options.progress = &show_progress;
  if (!request.target.container.empty()) {
    const std::string events = TRY(event_arguments(request.target, options));
    request.options.supplied.push_back(supplied(global, options, "events.query", events,
                                                "events/events.jsonl",
                                                "trail, since " + options.since));
    request.options.supplied.push_back(
        supplied(global, options, "flows", "{}", "events/flows.jsonl", "flows of this host"));
  }
  return request;
}

/// Collection needs a part of root's rights; what reads a hostile container keeps no more.
Result<void> drop_rights() {
  TRY(agent::Sandbox()
          .capabilities({CAP_SYS_PTRACE, CAP_SYS_ADMIN, CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE,
                         CAP_FOWNER, CAP_NET_RAW, CAP_NET_ADMIN})
          .enter());
  return {};
}

void print_outcome(const Global& global, const Outcome& outcome, const std::string& trail) {
  if (global.json) {
    std::string line;
    JsonWriter(line)
        .begin_object()
        .member("id", outcome.id)
        .member("folder", outcome.sealed.folder)
        .member("manifest_sha256", to_hex(outcome.sealed.manifest_sha256))
        .member("files", outcome.sealed.files)
        .member("bytes", outcome.sealed.bytes)
        .member("gaps", outcome.sealed.gaps)
        .member("processes", outcome.collected.processes)
        .member("cores", outcome.collected.cores)
        .member("longest_stop_us", outcome.collected.longest_stop_ns / 1000)
        .member("timestamp_problem", outcome.timestamp_problem)
        .member("trail", trail)
        .end_object();
    std::printf("%s\n", line.c_str());
    return;
  }
  std::printf(
      "sealed %s\n%llu files, %llu bytes, %llu gaps; %llu processes, %llu cores, longest "
      "stop %.1f ms\nmanifest %s\n%s\n",
      printable(outcome.sealed.folder).c_str(),
      static_cast<unsigned long long>(outcome.sealed.files),
      static_cast<unsigned long long>(outcome.sealed.bytes),
      static_cast<unsigned long long>(outcome.sealed.gaps),
      static_cast<unsigned long long>(outcome.collected.processes),
      static_cast<unsigned long long>(outcome.collected.cores),
      static_cast<double>(outcome.collected.longest_stop_ns) / 1e6,
      to_hex(outcome.sealed.manifest_sha256).c_str(), trail.c_str());
  if (!outcome.timestamp_problem.empty()) {
    std::printf("no time stamp: %s\n", printable(outcome.timestamp_problem).c_str());
  }
}

/// Everything that a child writes into the pipe; its own words are the error when it failed.
Result<std::string> output_of(const Fd& pipe, pid_t child) {
  std::string output;
  char buffer[4096];
  for (;;) {
    const ssize_t got = ::read(pipe.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    if (output.size() < kOutputBytesMax) output.append(buffer, static_cast<std::size_t>(got));
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return output;
  return fail(Code::kIo, output.empty() ? "the collection was killed" : output);
}

}  // namespace

Result<std::string> evidence_container(const Global& global, const EvidenceOptions& options) {
  std::string engine;
  return TRY(target_of(engines_of(global, options), options, engine)).container;
}

Result<std::string> collect_evidence_apart(Global& global, const EvidenceOptions& options) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("cannot make a pipe");
  Fd reader(ends[0]);
  Fd writer(ends[1]);
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child < 0) return fail_errno("cannot start a process");
  if (child == 0) {
    ::dup2(writer.get(), STDOUT_FILENO);
    Global own = global;
    own.json = true;
    const auto done = run_evidence_collect(own, options);
    if (!done) std::fputs(done.error().message().c_str(), stdout);
    std::fflush(nullptr);
    ::_exit(done ? 0 : 1);
  }
  writer.reset();
  return output_of(reader, child);
}

Result<void> run_evidence_collect(Global& global, const EvidenceOptions& options) {
  if (::geteuid() != 0) {
    return fail(Code::kDenied, "memory and files of containers are only given to root");
  }
  const Request request = TRY(request_of(global, options));
  const evidence::Store store = TRY(evidence::Store::open(TRY(evidence_folder(global, options))));
  TRY(drop_rights());
  const Outcome outcome = TRY(evidence::collect_evidence(store, request));
  if (request.options.progress) std::fputs("\r\x1b[K", stderr);
  const std::string trail = TRY(record_custody(global, options, outcome.sealed.folder,
                                               {.actor = request.operator_name,
                                                .role = "operator",
                                                .action = "record",
                                                .object = outcome.id,
                                                .sha256 = to_hex(outcome.sealed.manifest_sha256),
                                                .purpose = request.purpose,
                                                .authority = request.authority}));
  print_outcome(global, outcome, trail);
  return {};
}

}  // namespace coff::cli
