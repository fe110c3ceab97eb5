// cofferdam trail: show, verify, prove, export, rebuild-index; offline, on a directory.
#include "cli/cli.hpp"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <memory>

#include "base/fd.hpp"
#include "base/json_writer.hpp"
#include "cli/trail_values.hpp"
#include "trail/export.hpp"
#include "trail/log.hpp"
#include "trail/proof.hpp"
#include "trail/query.hpp"
#include "trail/verify.hpp"

namespace coff::cli {

namespace {

/// Everything that the subcommands' options fill in.
struct Options {
  std::string dir = "/var/lib/cofferdam/trail";
  unsigned epoch = 0;
  std::uint64_t seq = 0;
  std::string file;
  std::vector<std::string> trusted;
  std::string policy;
  std::vector<std::string> known;
  std::string proof;
  std::string entry;
  std::string out;
  std::string range;
  bool no_tiles = false;
  std::string since;
  std::string until;
  trail::QueryFilter filter;
};

/// A counter on standard error for what takes more than a second, when somebody watches.
class Progress {
 public:
  void operator()(std::uint64_t entries) {
    const auto now = std::chrono::steady_clock::now();
    if (isatty(STDERR_FILENO) != 1 || now - shown_ < std::chrono::seconds(1)) return;
    shown_ = now;
    lines_ = true;
    std::fprintf(stderr, "\r%llu entries", static_cast<unsigned long long>(entries));
  }
  void finish() const {
    if (lines_) std::fprintf(stderr, "\n");
  }

