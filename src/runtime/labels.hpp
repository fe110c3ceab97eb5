// What labels say about a container's place in an orchestrator. Private to this room.
#pragma once

#include "schema/event.hpp"

namespace coff::runtime {

/// Fills the compose_*, k8s_* and ecs_* members from `container.labels`; members without their
/// label stay as they are (a pod's uid may already be known from the control group).
void derive_from_labels(Container& container);

}  // namespace coff::runtime
