// Reads the items of one rule file: versions, lists, macros.
#include "rules/item_reader.hpp"

#include <algorithm>
#include <charconv>

namespace coff::rules {

namespace {

using Type = YamlNode::Type;

constexpr YamlLimits kLimits{.depth_max = 64, .nodes_max = 2'000'000, .foreign = true};

struct Version {
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  std::uint32_t patch = 0;
};

// "1.2.3", what follows the third number (a pre-release) is not looked at.
std::optional<Version> parse_version(std::string_view text) {
  Version version;
  std::uint32_t* const parts[] = {&version.major, &version.minor, &version.patch};
  const char* at = text.data();
  const char* const end = text.data() + text.size();
  for (size_t part = 0; part < std::size(parts); ++part) {
    if (part > 0 && (at == end || *at++ != '.')) return std::nullopt;
    const auto read = std::from_chars(at, end, *parts[part]);
    if (read.ec != std::errc{}) return std::nullopt;
    at = read.ptr;
  }
  const bool good = at == end || *at == '-' || *at == '+';
  return good ? std::optional(version) : std::nullopt;
}

bool is_identifier(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return !name.empty() && letter(name[0]) && std::ranges::all_of(name, [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || c == '_';
  });
}

bool is_bare(std::string_view name) {
  return name.find_first_of("()\"' \t\n\r\v\f=,") == name.npos;
}

}  // namespace

bool ItemReader::read_file(std::string name, std::string text) {
  sources_.files.push_back({std::move(name), std::move(text)});
  file_ = static_cast<std::uint32_t>(sources_.files.size() - 1);
  const YamlDocuments documents = parse_yaml_stream(sources_.files.back().text, kLimits);
  const ItemPlace whole{.place = {.file = file_}, .context = {}};
  for (const YamlProblem& problem : documents.problems) {
    const YamlNode at{.line = problem.line, .column = problem.column};
    return fail("LOAD_ERR_YAML_PARSE", problem.message, at, whole);
  }
  for (const YamlNode& document : documents.roots) {
    if (document.type == Type::kNull) continue;
    if (document.type != Type::kSequence) {
      return fail("LOAD_ERR_YAML_VALIDATE",
                  document.type == Type::kMapping ? "Rules content is not yaml array of objects"
                                                  : "Rules content is not yaml",
                  document, whole);
    }
    for (const YamlNode& item : document.items) {
      if (item.type != Type::kNull && !read_item(item)) return false;
    }
  }
  return true;
}

bool ItemReader::read_item(const YamlNode& item) {
  const ItemPlace where = place_of(item, "");
  if (item.type != Type::kMapping) {
    return fail("LOAD_ERR_YAML_VALIDATE",
                "Unexpected element type. Each element should be a yaml associative array.", item,
                where);
  }
  if (find_member(item, "required_engine_version") != nullptr) return read_engine_version(item);
  if (const YamlNode* list = find_member(item, "required_plugin_versions")) {
    warn_unknown_keys(item, {"required_plugin_versions"}, where);
    return read_plugin_versions(*list);
  }
  if (find_member(item, "list") != nullptr) return read_list(item);
  if (find_member(item, "macro") != nullptr) return read_macro(item);
  if (find_member(item, "rule") != nullptr) return read_rule(item);
  warn("LOAD_UNKNOWN_ITEM", "Unknown top level item", where);
  return true;
}

bool ItemReader::read_engine_version(const YamlNode& item) {
  const ItemPlace where = place_of(item, "required_engine_version");
  warn_unknown_keys(item, {"required_engine_version"}, where);
  std::string text;
  if (!this->text(item, "required_engine_version", where, Need::kRequired, text)) return false;
  std::optional<Version> version;
  std::uint32_t number = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end.ec == std::errc{} && end.ptr == text.data() + text.size()) {
    version = Version{.minor = number};
  } else {
    version = parse_version(text);
  }
  if (!version) {
    return fail("LOAD_ERR_YAML_VALIDATE",
                "Unable to parse engine version '" + text +
                    "' as a semver string. Expected \"x.y.z\" semver format.",
                item, where);
  }
  if (version->major != 0 || version->minor > kEngineVersionMinor ||
      (version->minor == kEngineVersionMinor && version->patch > 0)) {
    return fail("LOAD_ERR_VALIDATE",
                "Rules require engine version " + std::to_string(version->major) + '.' +
                    std::to_string(version->minor) + '.' + std::to_string(version->patch) +
                    ", but engine version is 0." + std::to_string(kEngineVersionMinor) + ".0",
                item, where);
  }
  return true;
}

