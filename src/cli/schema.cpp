// cofferdam schema: what events there are and what may be asked of them.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "cli/cli.hpp"
#include "schema/constants.hpp"
#include "schema/decode.hpp"
#include "schema/field.hpp"

namespace coff::cli {

namespace {

void print_text() {
  std::printf("Kinds of events:\n");
  for (unsigned kind = 0; kind < COFF_KINDS; ++kind) {
    const std::string_view doc = schema::kind_doc(static_cast<Kind>(kind));
    std::printf("  %-18.*s %.*s\n", static_cast<int>(schema::kKindNames[kind].size()),
                schema::kKindNames[kind].data(), static_cast<int>(doc.size()), doc.data());
  }
  for (const schema::FieldGroup& group : schema::field_groups()) {
    std::printf("\n%.*s:\n", static_cast<int>(group.title.size()), group.title.data());
    for (const schema::Field& field : group.fields) {
      std::printf("  %-26.*s %.*s\n", static_cast<int>(field.name.size()), field.name.data(),
                  static_cast<int>(field.doc.size()), field.doc.data());
    }
  }
}

}  // namespace

void add_schema(CLI::App& app, Global& global) {
  auto* command = app.add_subcommand("schema", "Print the kinds of events and their fields");
  auto markdown = std::make_shared<bool>(false);
  command->add_flag("--md", *markdown, "Print the reference as Markdown");
  command->callback([&global, markdown] {
    if (*markdown) std::printf("%s", schema::fields_markdown().c_str());
    else if (global.json) std::printf("%s\n", schema::fields_json().c_str());
    else print_text();
  });
}

}  // namespace coff::cli
