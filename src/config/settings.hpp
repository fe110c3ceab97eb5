// The one list of settings: name, documentation, limits, how to read and how to write each.
// Private to the room.
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "base/json_writer.hpp"
#include "config/reader.hpp"

namespace coff::config {

struct Setting {
  std::string_view name;    ///< Dotted: "section.key", or "key" at the top.
  std::string_view limits;  ///< What values are allowed, for people.
  std::string_view doc;     ///< A sentence or several.
  std::function<void(Reader&, const YamlNode&, Config&)> read;
  std::function<void(JsonWriter&, const Config&)> write;

  /// "trail" of "trail.dir"; "" at the top.
  [[nodiscard]] std::string_view section() const {
    const size_t dot = name.find('.');
    return dot == name.npos ? std::string_view() : name.substr(0, dot);
  }
  [[nodiscard]] std::string_view key() const {
    const size_t dot = name.find('.');
    return dot == name.npos ? name : name.substr(dot + 1);
  }
};

/// All settings, in the order of the documentation; those of a section are neighbours.
std::span<const Setting> settings();

}  // namespace coff::config
