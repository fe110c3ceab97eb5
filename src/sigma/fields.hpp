// Private to the room: fields that only Sigma rules ask for, made from our events.
#pragma once

#include <span>
#include <string_view>

#include "schema/field.hpp"

namespace coff::sigma {

/// Rows beside those of the schema, "sigma.CommandLine". Those that take a name look at another
/// field: sigma.text[fd.sport] is the port as text, sigma.hour[evt.rawtime] the hour (UTC) of a
/// time.
std::span<const schema::Field> own_fields();

/// The value of any field by its full name, ours or the schema's. Not known for unknown names.
schema::Value value_of(const schema::Subject& subject, std::string_view name);

}  // namespace coff::sigma
