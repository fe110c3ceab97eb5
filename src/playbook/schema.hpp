// The shape of a playbook: what the published JSON schemas of CACAO 2.0 demand.
#pragma once

#include "playbook/document.hpp"
#include "playbook/problem.hpp"

namespace coff::playbook {

/// Checks `document` as the schemas do when they are read as JSON Schema draft-07, which they name:
/// properties that they do not know are allowed, and kept. Addresses are only checked to be lists;
/// their contents may be variables, and are read when they are used.
void check_schema(const json::value& document, Problems& problems);

}  // namespace coff::playbook
