// The field table: look-up by name, arguments, values as text.
#include "schema/field.hpp"

#include <algorithm>
#include <charconv>

#include "schema/address.hpp"

namespace coff::schema {

namespace {

// Made once from constant tables; read-only afterwards.
const std::vector<const Field*>& by_name() {
  static const std::vector<const Field*> kSorted = [] {
    std::vector<const Field*> sorted;
    for (const FieldGroup& group : field_groups()) {
      for (const Field& field : group.fields) sorted.push_back(&field);
    }
    std::sort(sorted.begin(), sorted.end(),
              [](const Field* a, const Field* b) { return a->name < b->name; });
    return sorted;
  }();
  return kSorted;
}

Argument parse_argument(std::string_view text) {
  Argument argument{.index = std::nullopt, .name = text};
  std::uint32_t number = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
  if (!text.empty() && end.ec == std::errc{} && end.ptr == text.data() + text.size()) {
    argument.index = number;
  }
  return argument;
}

Result<FieldReference> checked(const Field& field, std::optional<std::string_view> text) {
  const std::string name(field.name);
  FieldReference reference{.field = &field, .argument = {}};
  if (!text) {
    const bool optional = field.takes == Takes::kNothing || field.takes == Takes::kOptIndex ||
                          field.takes == Takes::kOptName;
    if (!optional) return fail(Code::kInvalid, name + " needs an argument in brackets");
    return reference;
  }
  if (field.takes == Takes::kNothing) return fail(Code::kInvalid, name + " takes no argument");
  if (text->empty()) return fail(Code::kInvalid, name + " has an empty argument");
  reference.argument = parse_argument(*text);
  const bool index_only = field.takes == Takes::kIndex || field.takes == Takes::kOptIndex;
  if (index_only && !reference.argument.index) {
    return fail(Code::kInvalid, name + " takes a number in brackets");
  }
  return reference;
}

struct Shown {
  std::string operator()(std::monostate) const { return {}; }
  std::string operator()(bool flag) const { return flag ? "true" : "false"; }
  std::string operator()(std::int64_t number) const { return std::to_string(number); }
  std::string operator()(std::uint64_t number) const { return std::to_string(number); }
  std::string operator()(std::string_view text) const { return std::string(text); }
  std::string operator()(const std::string& text) const { return text; }
  std::string operator()(const Address& address) const {
    return address_text(address.bytes, address.v6);
  }
  template <typename T>
  std::string operator()(const std::vector<T>& list) const {
    std::string text;
    for (const T& each : list) {
      if (!text.empty()) text += ", ";
      text += (*this)(each);
    }
    return text;
  }
};

}  // namespace

std::array<FieldGroup, 11> field_groups() {
  return {{{"Event", event_fields()},
           {"Process", process_fields()},
           {"Ancestors and sessions", ancestry_fields()},
           {"User", user_fields()},
           {"File", file_fields()},
           {"Network", socket_fields()},
           {"Connections", flow_fields()},
           {"Container", container_fields()},
           {"Learned behaviour", baseline_fields()},
           {"Derived, as libsinsp names it", derived_fields()},
           {"Known to rules, without a value here", unobserved_fields()}}};
}

const Field* find_field(std::string_view name) {
  const auto& sorted = by_name();
  const auto found =
      std::lower_bound(sorted.begin(), sorted.end(), name,
                       [](const Field* field, std::string_view key) { return field->name < key; });
  return found != sorted.end() && (*found)->name == name ? *found : nullptr;
}

Result<FieldReference> resolve_field(std::string_view text) {
  if (const Field* field = find_field(text)) return checked(*field, std::nullopt);
  const std::string shown(text.substr(0, 128));
  const size_t bracket = text.find('[');
  if (bracket != std::string_view::npos) {
    const Field* field = find_field(text.substr(0, bracket));
    if (field == nullptr) return fail(Code::kNotFound, "unknown field: " + shown);
    if (text.back() != ']') return fail(Code::kInvalid, "missing ']' in " + shown);
    std::string_view inside = text.substr(bracket + 1, text.size() - bracket - 2);
    const bool quoted = inside.size() >= 2 && (inside.front() == '"' || inside.front() == '\'') &&
                        inside.front() == inside.back();
    if (quoted) inside = inside.substr(1, inside.size() - 2);
    return checked(*field, inside);
  }
  const size_t dot = text.rfind('.');
  if (dot != std::string_view::npos) {
    const Field* field = find_field(text.substr(0, dot));
    const bool named =
        field != nullptr && (field->takes == Takes::kName || field->takes == Takes::kIndexOrName);
    if (named) return checked(*field, text.substr(dot + 1));
  }
  return fail(Code::kNotFound, "unknown field: " + shown);
}

std::string_view type_name(Type type) {
  constexpr std::string_view kNames[] = {"bool",    "integer",  "unsigned", "text",
                                         "path",    "duration", "time",     "port",
                                         "address", "network",  "bytes"};
  return kNames[static_cast<size_t>(type)];
}

std::string value_text(const Value& value) { return std::visit(Shown{}, value); }

}  // namespace coff::schema
