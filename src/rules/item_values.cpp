// Reads the values of keys of rule files: text, flags, numbers, lists; and reports about them.
#include <algorithm>
#include <charconv>

#include "rules/item_reader.hpp"

namespace coff::rules {

namespace {

using Type = YamlNode::Type;

// The words that YAML 1.1 takes for a boolean, in lower, upper and title case.
std::optional<bool> boolean(std::string_view text) {
  std::string lower;
  for (const char c : text) {
    lower += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }
  for (const std::string_view yes : {"y", "yes", "true", "on"}) {
    if (lower == yes) return true;
  }
  for (const std::string_view no : {"n", "no", "false", "off"}) {
    if (lower == no) return false;
  }
  return std::nullopt;
}

}  // namespace

const YamlNode* ItemReader::scalar(const YamlNode& item, std::string_view key,
                                   const ItemPlace& where, Need need, bool& failed) {
  const YamlNode* value = find_member(item, key);
  if (value == nullptr && need == Need::kOptional) return nullptr;
  const std::string name(key);
  failed = true;
  if (value == nullptr) {
    fail("LOAD_ERR_YAML_VALIDATE", "Item has no mapping for key '" + name + "'", item, where);
  } else if (value->type == Type::kNull) {
    fail("LOAD_ERR_YAML_VALIDATE", "Mapping for key '" + name + "' is empty", *value, where);
  } else if (value->type != Type::kScalar) {
    fail("LOAD_ERR_YAML_VALIDATE", "Value is not a scalar value: '" + name + "'", *value, where);
  } else if (value->scalar.empty()) {
    fail("LOAD_ERR_YAML_VALIDATE", "Value must be non-empty: '" + name + "'", *value, where);
  } else {
    failed = false;
    return value;
  }
  return nullptr;
}

bool ItemReader::text(const YamlNode& item, std::string_view key, const ItemPlace& where, Need need,
                      std::string& out) {
  bool failed = false;
  const YamlNode* value = scalar(item, key, where, need, failed);
  if (value != nullptr) out = value->scalar;
  return !failed;
}

bool ItemReader::text(const YamlNode& item, std::string_view key, const ItemPlace& where,
                      SourceText& out) {
  bool failed = false;
  const YamlNode* value = scalar(item, key, where, Need::kRequired, failed);
  if (value != nullptr) out = piece_text(*value);
  return !failed;
}

bool ItemReader::flag(const YamlNode& item, std::string_view key, const ItemPlace& where, Need need,
                      bool& out) {
  bool failed = false;
  const YamlNode* value = scalar(item, key, where, need, failed);
  if (value == nullptr) return !failed;
  const auto decoded = boolean(value->scalar);
  if (!decoded) {
    return fail("LOAD_ERR_YAML_VALIDATE",
                "Can't decode YAML scalar value of '" + std::string(key) + "': not a boolean",
                *value, where);
  }
  out = *decoded;
  return true;
}

bool ItemReader::number(const YamlNode& item, std::string_view key, const ItemPlace& where,
                        std::uint64_t& out) {
  bool failed = false;
  const YamlNode* value = scalar(item, key, where, Need::kOptional, failed);
  if (value == nullptr) return !failed;
  const std::string& text = value->scalar;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), out);
  if (end.ec == std::errc{} && end.ptr == text.data() + text.size()) return true;
  return fail("LOAD_ERR_YAML_VALIDATE",
              "Can't decode YAML scalar value of '" + std::string(key) + "': not a number", *value,
              where);
}

bool ItemReader::texts(const YamlNode& item, std::string_view key, const ItemPlace& where,
                       Need need, std::vector<std::string>& out) {
  const YamlNode* value = find_member(item, key);
  if (value == nullptr && need == Need::kOptional) return true;
  const std::string name(key);
  if (value == nullptr) {
    return fail("LOAD_ERR_YAML_VALIDATE", "Item has no mapping for key '" + name + "'", item,
                where);
  }
  if (value->type != Type::kSequence) {
    return fail("LOAD_ERR_YAML_VALIDATE", "Value is not a sequence: '" + name + "'", *value, where);
  }
  for (const YamlNode& each : value->items) {
    if (each.type != Type::kScalar) {
      return fail("LOAD_ERR_YAML_VALIDATE", "sequence value is not scalar", each, where);
    }
    out.push_back(each.scalar);
  }
  return true;
}

bool ItemReader::priority(const YamlNode& item, const ItemPlace& where, Priority& out) {
  bool failed = false;
  const YamlNode* value = scalar(item, "priority", where, Need::kRequired, failed);
  if (value == nullptr) return false;
  const auto parsed = parse_priority(value->scalar);
  if (!parsed) return fail("LOAD_ERR_YAML_VALIDATE", "Invalid priority", *value, where);
  out = *parsed;
  return true;
}

