// Private to the room: which values stay the same for every event of one process, so that what was
// found out about them can be kept.
#pragma once

#include <cstddef>

#include "schema/field.hpp"

namespace coff::rules {

/// Whose a value is: it is made of nothing but the event's process and its ancestors (kProcess), of
/// its parent and the parent's ancestors (kParent), or of anything (kEvent). Processes are values
/// that never change (schema/event.hpp), so the same process gives the same value.
enum class Owner : unsigned char { kEvent, kProcess, kParent };
inline constexpr size_t kOwners = 3;

Owner owner_of(const schema::FieldReference& field);
/// Of what is made of both.
Owner common_owner(Owner a, Owner b);

}  // namespace coff::rules
