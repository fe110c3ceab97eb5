// Private to the room: parts of an event that are read back from JSON.
#pragma once

#include <optional>

#include "schema/event.hpp"
#include "schema/object_reader.hpp"

namespace coff::schema {

/// The bits of one flag's name, nothing for a name that is none.
using FlagNamed = std::optional<std::uint64_t> (*)(std::string_view name);
std::optional<std::uint64_t> exe_flag_named(std::string_view name);
std::optional<std::uint64_t> open_flag_named(std::string_view name);
std::optional<std::uint64_t> mount_flag_named(std::string_view name);
std::optional<std::uint64_t> namespace_flag_named(std::string_view name);

/// Flags as constants.hpp writes them, joined by "|".
template <typename T>
void read_flags(ObjectReader& reader, std::string_view key, FlagNamed named, T& flags) {
  const std::string text = reader.text(key);
  std::string_view rest = text;
  while (!rest.empty()) {
    const size_t end = rest.find('|');
    const std::string_view name = rest.substr(0, end);
    rest = end == rest.npos ? std::string_view() : rest.substr(end + 1);
    if (const auto bits = named(name)) flags |= static_cast<T>(*bits);
    else reader.complain(key, "has a flag that is not known");
  }
}

void read_capabilities(ObjectReader& sets, Capabilities& capabilities);
/// Sets event.container. Metadata is complete unless the object says otherwise.
void read_container(ObjectReader& reader, Event& event);
/// Sets event.detail by event.kind.
void read_detail(ObjectReader& record, Event& event);

}  // namespace coff::schema
