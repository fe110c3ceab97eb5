// cofferdam trail disclose, erase: redacted values, shown to an investigator or erased for good.
#include "cli/trail_values.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <cstdio>
#include <functional>
#include <memory>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/json_writer.hpp"
#include "cli/control.hpp"
#include "trail/commit.hpp"

namespace coff::cli {

namespace {

namespace json = boost::json;

struct Disclosing {
  std::string dir = "/var/lib/cofferdam/trail";
  std::string sidecar;
  std::string commitment;
};

struct Erasing {
  std::uint64_t seq = 0;
  std::uint64_t epoch = 0;
  std::string field;
  std::string reason;
  std::string socket;
};

std::string sidecar_path(const std::string& dir) {
  return dir + "/" + std::string(trail::kSidecarFile);
}

Result<void> disclose(const Disclosing& options, bool as_json) {
  const auto sidecar = TRY(
      trail::Sidecar::open(options.sidecar.empty() ? sidecar_path(options.dir) : options.sidecar,
                           trail::Sidecar::Mode::kReadOnly));
  const auto disclosure = sidecar.find(options.commitment);
  if (!disclosure) {
    const auto erasure = TRY(sidecar.erasure(options.commitment));
    if (!erasure) return std::unexpected(disclosure.error());
    return fail(Code::kNotFound, "the value was erased at " + format_time(erasure->wall_ns) + ": " +
                                     erasure->reason);
  }
  std::string line;
  if (as_json) {
    JsonWriter(line)
        .begin_object()
        .member("commitment", options.commitment)
        .member("salt", to_hex(disclosure->salt))
        .member("value_base64", to_base64(octets(disclosure->value)))
        .end_object();
  } else {
    line = "salt " + to_hex(disclosure->salt) + "\nvalue ";
    append_printable(line, disclosure->value);
  }
  std::printf("%s\n", line.c_str());
  return {};
}

std::string erased_text(std::string_view item) {
  json::error_code problem;
  const json::value value = json::parse(item, problem);
  const auto* object = problem ? nullptr : value.if_object();
  const auto* commitments = object == nullptr ? nullptr : object->if_contains("commitments");
  const auto* absent = object == nullptr ? nullptr : object->if_contains("absent");
  if (commitments == nullptr || !commitments->is_array() || absent == nullptr) {
    return printable(item);
  }
  const auto gone = absent->to_number<std::uint64_t>(problem);
  return "values erased: " + std::to_string(commitments->get_array().size()) +
         ", gone before: " + std::to_string(problem ? 0 : gone) +
         "; an entry of type erase says so";
}

Result<void> erase(const Global& global, const Erasing& options) {
  auto client = TRY(connect_to_agent(global, options.socket));
  std::string arguments;
  JsonWriter writer(arguments);
  writer.begin_object().member("seq", options.seq).member("reason", options.reason);
  if (options.epoch != 0) writer.member("epoch", options.epoch);
  if (!options.field.empty()) writer.member("field", options.field);
  writer.end_object();
  return client.call("trail.erase", arguments, [&](std::string_view item) {
    std::printf("%s\n", global.json ? std::string(item).c_str() : erased_text(item).c_str());
    return true;
  });
}

/// Runs `work` when the subcommand is chosen, and makes an exit code of what it returns.
void on_call(CLI::App& sub, Global& global, std::function<Result<void>()> work) {
  sub.callback([&global, work = std::move(work)] {
    const auto done = work();
    if (done) return;
    report(global, done.error());
    global.exit_code = done.error().code == Code::kInvalid ? kUsage : kFailed;
  });
}

void add_disclose(CLI::App& trail, Global& global) {
  const auto options = std::make_shared<Disclosing>();
  CLI::App* sub =
      trail.add_subcommand("disclose", "Reveal a redacted value to an investigator, offline");
  sub->add_option("--dir", options->dir, "Directory of the trail")
      ->type_name("DIR")
      ->capture_default_str();
  sub->add_option("commitment", options->commitment, "The commitment that stands in the entry")
      ->required();
  sub->add_option("--sidecar", options->sidecar, "Sidecar file (default: in the trail)")
      ->type_name("FILE");
  on_call(*sub, global, [options, &global] { return disclose(*options, global.json); });
}

void add_erase(CLI::App& trail, Global& global) {
  const auto options = std::make_shared<Erasing>();
  CLI::App* sub = trail.add_subcommand(
      "erase",
      "Erase the redacted values of one entry for good, on the record; the trail still verifies");
  sub->add_option("seq", options->seq, "Number of the entry")->required();
  sub->add_option("--reason", options->reason, "Why; it stands in the trail")
      ->type_name("TEXT")
      ->required();
  sub->add_option("--field", options->field, "Only below this member, e.g. process.args")
      ->type_name("FIELD");
  sub->add_option("--epoch", options->epoch, "Epoch (default: the newest)");
  sub->add_option("--socket", options->socket, "Control socket instead of the configured one")
      ->type_name("PATH");
  on_call(*sub, global, [options, &global] { return erase(global, *options); });
}

}  // namespace

void add_trail_values(CLI::App& trail, Global& global) {
  add_disclose(trail, global);
  add_erase(trail, global);
}

void note_erased_values(const std::string& dir, trail::VerifyReport& report) {
  const auto sidecar = trail::Sidecar::open(sidecar_path(dir), trail::Sidecar::Mode::kReadOnly);
  const auto count = sidecar ? sidecar->erased_count() : std::unexpected(sidecar.error());
  if (!count || *count == 0) return;
  report.findings.push_back({.kind = "erased",
                             .damage = false,
                             .detail = "redacted values erased: " + std::to_string(*count) +
                                       "; entries of type erase say which and why"});
}

}  // namespace coff::cli