bool ItemReader::read_plugin(const YamlNode& plugin, const ItemPlace& where,
                             std::vector<std::string>& names) {
  if (plugin.type != Type::kMapping) {
    return fail("LOAD_ERR_YAML_VALIDATE", "Plugin version must be a mapping", plugin, where);
  }
  std::string name;
  std::string version;
  if (!text(plugin, "name", where, Need::kRequired, name)) return false;
  if (!text(plugin, "version", where, Need::kRequired, version)) return false;
  if (!parse_version(version)) {
    return fail("LOAD_ERR_VALIDATE",
                "Invalid required version '" + version + "' for plugin '" + name + "'", plugin,
                where);
  }
  if (std::ranges::find(names, name) != names.end()) {
    return fail("LOAD_ERR_VALIDATE",
                "Defined multiple alternative version requirements for plugin '" + name + "'",
                plugin, where);
  }
  names.push_back(std::move(name));
  return true;
}

// What plugins give is built in here, so a requirement is checked for its form alone.
bool ItemReader::read_plugin_versions(const YamlNode& list) {
  const ItemPlace where = place_of(list, "required_plugin_versions");
  if (list.type != Type::kSequence) {
    return fail("LOAD_ERR_YAML_VALIDATE", "Value of required_plugin_versions must be a sequence",
                list, where);
  }
  for (const YamlNode& plugin : list.items) {
    std::vector<std::string> names;
    if (!read_plugin(plugin, where, names)) return false;
    warn_unknown_keys(plugin, {"name", "version", "alternatives"}, where);
    const YamlNode* alternatives = find_member(plugin, "alternatives");
    if (alternatives == nullptr) continue;
    if (alternatives->type != Type::kSequence) {
      return fail("LOAD_ERR_YAML_VALIDATE",
                  "Value of plugin version alternatives must be a sequence", *alternatives, where);
    }
    for (const YamlNode& alternative : alternatives->items) {
      if (!read_plugin(alternative, where, names)) return false;
      warn_unknown_keys(alternative, {"name", "version"}, where);
    }
  }
  return true;
}

bool ItemReader::read_list(const YamlNode& item) {
  ListDefinition list;
  if (!text(item, "list", place_of(item, "list"), Need::kRequired, list.name)) return false;
  list.where = place_of(item, "list '" + list.name + "'");
  warn_unknown_keys(item, {"list", "items", "append", "override"}, list.where);
  if (!is_bare(list.name)) {
    warn("LOAD_INVALID_LIST_NAME",
         "List has an invalid name. List names should match a regular expression: "
         "([^()\"'[:space:]=,]+)",
         list.where);
  }
  if (!texts(item, "items", list.where, Need::kRequired, list.items)) return false;
  bool append = false;
  if (!read_append(item, list.where, append)) return false;
  Overrides overrides;
  if (!read_overrides(item, {"items"}, {"items"}, list.where, overrides)) return false;
  if (append && !overrides.empty()) {
    return fail("LOAD_ERR_YAML_VALIDATE",
                "Keys 'override' and 'append: true' cannot be used together. Add an 'append' "
                "entry (e.g. 'condition: append') under 'override' instead.",
                item, list.where);
  }
  const bool extend = append || overrides.append.contains("items");
  return accept(extend ? definitions_.append(list) : definitions_.define(std::move(list)));
}

bool ItemReader::read_macro(const YamlNode& item) {
  MacroDefinition macro;
  if (!text(item, "macro", place_of(item, "macro"), Need::kRequired, macro.name)) return false;
  macro.where = place_of(item, "macro '" + macro.name + "'");
  warn_unknown_keys(item, {"macro", "condition", "append", "override"}, macro.where);
  if (!is_identifier(macro.name)) {
    warn("LOAD_INVALID_MACRO_NAME",
         "Macro has an invalid name. Macro names should match a regular expression: "
         "([a-zA-Z]+[a-zA-Z0-9_]*)",
         macro.where);
  }
  if (!text(item, "condition", macro.where, macro.condition)) return false;
  bool append = false;
  if (!read_append(item, macro.where, append)) return false;
  Overrides overrides;
  if (!read_overrides(item, {"condition"}, {"condition"}, macro.where, overrides)) return false;
  if (append && !overrides.empty()) {
    return fail("LOAD_ERR_YAML_VALIDATE",
                "Keys 'override' and 'append: true' cannot be used together. Add an 'append' "
                "entry (e.g. 'condition: append') under 'override' instead.",
                item, macro.where);
  }
  const bool extend = append || overrides.append.contains("condition");
  return accept(extend ? definitions_.append(macro) : definitions_.define(std::move(macro)));
}

}  // namespace coff::rules
