// cofferdam playbook sign and verify: signatures of playbooks.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/fd.hpp"
#include "base/json_writer.hpp"
#include "cli/playbook.hpp"
#include "playbook/names.hpp"
#include "playbook/signature.hpp"

namespace coff::cli {
namespace {

constexpr size_t kKeyBytesMax = 64 << 10U;

struct Arguments {
  std::string file;
  std::string key;
  std::string signee;
  std::string identity;
  std::string until;
  std::string out;
  std::vector<std::string> trusted;
};

Result<std::string> sign(const Arguments& arguments, bool json) {
  const playbook::Playbook playbook = TRY(read_playbook(arguments.file));
  const std::string pem = TRY(read_file(arguments.key, kKeyBytesMax));
  const playbook::Key key = TRY(playbook::Key::private_from_pem(pem));
  // Milliseconds, as timestamps of the specification have.
  const std::string now = format_time(wall_now_ns()).substr(0, 23) + "Z";
  const auto document = TRY(playbook::sign_playbook(playbook.document, key,
                                                    {.signee = arguments.signee,
                                                     .created_by = arguments.identity,
                                                     .now = now,
                                                     .valid_until = arguments.until}));
  if (arguments.out.empty() && json) return boost::json::serialize(document) + "\n";
  return playbook::pretty(document);
}

void run_sign(const Arguments& arguments, Global& global) {
  if (!arguments.until.empty() && !playbook::is_timestamp(arguments.until)) {
    report(global, Error{Code::kInvalid, "--valid-until must be like 2026-01-31T12:00:00.000Z"});
    global.exit_code = kUsage;
    return;
  }
  const auto text = sign(arguments, global.json);
  Result<void> written;
  if (text && !arguments.out.empty()) written = replace_file(arguments.out, *text);
  if (!text || !written) {
    global.exit_code = report(global, text ? written.error() : text.error());
  } else if (arguments.out.empty()) {
    std::fputs(text->c_str(), stdout);
  }
}

Result<std::vector<playbook::SignatureCheck>> verify(const Arguments& arguments) {
  const std::string text = TRY(read_file(arguments.file, playbook::kDocumentBytesMax));
  const auto document = TRY(playbook::parse_document(text));
  if (!document.is_object()) return fail(Code::kInvalid, "not a playbook");
  return playbook::check_signatures(document, format_time(wall_now_ns()), arguments.trusted);
}

void run_verify(const Arguments& arguments, Global& global) {
  const auto checks = verify(arguments);
  if (!checks) {
    global.exit_code = report(global, checks.error());
    return;
  }
  bool good = false;
  for (const playbook::SignatureCheck& check : *checks) {
    good = good || (arguments.trusted.empty() ? check.valid : check.trusted);
    std::string text;
    if (global.json) {
      JsonWriter(text)
          .begin_object()
          .member("id", check.id)
          .member("signee", check.signee)
          .member("algorithm", check.algorithm)
          .member("key", check.key)
          .member("valid", check.valid)
          .member("trusted", check.trusted)
          .member("problem", check.problem)
          .end_object();
    } else {
      text = std::string(check.valid ? "good" : "BAD ") + "  " + printable(check.signee) + "  " +
             printable(check.algorithm) + "  key " + check.key;
      if (check.trusted) text += "  trusted";
      if (!check.valid) text += "  " + printable(check.problem);
    }
    std::printf("%s\n", text.c_str());
  }
  if (checks->empty() && !global.json) std::printf("no signatures\n");
  if (!good) global.exit_code = kFound;
}

}  // namespace

void add_playbook_sign(CLI::App& app, Global& global) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* sign = app.add_subcommand("sign", "Print a playbook with one more signature");
  sign->add_option("FILE", arguments->file, "A playbook")->required();
  sign->add_option("--key", arguments->key, "Private key in PEM: Ed25519, or RSA for RS256")
      ->required()
      ->type_name("FILE");
  sign->add_option("--signee", arguments->signee, "Who signs")->required()->type_name("NAME");
  sign->add_option("--identity", arguments->identity, "identity--UUID of who signs")
      ->type_name("ID");
  sign->add_option("--valid-until", arguments->until, "Until when it is valid, RFC 3339")
      ->type_name("TIME");
  sign->add_option("--out", arguments->out, "File to write instead of standard output")
      ->type_name("FILE");
  sign->callback([&global, arguments] { run_sign(*arguments, global); });
  CLI::App* verify = app.add_subcommand(
      "verify", "Check a playbook's signatures (exit 1: none is good, or none of a trusted key)");
  verify->add_option("FILE", arguments->file, "A playbook")->required();
  verify->add_option("--trust", arguments->trusted, "SHA-256 of a public key's DER that is trusted")
      ->type_name("SHA256");
  verify->callback([&global, arguments] { run_verify(*arguments, global); });
}

}  // namespace coff::cli
