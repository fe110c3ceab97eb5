// Makers of the rows of the configuration, and the sections in files of their own. Private to the
// room.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.hpp"

namespace coff::config {

// Each helper makes one row. `member` is a generic lambda that gives the member of a
// configuration, so that one serves reading and writing.

template <typename F>
Setting text(std::string_view name, std::string_view limits, TextCheck check, F member,
             std::string_view doc) {
  return {name, limits, doc,
          [=](Reader& reader, const YamlNode& node, Config& config) {
            reader.text(node, name, check, member(config));
          },
          [=](JsonWriter& json, const Config& config) { json.string(member(config)); }};
}

template <typename F>
Setting integer(std::string_view name, std::string_view limits, Range range, F member,
                std::string_view doc) {
  return {name, limits, doc,
          [=](Reader& reader, const YamlNode& node, Config& config) {
            reader.integer(node, name, range, member(config));
          },
          [=](JsonWriter& json, const Config& config) { json.number(member(config)); }};
}

template <typename F>
Setting texts(std::string_view name, std::string_view limits, ListLimit limit, F member,
              std::string_view doc) {
  return {name, limits, doc,
          [=](Reader& reader, const YamlNode& node, Config& config) {
            reader.texts(node, name, limit, member(config));
          },
          [=](JsonWriter& json, const Config& config) {
            json.begin_array();
            for (const std::string& value : member(config)) json.string(value);
            json.end_array();
          }};
}

template <typename F, size_t N>
Setting choice(std::string_view name, std::string_view limits,
               const std::array<std::string_view, N>& values, F member, std::string_view doc) {
  return {name, limits, doc,
          [=, &values](Reader& reader, const YamlNode& node, Config& config) {
            size_t index = N;
            reader.choice(node, name, values, index);
            if (index < N) member(config) = values[index];
          },
          [=](JsonWriter& json, const Config& config) { json.string(member(config)); }};
}

// settings_<section>.cpp
std::vector<Setting> rules_settings();
std::vector<Setting> baseline_settings();
std::vector<Setting> response_settings();

}  // namespace coff::config
