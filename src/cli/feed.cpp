// cofferdam feed: brings advisories into the store, and says how old they are.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/json_writer.hpp"
#include "cli/cli.hpp"
#include "cli/exposure_store.hpp"
#include "config/config.hpp"
#include "exposure/feeds/feeds.hpp"

namespace coff::cli {

Result<std::string> exposure_store_path(const Global& global, const std::string& given) {
  if (!given.empty()) return given;
  return TRY(config::load_config(global.config_path)).data_dir + "/exposure/advisories.db";
}

Error no_advisories(const std::string& path) {
  return {Code::kNotFound,
          "there are no advisories in " + path + " yet; see: cofferdam feed import --help"};
}

namespace {

struct Arguments {
  std::string path;
  std::string store;
};

Result<void> import(const Arguments& arguments, const Global& global) {
  const std::string path = TRY(exposure_store_path(global, arguments.store));
  if (::access(arguments.path.c_str(), R_OK) != 0) {
    return fail_errno("cannot read " + arguments.path);
  }
  if (arguments.store.empty()) {
    const std::string folder = path.substr(0, path.rfind('/'));
    std::error_code problem;
    std::filesystem::create_directories(folder, problem);
    if (problem) return fail(Code::kIo, "cannot make " + folder + ": " + problem.message());
  }
  auto store = TRY(exposure::Store::open(path, Database::Mode::kReadWrite));
  const exposure::Imported imported = TRY(exposure::import_feeds(store, arguments.path));
  if (global.json) {
    std::string text;
    JsonWriter json(text);
    json.begin_object().key("feeds").begin_array();
    for (const std::string& feed : imported.feeds) json.string(feed);
    json.end_array().member("files", imported.files).member("entries", imported.entries);
    json.key("problems").begin_array();
    for (const std::string& problem : imported.problems) json.string(problem);
    json.end_array().end_object();
    std::printf("%s\n", text.c_str());
    return {};
  }
  for (const std::string& feed : imported.feeds) std::printf("%s\n", printable(feed).c_str());
  for (const std::string& problem : imported.problems) {
    std::printf("left out: %s\n", printable(problem).c_str());
  }
  std::printf("%llu entries of %llu files\n", static_cast<unsigned long long>(imported.entries),
              static_cast<unsigned long long>(imported.files));
  return {};
}

/// Whole hours below two days, else days.
std::string age_of(std::int64_t then_ns) {
  constexpr std::int64_t kHour = std::int64_t{3600} * 1'000'000'000;
  const std::int64_t hours = std::max<std::int64_t>(0, (wall_now_ns() - then_ns) / kHour);
  return hours < 48 ? std::to_string(hours) + " h" : std::to_string(hours / 24) + " d";
}

Result<void> list(const Arguments& arguments, Global& global) {
  const std::string path = TRY(exposure_store_path(global, arguments.store));
  if (::access(path.c_str(), F_OK) != 0) return std::unexpected(no_advisories(path));
  auto store = TRY(exposure::Store::open(path, Database::Mode::kReadOnly));
  const std::vector<exposure::Feed> feeds = TRY(store.feeds());
  for (const exposure::Feed& feed : feeds) {
    if (!global.json) {
      const std::string published =
          feed.published_ns == 0 ? "" : ", published " + age_of(feed.published_ns) + " ago";
      std::printf("%-24s %9llu entries, imported %s ago%s  %s\n", printable(feed.name).c_str(),
                  static_cast<unsigned long long>(feed.entries), age_of(feed.imported_ns).c_str(),
                  published.c_str(), printable(feed.source).c_str());
      continue;
    }
    std::string text;
    JsonWriter json(text);
    json.begin_object()
        .member("name", feed.name)
        .member("source", feed.source)
        .member("entries", feed.entries)
        .member("imported", format_time(feed.imported_ns))
        .member("published", feed.published_ns == 0 ? "" : format_time(feed.published_ns))
        .end_object();
    std::printf("%s\n", text.c_str());
  }
  if (feeds.empty() && !global.json) std::printf("no feeds; see: cofferdam feed import --help\n");
  return {};
}

}  // namespace

void add_feed(CLI::App& app, Global& global) {
  auto* command = app.add_subcommand("feed", "Import advisories, and list what was imported");
  command->require_subcommand(1);
  const auto arguments = std::make_shared<Arguments>();
  const auto add_store = [arguments](CLI::App* to) {
    to->add_option("--store", arguments->store,
                   "Store instead of the one in the configured data folder")
        ->type_name("PATH");
  };
  auto* importing = command->add_subcommand(
      "import",
      "Import files: Debian security tracker (JSON, DSA and DLA lists), Alpine secdb, OSV, CISA "
      "KEV, EPSS. What an import brings replaces what the same feed brought before");
  importing->add_option("FILE", arguments->path, "A file, or a folder with files")->required();
  add_store(importing);
  importing->callback([&global, arguments] {
    if (const auto done = import(*arguments, global); !done) {
      global.exit_code = report(global, done.error());
    }
  });
  auto* listing = command->add_subcommand("list", "List the imported feeds and their ages");
  add_store(listing);
  listing->callback([&global, arguments] {
    if (const auto done = list(*arguments, global); !done) {
      global.exit_code = report(global, done.error());
    }
  });
}

}  // namespace coff::cli
