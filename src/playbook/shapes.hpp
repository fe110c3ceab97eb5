// The published schemas as tables: which members an object has, and of what sort. Private to the
// room.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

namespace coff::playbook {

struct Shape;

enum class Sort : unsigned char {
  kText,
  kTextOrNull,
  kIdentifier,
  kTimestamp,
  kBoolean,
  kInteger,
  kAnyObject,
  kObject,
  kTexts,        ///< A list.
  kIdentifiers,  ///< A list.
  kObjects,      ///< A list of objects of one shape, and by their type of another one too.
  kMap,          ///< Names by prefix to objects.
  kCases,        ///< Texts to identifiers of steps.
  kLists,        ///< Names to lists of texts.
};

/// The shape of members whose names begin so; "__" stands for names of variables. Members whose
/// names fit none are not looked at.
struct Keyed {
  std::string_view prefix;
  const Shape* shape = nullptr;  ///< Null: any object.
};

struct Property {
  std::string_view name;
  Sort sort = Sort::kText;
  bool required = false;
  size_t items_min = 0;
  std::int64_t low = std::numeric_limits<std::int64_t>::min();
  std::int64_t high = std::numeric_limits<std::int64_t>::max();
  std::span<const std::string_view> values;  ///< Of a text; empty: any.
  const Shape* shape = nullptr;
  std::span<const Keyed> keyed;
  bool by_type = false;
};

struct Shape {
  std::span<const Property> properties;
  const Shape* base = nullptr;               ///< What it has besides.
  std::span<const std::string_view> choice;  ///< Exactly one of these must be there.
};

const Shape& playbook_shape();

}  // namespace coff::playbook
