// Reads and writes the clauses of a recording profile as YAML and JSON. Private to the room.
#pragma once

#include <vector>

#include "base/json_writer.hpp"
#include "config/reader.hpp"

namespace coff::config {

/// Reads a list of clauses; problems go to `reader`.
void read_clauses(Reader& reader, const YamlNode& node, std::vector<ProfileClause>& out);
/// Writes what read_clauses would read back equal.
void write_clauses(JsonWriter& json, const std::vector<ProfileClause>& clauses);
/// Names of the groups of kinds, with what each holds, for the documentation.
std::string event_groups_markdown();

}  // namespace coff::config
