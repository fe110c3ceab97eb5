// cofferdam playbook approve and approvals: what waits for people, and their signatures.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/fd.hpp"
#include "base/json_writer.hpp"
#include "cli/playbook.hpp"
#include "playbook/approval_store.hpp"

namespace coff::cli {
namespace {

struct Arguments {
  std::string request;
  std::string signature;
  std::string folder;
  std::string signers;  ///< "": approvers_file().
};

Result<playbook::ApprovalStore> open_store(const Arguments& arguments, const Global& global) {
  return playbook::ApprovalStore(TRY(playbook_folder(global, arguments.folder)) + "/approvals");
}

void print_request(const playbook::ApprovalRequest& request, const playbook::ApprovalState& state,
                   const Global& global) {
  if (!global.json) {
    std::printf("%s\n%zu approved%s\n", playbook::text_of(request).c_str(), state.approvals.size(),
                state.enough ? ", that is enough" : "");
    for (const auto& approval : state.approvals) {
      std::printf("  %s with %s\n", printable(approval.person).c_str(),
                  approval.fingerprint.c_str());
    }
    for (const std::string& problem : state.problems) {
      std::printf("  not counted: %s\n", printable(problem).c_str());
    }
    return;
  }
  std::string text;
  JsonWriter json(text);
  json.begin_object()
      .member("request", request.id)
      .member("text", playbook::text_of(request))
      .member("enough", state.enough);
  json.key("approvals").begin_array();
  for (const auto& approval : state.approvals) {
    json.begin_object()
        .member("person", approval.person)
        .member("key", approval.fingerprint)
        .end_object();
  }
  json.end_array().key("problems").begin_array();
  for (const std::string& problem : state.problems) json.string(problem);
  json.end_array().end_object();
  std::printf("%s\n", text.c_str());
}

Result<void> approve(const Arguments& arguments, Global& global) {
  const auto store = TRY(open_store(arguments, global));
  const playbook::ApprovalRequest request = TRY(store.read(arguments.request));
  if (arguments.signature.empty()) {
    if (global.json) {
      print_request(request, {}, global);
    } else {
      // To the byte what is to be signed: nothing may stand before or behind it.
      std::fputs(playbook::text_of(request).c_str(), stdout);
    }
    return {};
  }
  const auto signers = TRY(playbook::read_signers(TRY(approvers_file(global, arguments.signers))));
  const std::string signature =
      TRY(read_file(arguments.signature, playbook::kSshSignatureBytesMax));
  const std::int64_t now = wall_now_ns();
  auto given = store.signatures(request.id);
  const size_t before = playbook::check_approvals(request, given, signers, now).approvals.size();
  given.push_back(signature);
  const auto state = playbook::check_approvals(request, given, signers, now);
  if (state.approvals.size() == before) {
    return fail(Code::kDenied, state.problems.empty() ? "it is not needed" : state.problems.back());
  }
  TRY(store.add(request.id, signature));
  print_request(request, state, global);
  return {};
}

Result<void> list(const Arguments& arguments, Global& global) {
  const auto store = TRY(open_store(arguments, global));
  const auto ids = TRY(store.list());
  const auto signers = playbook::read_signers(TRY(approvers_file(global, arguments.signers)));
  for (const std::string& id : ids) {
    const auto request = TRY(store.read(id));
    auto state = playbook::check_approvals(request, store.signatures(id),
                                           signers ? *signers : std::vector<playbook::Signer>(),
                                           wall_now_ns());
    if (!signers) state.problems.push_back(signers.error().message());
    print_request(request, state, global);
  }
  return {};
}

}  // namespace

void add_playbook_approve(CLI::App& app, Global& global) {
  const auto arguments = std::make_shared<Arguments>();
  const auto add_common = [&](CLI::App* command) {
    command->add_option("--dir", arguments->folder, "Folder, instead of playbook in data_dir")
        ->type_name("DIR");
    command
        ->add_option("--signers", arguments->signers,
                     "Who may approve: an allowed-signers file, instead of response.approvers")
        ->type_name("FILE");
  };
  CLI::App* approving = app.add_subcommand(
      "approve",
      "Print what is to be signed with ssh-keygen -Y sign -n cofferdam-approval, or take "
      "the signature");
  approving->add_option("REQUEST", arguments->request, "As printed by approvals")->required();
  approving->add_option("--signature", arguments->signature, "What ssh-keygen wrote")
      ->type_name("FILE");
  add_common(approving);
  approving->callback([&global, arguments] {
    if (const auto done = approve(*arguments, global); !done) {
      global.exit_code = report(global, done.error());
    }
  });
  CLI::App* listing = app.add_subcommand("approvals", "List what waits for approval");
  add_common(listing);
  listing->callback([&global, arguments] {
    if (const auto done = list(*arguments, global); !done) {
      global.exit_code = report(global, done.error());
    }
  });
}

}  // namespace coff::cli
