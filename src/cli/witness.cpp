// cofferdam witness: serve vouches for other hosts' trails, request asks for a cosignature.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "base/fd.hpp"
#include "base/json_writer.hpp"
#include "cli/cli.hpp"
#include "trail/policy.hpp"
#include "trail/witness_client.hpp"
#include "trail/witness_server.hpp"

namespace coff::cli {

namespace {

struct Options {
  // serve
  std::string state_dir = "/var/lib/cofferdam/witness";
  std::string name;
  std::vector<std::string> logs;
  std::string policy;
  std::string address = "127.0.0.1";
  std::uint16_t port = 7380;
  bool show_key = false;
  // request
  std::string trail_dir = "/var/lib/cofferdam/trail";
  std::string url;
  std::string key;
  std::string out;
};

Result<int> serve(const Options& options, bool json) {
  trail::Witness::Options settings{.dir = options.state_dir, .name = options.name};
  for (const std::string& vkey : options.logs) {
    auto key = trail::VerifierKey::parse(vkey);
    if (!key) return fail(Code::kInvalid, "--log: " + key.error().what);
    settings.logs.push_back(std::move(*key));
  }
  if (!options.policy.empty()) {
    const std::string text = TRY(read_file(options.policy, trail::kPolicyBytesMax));
    const auto policy = TRY(trail::Policy::parse(text));
    for (const auto& log : policy.logs()) settings.logs.push_back(log.key);
  }
  auto witness = TRY(trail::Witness::open(settings));
  const std::string vkey = witness.key().to_string();
  if (options.show_key) {
    std::string line = vkey;
    if (json) {
      line.clear();
      JsonWriter(line).begin_object().member("vkey", vkey).end_object();
    }
    std::printf("%s\n", line.c_str());
    return kOk;
  }
  if (settings.logs.empty()) return fail(Code::kInvalid, "no log to vouch for: give --log");
  const auto server = TRY(trail::WitnessServer::listen(witness, options.address, options.port));
  std::string line;
  if (json) {
    JsonWriter(line)
        .begin_object()
        .member("address", options.address)
        .member("port", static_cast<unsigned>(server->port()))
        .member("vkey", vkey)
        .end_object();
  } else {
    line = "witness " + vkey + " serves http://" + options.address + ":" +
           std::to_string(server->port()) + "/add-checkpoint for " +
           std::to_string(settings.logs.size()) + " logs";
  }
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
  TRY(server->run(true));
  return kOk;
}

Result<int> request(const Options& options, bool json) {
  auto key = trail::VerifierKey::parse(options.key);
  if (!key) return fail(Code::kInvalid, "--key: " + key.error().what);
  const auto epochs = TRY(trail::list_epochs(options.trail_dir));
  if (epochs.empty()) return fail(Code::kNotFound, "there is no trail in " + options.trail_dir);
  auto reader = TRY(trail::EpochReader::open(epochs.back().path));
  const auto checkpoint = TRY(reader.checkpoint());
  const auto reply = TRY(trail::ask_witness({options.url, *key}, reader, checkpoint, 0));
  const bool good = reply.outcome == trail::WitnessOutcome::kCosigned;
  trail::Note note = checkpoint.note;
  for (const auto& line : reply.lines) note.signatures.push_back(line);
  if (good && !options.out.empty()) TRY(replace_file(options.out, note.to_string()));
  std::string line;
  if (json) {
    JsonWriter writer(line);
    writer.begin_object()
        .member("outcome", trail::witness_outcome_name(reply.outcome))
        .member("size", checkpoint.checkpoint.size)
        .member("known_size", reply.known_size)
        .member("detail", reply.detail);
    if (good) writer.member("checkpoint", note.to_string());
    writer.end_object();
    line += '\n';
  } else if (good) {
    line = note.to_string();
  } else {
    line = std::string(trail::witness_outcome_name(reply.outcome)) + ": " +
           printable(reply.detail) + "\n";
  }
  std::fwrite(line.data(), 1, line.size(), stdout);
  return good ? kOk : kFound;
}

using Command = Result<int> (*)(const Options&, bool);

CLI::App* add(CLI::App& parent, Global& global, const std::shared_ptr<Options>& options,
              const char* name, const char* help, Command command) {
  CLI::App* sub = parent.add_subcommand(name, help);
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

}  // namespace

void add_witness(CLI::App& app, Global& global) {
  CLI::App* witness = app.add_subcommand("witness", "Vouch that other hosts' trails only grow");
  witness->require_subcommand(1);
  const auto options = std::make_shared<Options>();
  CLI::App* sub = add(*witness, global, options, "serve",
                      "Answer C2SP tlog-witness requests until a signal comes", serve);
  sub->add_option("--dir", options->state_dir, "Key and newest checkpoints")
      ->type_name("PATH")
      ->capture_default_str();
  sub->add_option("--name", options->name, "Key name, e.g. witness.example/w1")->required();
  sub->add_option("--log", options->logs, "Verifier key of a log (repeatable)");
  sub->add_option("--policy", options->policy, "Take the logs of this C2SP tlog-policy file")
      ->check(CLI::ExistingFile);
  sub->add_option("--address", options->address, "IP address")->capture_default_str();
  sub->add_option("--port", options->port, "TCP port, 0 for any")->capture_default_str();
  sub->add_flag("--show-key", options->show_key, "Print the witness's verifier key and stop");

  sub = add(*witness, global, options, "request",
            "Ask a witness to cosign a trail's newest checkpoint", request);
  sub->add_option("--dir", options->trail_dir, "Directory of the trail")
      ->type_name("DIR")
      ->capture_default_str();
  sub->add_option("--url", options->url, "Submission prefix")->required();
  sub->add_option("--key", options->key, "The witness's verifier key")->required();
  sub->add_option("--out", options->out, "Also write the cosigned checkpoint to FILE")
      ->type_name("PATH");
}

}  // namespace coff::cli