 private:
  std::chrono::steady_clock::time_point shown_ = std::chrono::steady_clock::now();
  bool lines_ = false;
};

void print_line(const std::string& line) { std::printf("%s\n", line.c_str()); }

// Control characters in JSON are escaped; bytes that aren't JSON are made safe.
void print_entry(std::string_view entry) {
  std::string line;
  if (isatty(STDOUT_FILENO) == 1) append_printable(line, entry);
  else line = entry;
  print_line(line);
}

Result<trail::EpochReader> open_epoch(const Options& options) {
  const auto epochs = TRY(trail::list_epochs(options.dir));
  if (epochs.empty()) return fail(Code::kNotFound, "there is no trail in " + options.dir);
  if (options.epoch == 0) return trail::EpochReader::open(epochs.back().path);
  return trail::EpochReader::open(options.dir + "/" + trail::epoch_name(options.epoch));
}

Result<trail::VerifyOptions> verify_options(const Options& options) {
  trail::VerifyOptions result;
  for (const std::string& vkey : options.trusted) {
    auto key = trail::VerifierKey::parse(vkey);
    if (!key) return fail(Code::kInvalid, "--key: " + key.error().what);
    result.trusted.push_back(std::move(*key));
  }
  if (!options.policy.empty()) {
    const std::string text = TRY(read_file(options.policy, trail::kPolicyBytesMax));
    result.policy = TRY(trail::Policy::parse(text));
  }
  for (const std::string& path : options.known) {
    const std::string text = TRY(read_file(path, trail::kNoteBytesMax));
    result.known.push_back(TRY(trail::SignedCheckpoint::parse(text)));
  }
  return result;
}

std::string finding_text(const trail::Finding& finding) {
  std::string line = finding.damage ? "DAMAGE " : "note   ";
  line += finding.kind;
  if (finding.epoch != 0) line += ", epoch " + std::to_string(finding.epoch);
  if (finding.first_seq != 0 || finding.last_seq != 0) {
    line += finding.first_seq == finding.last_seq ? ", entry " : ", entries ";
    line += std::to_string(finding.first_seq);
    if (finding.first_seq != finding.last_seq) line += " to " + std::to_string(finding.last_seq);
  }
  line += ": ";
  append_printable(line, finding.detail);
  return line;
}

std::string report_json(const trail::VerifyReport& report) {
  std::string out;
  JsonWriter json(out);
  json.begin_object()
      .member("ok", report.ok())
      .member("entries", report.entries)
      .member("entry_bytes", report.entry_bytes)
      .key("epochs")
      .begin_array();
  for (const auto& epoch : report.epochs) {
    json.begin_object()
        .member("epoch", epoch.number)
        .member("origin", epoch.origin)
        .member("first_seq", epoch.first_seq)
        .member("signed_size", epoch.size)
        .member("witnessed_size", epoch.witnessed_size)
        .member("root", epoch.root)
        .end_object();
  }
  json.end_array().key("findings").begin_array();
  for (const auto& finding : report.findings) {
    json.begin_object()
        .member("kind", finding.kind)
        .member("damage", finding.damage)
        .member("epoch", finding.epoch)
        .member("first_seq", finding.first_seq)
        .member("last_seq", finding.last_seq)
        .member("detail", finding.detail)
        .end_object();
  }
  json.end_array().member("findings_dropped", report.findings_dropped).end_object();
  return out;
}

void report_text(const trail::VerifyReport& report) {
  for (const auto& finding : report.findings) print_line(finding_text(finding));
  if (report.findings_dropped > 0) {
    print_line(std::to_string(report.findings_dropped) + " more findings are not shown");
  }
  for (const auto& epoch : report.epochs) {
    std::string line = printable(epoch.origin) + ": " + std::to_string(epoch.size) +
                       " entries signed, root " + epoch.root;
    if (epoch.first_seq > 0) line += ", entries from " + std::to_string(epoch.first_seq) + " kept";
    if (epoch.witnessed_size > 0) {
      line += ", witnessed up to " + std::to_string(epoch.witnessed_size);
    }
    print_line(line);
  }
  print_line(report.ok() ? "good: " + std::to_string(report.entries) + " entries verified"
                         : "NOT GOOD");
}

Result<int> verify_proof(const Options& options, bool json) {
  const auto trust = TRY(verify_options(options));
  if (trust.trusted.size() != 1 && !trust.policy) {
    return fail(Code::kInvalid, "verifying a proof needs --key or --policy");
  }
  const std::string entry = TRY(read_file(options.entry, trail::kEntryBytesMax));
  const std::string text = TRY(read_file(options.proof, trail::kProofBytesMax));
  const auto proof = TRY(trail::LogProof::parse(text));
  const auto policy = trust.policy ? *trust.policy : trail::Policy::of_log(trust.trusted[0]);
  const auto good = proof.verify(entry, policy);
  std::string line;
  if (json) {
    JsonWriter writer(line);
    writer.begin_object()
        .member("ok", good.has_value())
        .member("index", proof.index)
        .member("origin", proof.checkpoint.checkpoint.origin)
        .member("size", proof.checkpoint.checkpoint.size);
    if (!good) writer.member("reason", good.error().what);
    writer.end_object();
  } else if (good) {
    line = "good: entry " + std::to_string(proof.index) + " of " +
           printable(proof.checkpoint.checkpoint.origin);
  } else {
    line = "NOT GOOD: " + printable(good.error().what);
  }
  print_line(line);
  return good ? kOk : kFound;
}

Result<int> verify(const Options& options, bool json) {
  if (!options.proof.empty()) return verify_proof(options, json);
  auto checks = TRY(verify_options(options));
  Progress progress;
  checks.progress = std::ref(progress);
  const auto epochs = trail::list_epochs(options.dir);
  const bool tiles =
      epochs && epochs->empty() && ::access((options.dir + "/tile").c_str(), F_OK) == 0;
  auto report = TRY(tiles ? trail::verify_tiles(options.dir, checks)
                          : trail::verify_trail(options.dir, checks));
  progress.finish();
  note_erased_values(options.dir, report);
  if (json) print_line(report_json(report));
  else report_text(report);
  return report.ok() ? kOk : kFound;
}

Result<int> show(const Options& options, bool) {
  if (options.seq != UINT64_MAX) {
    auto reader = TRY(open_epoch(options));
    print_entry(TRY(reader.entry(options.seq)));
    return kOk;
  }
  trail::QueryFilter filter = options.filter;
  if (!options.since.empty()) filter.from_wall_ns = TRY(time_argument(options.since, "--since"));
  if (!options.until.empty()) filter.until_wall_ns = TRY(time_argument(options.until, "--until"));
  auto query = TRY(trail::Query::open(options.dir));
  auto rows = TRY(query.run(filter));
  if (filter.newest_first) std::ranges::reverse(rows);
  for (const auto& row : rows) print_entry(row.entry);
  return kOk;
}

Result<int> prove(const Options& options, bool json) {
  auto reader = TRY(open_epoch(options));
  const auto proof = TRY(trail::prove_entry(reader, options.seq));
  const std::string text = proof.to_string();
  if (!options.out.empty()) {
    const std::string entry = TRY(reader.entry(options.seq));
    TRY(replace_file(options.out, text));
    TRY(replace_file(options.out + ".json", entry));
  }
  if (!json && !options.out.empty()) return kOk;
  if (!json) return std::fputs(text.c_str(), stdout) < 0 ? kFailed : kOk;
  std::string line;
  JsonWriter(line).begin_object().member("seq", options.seq).member("proof", text).end_object();
  print_line(line);
  return kOk;
}

Result<int> export_trail(const Options& options, bool json) {
  auto reader = TRY(open_epoch(options));
  trail::ExportOptions request{.out_dir = options.out, .tiles = !options.no_tiles};
  if (!options.range.empty()) {
    const size_t dash = options.range.find('-');
    request.proofs_from = TRY(trail::parse_decimal(options.range.substr(0, dash)));
    request.proofs_to = request.proofs_from;
    if (dash != std::string::npos) {
      request.proofs_to = TRY(trail::parse_decimal(options.range.substr(dash + 1)));
    }
    ++request.proofs_to;
  }
  Progress progress;
  request.progress = std::ref(progress);
  const auto done = TRY(trail::export_epoch(reader, request));
  progress.finish();
  std::string line;
  if (json) {
    JsonWriter(line)
        .begin_object()
        .member("dir", options.out)
        .member("tree_size", done.tree_size)
        .member("entries", done.entries)
        .member("proofs", done.proofs)
        .member("bytes", done.bytes)
        .end_object();
  } else {
    line = printable(options.out) + ": " + std::to_string(done.entries) + " entries, " +
           std::to_string(done.proofs) + " proofs; check them: sh check.sh . public-key.pem";
  }
  print_line(line);
  return kOk;
}

Result<int> rebuild(const Options& options, bool json) {
  Progress progress;
  const auto entries = TRY(trail::rebuild_index(options.dir, std::ref(progress)));
  progress.finish();
  std::string line;
  if (json) JsonWriter(line).begin_object().member("entries", entries).end_object();
  else line = std::to_string(entries) + " entries indexed";
  print_line(line);
  return kOk;
}

using Command = Result<int> (*)(const Options&, bool);

CLI::App* add(CLI::App& parent, Global& global, const std::shared_ptr<Options>& options,
              const char* name, const char* help, Command command) {
  CLI::App* sub = parent.add_subcommand(name, help);
  sub->add_option("--dir", options->dir, "Directory of the trail")
      ->type_name("DIR")
      ->capture_default_str();
  sub->callback([options, command, &global] {
    const auto code = command(*options, global.json);
    if (code) {
      global.exit_code = *code;
      return;
    }
    report(global, code.error());
    global.exit_code = code.error().code == Code::kInvalid ? kUsage : kFailed;
  });
  return sub;
}

void add_show(CLI::App& parent, Global& global, const std::shared_ptr<Options>& options) {
  CLI::App* sub = add(parent, global, options, "show", "Print entries as they were stored", show);
  trail::QueryFilter& filter = options->filter;
  options->seq = UINT64_MAX;
  sub->add_option("seq", options->seq, "One entry by its number; all that match when absent");
  sub->add_option("--epoch", options->epoch, "Epoch of that number (default: the newest)");
  sub->add_option("--since", options->since, "From this time on, or age: 15m, 2h, 3d")
      ->type_name("TIME");
  sub->add_option("--until", options->until, "Before this time, or age")->type_name("TIME");
  sub->add_option("--container", filter.container, "Name, or id or its beginning");
  sub->add_option("--image", filter.image, "Image name");
  sub->add_option("--type", filter.type, "Entry type, e.g. event, gap, heartbeat");
  sub->add_option("--kind", filter.kind, "Event kind, e.g. exec");
  sub->add_option("--exe", filter.exe, "Program path");
  sub->add_option("--path", filter.path, "File path");
  sub->add_option("--pid", filter.pid, "Process id");
  sub->add_option("--uid", filter.uid, "User id");
  sub->add_option("--login-uid", filter.login_uid, "Login user id");
  sub->add_option("--text", filter.text, "Words that must all occur");
  sub->add_option("--after", filter.after, "Only positions above this one");
  sub->add_option("--limit", filter.limit, "Most entries")->capture_default_str();
  sub->add_flag("--last", filter.newest_first, "The newest that match instead of the oldest");
}

}  // namespace

void add_trail(CLI::App& app, Global& global) {
  CLI::App* trail = app.add_subcommand("trail", "Read and verify the tamper-evident trail");
  trail->require_subcommand(1);
  const auto options = std::make_shared<Options>();
  add_show(*trail, global, options);

  CLI::App* sub = add(*trail, global, options, "verify",
                      "Verify a trail, an export, or one proof; exit code 1 on damage", verify);
  sub->add_option("--key", options->trusted, "Verifier key that is trusted (repeatable)");
  sub->add_option("--policy", options->policy, "C2SP tlog-policy file")->check(CLI::ExistingFile);
  sub->add_option("--checkpoint", options->known, "Checkpoint kept elsewhere (repeatable)")
      ->check(CLI::ExistingFile);
  CLI::Option* proof = sub->add_option("--proof", options->proof, "Verify this .tlog-proof alone")
                           ->check(CLI::ExistingFile);
  sub->add_option("--entry", options->entry, "The entry that --proof is about")
      ->check(CLI::ExistingFile)
      ->needs(proof);
  proof->needs("--entry");

  sub = add(*trail, global, options, "prove", "Write a C2SP tlog-proof for one entry", prove);
  sub->add_option("seq", options->seq, "Number of the entry")->required();
  sub->add_option("--epoch", options->epoch, "Epoch (default: the newest)");
  sub->add_option("--out", options->out, "Write to FILE, and the entry to FILE.json")
      ->type_name("PATH");

  sub = add(*trail, global, options, "export",
            "Write a directory that others can check without this program", export_trail);
  sub->add_option("--out", options->out, "New directory")->type_name("PATH")->required();
  sub->add_option("--epoch", options->epoch, "Epoch (default: the newest)");
  sub->add_option("--prove", options->range, "FIRST-LAST: entries with a proof of their own");
  sub->add_flag("--no-tiles", options->no_tiles, "Only the proofs, not the whole tree");

  add(*trail, global, options, "rebuild-index", "Make the search index anew", rebuild);

  add_trail_values(*trail, global);
}

}  // namespace coff::cli
