// cofferdam doctor: what this kernel and host allow, what is observed, what is blind and why.
#include <sys/utsname.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <cstdio>
#include <memory>

#include "base/bytes.hpp"
#include "base/json_writer.hpp"
#include "cli/canaries.hpp"
#include "cli/cli.hpp"
#include "cli/control.hpp"
#include "config/config.hpp"
#include "response/packet_filter.hpp"

namespace coff::cli {
namespace {

namespace json = boost::json;

struct Options {
  std::string socket;
  bool self_test = false;
};

/// Prints checks as they come and remembers whether all were good.
class Report {
 public:
  explicit Report(bool as_json) : json_(as_json) {}

  void check(std::string_view what, bool ok, std::string_view detail, std::string_view remedy) {
    good_ = good_ && ok;
    if (json_) {
      std::string line;
      JsonWriter(line)
          .begin_object()
          .member("check", what)
          .member("ok", ok)
          .member("detail", detail)
          .member("remedy", remedy)
          .end_object();
      std::printf("%s\n", line.c_str());
      return;
    }
    const bool colour = want_colour();
    const char* mark =
        ok ? (colour ? "\x1b[32mok\x1b[0m  " : "ok  ") : (colour ? "\x1b[31mNO\x1b[0m  " : "NO  ");
    std::printf("%s%s: %s\n", mark, printable(what).c_str(), printable(detail).c_str());
    if (!ok && !remedy.empty()) std::printf("    to mend it: %s\n", printable(remedy).c_str());
  }

  void take(std::string_view item) {
    json::error_code problem;
    const json::value value = json::parse(item, problem);
    if (problem || !value.is_object()) return;
    const json::object& object = value.get_object();
    const auto text = [&](std::string_view name) {
      const json::value* member = object.if_contains(name);
      return member == nullptr || !member->is_string()
                 ? std::string()
                 : std::string(std::string_view(member->get_string()));
    };
    const json::value* ok = object.if_contains("ok");
    check(text("check"), ok != nullptr && ok->is_bool() && ok->get_bool(), text("detail"),
          text("remedy"));
  }

  [[nodiscard]] bool good() const { return good_; }

 private:
  bool json_;
  bool good_ = true;
};

void check_host(Report& report, const config::Config& settings) {
  utsname kernel{};
  ::uname(&kernel);
  report.check("kernel", true, std::string(kernel.release) + " " + kernel.machine, "");
  const bool types = ::access("/sys/kernel/btf/vmlinux", R_OK) == 0;
  report.check("kernel types (BTF)", types,
               types ? "/sys/kernel/btf/vmlinux is there" : "the kernel tells no types",
               "a kernel built with CONFIG_DEBUG_INFO_BTF");
  const bool calls = ::access("/sys/kernel/tracing/events/syscalls", F_OK) == 0 ||
                     ::access("/sys/kernel/debug/tracing/events/syscalls", F_OK) == 0;
  report.check("system call tracepoints", calls, calls ? "tracefs has them" : "not found",
               ::geteuid() == 0 ? "mount -t tracefs tracefs /sys/kernel/tracing" : "run as root");
  const auto engines = settings.engine_sockets();
  std::string list;
  for (const auto& engine : engines) list += (list.empty() ? "" : ", ") + engine;
  report.check("container engines", !engines.empty(),
               engines.empty() ? "no engine's socket found" : list,
               "start an engine, or name its socket under `engines` in the configuration; "
               "containers are seen without, but only by their ids");
  if (::geteuid() == 0) {
    // Not amiss: the sensor does not need it, and quarantine says so again in its plan.
    const auto filter = response::check_filter_support();
    report.check("quarantine by interface", true,
                 filter ? "the kernel filters on interfaces in both directions"
                        : "not possible here: " + filter.error().message(),
                 "");
  }
  report.check("witness", !settings.trail.witnesses.empty(),
               settings.trail.witnesses.empty()
                   ? "none is set: who is root on this host could rewrite the trail unnoticed"
                   : std::to_string(settings.trail.witnesses.size()) + " configured",
               "run `cofferdam witness serve` on another machine and name it under "
               "trail.witnesses");
}

// `told`: an agent has said already what it cannot see.
void check_canaries(Report& report, bool told) {
  const auto test = run_self_test();
  if (!test) return report.check("self-test", false, test.error().message(), "run as root");
  for (const auto& row : test->blindness) {
    if (told) break;
    report.check(row.what, row.by_design,
                 (row.by_design ? "not observed: " : "blind: ") + row.reason, row.remedy);
  }
  for (const auto& canary : test->canaries) {
    report.check(
        "canary " + canary.kind, canary.arrived || canary.blind,
        canary.arrived ? "arrived" : (canary.blind ? "blind: " : "MISSING: ") + canary.detail, "");
  }
}

void run_doctor(Global& global, const Options& options) {
  const auto settings = config::load_config(global.config_path);
  if (!settings) {
    global.exit_code = report(global, settings.error());
    return;
  }
  Report report(global.json);
  check_host(report, *settings);
  auto client = connect_to_agent(global, options.socket);
  Result<void> asked = client ? Result<void>() : Result<void>(std::unexpected(client.error()));
  if (client) {
    asked = client->call("doctor", "{}", [&](std::string_view item) {
      report.take(item);
      return true;
    });
  }
  if (!asked) report.check("agent", false, asked.error().message(), "cofferdam agent, as root");
  if (options.self_test) check_canaries(report, asked.has_value());
  if (!report.good()) global.exit_code = kFound;
}

}  // namespace

void add_doctor(CLI::App& app, Global& global) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "doctor",
      "Tell what this host allows, what is observed, what is blind (exit 1: something "
      "is amiss)");
  command->add_flag("--self-test", options->self_test,
                    "Make one harmless canary of each kind of event and look for it (as root)");
  command->add_option("--socket", options->socket, "Control socket instead of the configured one")
      ->type_name("PATH");
  command->callback([&global, options] { run_doctor(global, *options); });
}

}  // namespace coff::cli
