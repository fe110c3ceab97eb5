// The shape of a playbook: what the published JSON schemas of CACAO 2.0 demand.
#include "playbook/schema.hpp"

#include <fmt/format.h>

#include "playbook/names.hpp"
#include "playbook/shapes.hpp"

namespace coff::playbook {
namespace {

std::string_view kind_of(const json::value& value) {
  switch (value.kind()) {
    case json::kind::object: return "an object";
    case json::kind::array: return "a list";
    case json::kind::string: return "text";
    case json::kind::bool_: return "a boolean";
    case json::kind::null: return "null";
    default: return "a number";
  }
}

class Checker {
 public:
  explicit Checker(Problems& problems) : problems_(problems) {}

  void object(const json::value& value, const Shape& shape, const std::string& place) {
    const auto* members = value.if_object();
    if (members == nullptr) return wrong(value, "an object", place);
    for (const Property& property : shape.properties) {
      const json::value* member = member_of(*members, property.name);
      if (member != nullptr) {
        this->property(*member, property, place + '/' + std::string(property.name));
      } else if (property.required) {
        problem(place, fmt::format("{} is missing", property.name));
      }
    }
    if (shape.base != nullptr) object(value, *shape.base, place);
    if (shape.choice.empty()) return;
    size_t present = 0;
    for (const std::string_view name : shape.choice) {
      present += member_of(*members, name) != nullptr ? 1 : 0;
    }
    if (present != 1) {
      problem(place, fmt::format("exactly one of {} must be there", fmt::join(shape.choice, ", ")));
    }
  }

 private:
  void property(const json::value& value, const Property& property, const std::string& place) {
    switch (property.sort) {
      case Sort::kText: text(value, property, place); break;
      case Sort::kTextOrNull:
        if (!value.is_string() && !value.is_null()) wrong(value, "text or null", place);
        break;
      case Sort::kIdentifier:
        if (!value.is_string() || !is_identifier(view(value.get_string()))) {
          wrong(value, "an identifier, type--UUID", place);
        }
        break;
      case Sort::kTimestamp:
        if (!value.is_string() || !is_timestamp(view(value.get_string()))) {
          wrong(value, "a time like 2026-01-31T12:00:00.000Z", place);
        }
        break;
      case Sort::kBoolean:
        if (!value.is_bool()) wrong(value, "a boolean", place);
        break;
      case Sort::kInteger: integer(value, property, place); break;
      case Sort::kAnyObject:
        if (!value.is_object()) wrong(value, "an object", place);
        break;
      case Sort::kObject: object(value, *property.shape, place); break;
      case Sort::kTexts:
      case Sort::kIdentifiers:
      case Sort::kObjects: list(value, property, place); break;
      case Sort::kMap: map(value, property, place); break;
      case Sort::kCases: cases(value, place); break;
      case Sort::kLists: lists(value, place); break;
    }
  }

  void text(const json::value& value, const Property& property, const std::string& place) {
    if (!value.is_string()) return wrong(value, "text", place);
    if (property.values.empty() || is_listed(property.values, view(value.get_string()))) return;
    problem(place, fmt::format("it must be one of {}", fmt::join(property.values, ", ")));
  }

  void integer(const json::value& value, const Property& property, const std::string& place) {
    const bool whole = value.is_int64() || (value.is_uint64() && value.get_uint64() <= INT64_MAX);
    if (!whole) return wrong(value, "a whole number", place);
    const std::int64_t number = value.to_number<std::int64_t>();
    if (number < property.low || number > property.high) {
      problem(place, fmt::format("{} is not in {} to {}", number, property.low, property.high));
    }
  }

  void list(const json::value& value, const Property& property, const std::string& place) {
    const auto* items = value.if_array();
    if (items == nullptr) return wrong(value, "a list", place);
    if (items->size() < property.items_min) {
      problem(place, fmt::format("it needs at least {} elements", property.items_min));
    }
    Property each = property;
    each.sort = Sort::kObject;
    if (property.sort == Sort::kTexts) each.sort = Sort::kText;
    if (property.sort == Sort::kIdentifiers) each.sort = Sort::kIdentifier;
    for (size_t at = 0; at < items->size(); ++at) {
      const json::value& item = (*items)[at];
      if (each.sort == Sort::kObject && property.by_type && item.is_object()) {
        const std::string type = text_of(item.get_object(), "type");
        for (const Keyed& keyed : property.keyed) {
          if (keyed.prefix == type) object(item, *keyed.shape, fmt::format("{}/{}", place, at));
        }
      }
      this->property(item, each, fmt::format("{}/{}", place, at));
    }
  }

  void map(const json::value& value, const Property& property, const std::string& place) {
    const auto* members = value.if_object();
    if (members == nullptr) return wrong(value, "an object", place);
    if (members->size() < property.items_min) problem(place, "it must not be empty");
    for (const auto& member : *members) {
      const std::string_view name(member.key().data(), member.key().size());
      const std::string inner = place + '/' + std::string(name);
      for (const Keyed& keyed : property.keyed) {
        const bool fits = keyed.prefix == "__"
                              ? is_variable_name(name)
                              : is_identifier(name) && type_of_identifier(name) == keyed.prefix;
        if (!fits) continue;
        if (keyed.shape != nullptr) object(member.value(), *keyed.shape, inner);
        else if (!member.value().is_object()) wrong(member.value(), "an object", inner);
      }
    }
  }

  void cases(const json::value& value, const std::string& place) {
    const auto* members = value.if_object();
    if (members == nullptr) return wrong(value, "an object", place);
    for (const auto& member : *members) {
      const std::string name(member.key().data(), member.key().size());
      if (!member.value().is_string() || !is_identifier(view(member.value().get_string()))) {
        wrong(member.value(), "the identifier of a step", place + '/' + name);
      }
    }
  }

  // Addresses and headers: an object of lists of texts or numbers.
  void lists(const json::value& value, const std::string& place) {
    const auto* members = value.if_object();
    if (members == nullptr) return wrong(value, "an object", place);
    for (const auto& member : *members) {
      const std::string inner = place + '/' + std::string(member.key().data(), member.key().size());
      const auto* items = member.value().if_array();
      if (items == nullptr) {
        wrong(member.value(), "a list", inner);
        continue;
      }
      for (const json::value& item : *items) {
        if (!item.is_string() && !item.is_number()) wrong(item, "text", inner);
      }
    }
  }

  void wrong(const json::value& value, std::string_view wanted, const std::string& place) {
    problem(place, fmt::format("it must be {}, and is {}", wanted, kind_of(value)));
  }
  void problem(const std::string& place, std::string message) {
    problems_.add(Problem::Kind::kSchema, place, std::move(message));
  }

  Problems& problems_;
};

}  // namespace

void check_schema(const json::value& document, Problems& problems) {
  Checker(problems).object(document, playbook_shape(), "");
}

}  // namespace coff::playbook
