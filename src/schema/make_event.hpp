// From a checked kernel record to the shared model. Joins with nothing: what the record itself
// does not say (process, container, the other process) is handed in by the process tree.
#pragma once

#include <cstdint>

#include "schema/decode.hpp"
#include "schema/event.hpp"

namespace coff::schema {

/// What the process tree knows about a record.
struct Joined {
  ProcessPtr process;      ///< Subject, as it is after the event (fork: the parent).
  ProcessPtr other;        ///< fork: the child. Calls with a target: the target. Null if not known.
  ContainerPtr container;  ///< Null on the host.
  /// setid, loginuid: the process's credentials before the call; null: not known.
  const Credentials* before = nullptr;
};

/// Makes the event of a record. `boot_to_wall_ns` is added to the boot time to get the wall time;
/// strings are copied, so that the record may be released afterwards.
///
/// Paths: `name` is lexical_path(base, raw); for calls on a descriptor (no raw path) it is the
/// resolved path. The target of a symlink, the source of a mount that is not absolute, and an
/// attribute's name are no paths of this host, and stay as given.
Event make_event(const Record& record, std::int64_t boot_to_wall_ns, Joined joined);

/// What the header says of the thread's user, group and login.
Credentials credentials_of(const coff_hdr& header);

/// The program that a successful exec record describes.
Program make_program(const Record& exec);
/// The process that a successful exec record describes. Left for the process tree: id, container,
/// parent, depth. `program` is set from make_program().
Process make_process(const Record& exec);
/// The child of a fork record: a copy of `parent` with what the record says of the child.
/// Left for the process tree: id, container, parent, depth.
Process make_child(const Record& fork, const Process& parent);

}  // namespace coff::schema
