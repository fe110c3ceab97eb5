// An inventory as JSON, and back: what a worker sends to the process that asked it.
#include <boost/json.hpp>

#include "base/json_writer.hpp"
#include "inventory/inventory.hpp"
#include "inventory/json_text.hpp"

namespace coff::inventory {
namespace {

namespace json = boost::json;

void write_package(JsonWriter& json, const Package& package) {
  json.begin_object()
      .member("type", type_name(package.type))
      .member("name", package.name)
      .member("version", package.version)
      .member("arch", package.arch)
      .member("source", package.source)
      .member("source_version", package.source_version)
      .member("module", package.module)
      .member("database", package.database)
      .end_object();
}

void write_texts(JsonWriter& json, std::string_view key, const std::vector<std::string>& texts) {
  json.key(key).begin_array();
  for (const std::string& text : texts) json.string(text);
  json.end_array();
}

void write_file(JsonWriter& json, const FileAnswer& file) {
  const ElfIdentity& identity = file.evidence.identity;
  json.begin_object()
      .member("problem", file.problem)
      .member("machine", identity.machine)
      .member("build_id", identity.build_id)
      .member("soname", identity.soname)
      .member("static_openssl", file.evidence.static_openssl);
  write_texts(json, "needed", identity.needed);
  write_texts(json, "openssl_versions", file.evidence.openssl_versions);
  write_texts(json, "problems", file.evidence.problems);
  json.key("packages").begin_array();
  for (const Package& package : file.evidence.packages) write_package(json, package);
  json.end_array().end_object();
}

Result<Package> package_of(const json::value& value) {
  Package package{.name = std::string(text_of(value, "name")),
                  .version = std::string(text_of(value, "version")),
                  .arch = std::string(text_of(value, "arch")),
                  .source = std::string(text_of(value, "source")),
                  .source_version = std::string(text_of(value, "source_version")),
                  .module = std::string(text_of(value, "module")),
                  .database = std::string(text_of(value, "database"))};
  if (!type_of(text_of(value, "type"), package.type) || package.name.empty()) {
    return fail(Code::kInvalid, "a worker's answer has a malformed package");
  }
  return package;
}

std::vector<std::string> texts_of(const json::value& value, std::string_view name) {
  std::vector<std::string> texts;
  for (const json::value& item : items_of(value, name)) {
    if (item.is_string()) texts.emplace_back(std::string_view(item.get_string()));
  }
  return texts;
}

Result<FileAnswer> file_of(const json::value& value) {
  FileAnswer file;
  file.problem = text_of(value, "problem");
  ElfIdentity& identity = file.evidence.identity;
  identity.machine = text_of(value, "machine");
  identity.build_id = text_of(value, "build_id");
  identity.soname = text_of(value, "soname");
  identity.needed = texts_of(value, "needed");
  const json::value* fixed = member_of(value, "static_openssl");
  file.evidence.static_openssl = fixed != nullptr && fixed->is_bool() && fixed->get_bool();
  file.evidence.openssl_versions = texts_of(value, "openssl_versions");
  file.evidence.problems = texts_of(value, "problems");
  for (const json::value& item : items_of(value, "packages")) {
    file.evidence.packages.push_back(TRY(package_of(item)));
  }
  return file;
}

}  // namespace

std::string to_json(const Inventory& inventory) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().key("system").begin_object();
  json.member("id", inventory.system.id)
      .member("version", inventory.system.version)
      .member("codename", inventory.system.codename)
      .member("name", inventory.system.name)
      .end_object();
  json.key("packages").begin_array();
  for (const Package& package : inventory.packages.packages) write_package(json, package);
  json.end_array().key("owners").begin_array();
  for (const auto& [path, index] : inventory.packages.owners) {
    json.begin_object().member("path", path).member("package", index).end_object();
  }
  json.end_array().key("problems").begin_array();
  for (const Problem& problem : inventory.packages.problems) {
    json.begin_object().member("file", problem.file).member("what", problem.what).end_object();
  }
  json.end_array().key("files").begin_array();
  for (const FileAnswer& file : inventory.files) write_file(json, file);
  json.end_array().end_object();
  return text;
}

Result<Inventory> inventory_of(std::string_view text) {
  const json::value root = TRY(parse_json(text));
  Inventory inventory;
  if (const json::value* system = member_of(root, "system")) {
    inventory.system = {.id = std::string(text_of(*system, "id")),
                        .version = std::string(text_of(*system, "version")),
                        .codename = std::string(text_of(*system, "codename")),
                        .name = std::string(text_of(*system, "name"))};
  }
  PackageSet& set = inventory.packages;
  for (const json::value& item : items_of(root, "packages")) {
    set.packages.push_back(TRY(package_of(item)));
  }
  for (const json::value& item : items_of(root, "owners")) {
    const std::size_t index = number_of(item, "package");
    if (index >= set.packages.size()) {
      return fail(Code::kInvalid, "a worker's answer names an owner that it doesn't have");
    }
    set.owners.emplace(text_of(item, "path"), index);
  }
  for (const json::value& item : items_of(root, "problems")) {
    add_problem(set, text_of(item, "file"), std::string(text_of(item, "what")));
  }
  for (const json::value& item : items_of(root, "files")) {
    inventory.files.push_back(TRY(file_of(item)));
  }
  return inventory;
}

}  // namespace coff::inventory