bool ItemReader::read_append(const YamlNode& item, const ItemPlace& where, bool& append) {
  if (!flag(item, "append", where, Need::kOptional, append)) return false;
  if (append) {
    warn("LOAD_DEPRECATED_ITEM",
         "'append' key is deprecated. Add an 'append' entry (e.g. 'condition: append') under "
         "'override' instead.",
         where);
  }
  return true;
}

bool ItemReader::read_overrides(const YamlNode& item, const Keys& appendable,
                                const Keys& replaceable, const ItemPlace& where, Overrides& out) {
  const YamlNode* overrides = find_member(item, "override");
  if (overrides == nullptr || overrides->type == Type::kNull) return true;
  if (overrides->type != Type::kMapping) {
    return fail("LOAD_ERR_YAML_VALIDATE", "'override' must be a mapping", *overrides, where);
  }
  for (size_t at = 0; at < overrides->items.size(); ++at) {
    const std::string& key = overrides->keys[at].scalar;
    const std::string& operation = overrides->items[at].scalar;
    const bool can_append = std::ranges::find(appendable, key) != appendable.end();
    const bool can_replace = std::ranges::find(replaceable, key) != replaceable.end();
    if (operation == "append") {
      if (!can_append) {
        return fail("LOAD_ERR_YAML_VALIDATE",
                    "Key '" + key + "' cannot be appended to, use 'replace' instead",
                    overrides->keys[at], where);
      }
      out.append.insert(key);
    } else if (operation == "replace") {
      if (!can_replace) {
        return fail("LOAD_ERR_YAML_VALIDATE", "Key '" + key + "' cannot be replaced",
                    overrides->keys[at], where);
      }
      out.replace.insert(key);
    } else {
      return fail("LOAD_ERR_YAML_VALIDATE",
                  "Invalid override operation for key '" + key + "': '" + operation +
                      "'. Allowed values are: " + (can_append ? "append " : "") +
                      (can_replace ? "replace " : ""),
                  overrides->items[at], where);
    }
  }
  return true;
}

void ItemReader::warn_unknown_keys(const YamlNode& item, const Keys& known,
                                   const ItemPlace& where) {
  for (const YamlNode& key : item.keys) {
    if (std::ranges::find(known, key.scalar) != known.end()) continue;
    ItemPlace at = where;
    at.place.line = key.line;
    at.place.column = key.column;
    warn("LOAD_UNKNOWN_KEY", "Unknown key '" + key.scalar + "'", at);
  }
}

bool ItemReader::fail(std::string_view code, std::string message, const YamlNode& at,
                      const ItemPlace& where) {
  problems_.push_back({.severity = Problem::Severity::kError,
                       .code = code,
                       .message = std::move(message),
                       .file = sources_.files[file_].name,
                       .line = at.line,
                       .column = at.column,
                       .context = where.context,
                       .snippet = {}});
  return false;
}

void ItemReader::warn(std::string_view code, std::string message, const ItemPlace& where) {
  problems_.push_back({.severity = Problem::Severity::kWarning,
                       .code = code,
                       .message = std::move(message),
                       .file = sources_.files[where.place.file].name,
                       .line = where.place.line,
                       .column = where.place.column,
                       .context = where.context,
                       .snippet = {}});
}

bool ItemReader::accept(const Accepted& accepted) {
  if (accepted) return true;
  const Refusal& refusal = accepted.error();
  problems_.push_back({.severity = Problem::Severity::kError,
                       .code = "LOAD_ERR_VALIDATE",
                       .message = refusal.message,
                       .file = sources_.files[refusal.where.place.file].name,
                       .line = refusal.where.place.line,
                       .column = refusal.where.place.column,
                       .context = refusal.where.context,
                       .snippet = {}});
  return false;
}

ItemPlace ItemReader::place_of(const YamlNode& node, std::string context) const {
  return {.place = {.file = file_, .line = node.line, .column = node.column},
          .context = std::move(context)};
}

std::uint32_t ItemReader::add_piece(const YamlNode& node) {
  sources_.pieces.push_back(
      {.file = file_, .line = node.line, .column = node.column, .text = node.scalar});
  return static_cast<std::uint32_t>(sources_.pieces.size() - 1);
}

SourceText ItemReader::piece_text(const YamlNode& node) {
  SourceText text;
  text.append_piece(add_piece(node), node.scalar);
  return text;
}

}  // namespace coff::rules
