// One event as one JSON object: the record of the trail, of exports and of the live stream.
#pragma once

#include <string>

#include "schema/event.hpp"
#include "schema/redact.hpp"
#include "schema/user_names.hpp"

namespace coff::schema {

/// How events become JSON. Borrows what it points to.
struct JsonOptions {
  const UserNames* names = nullptr;    ///< Null: no user names.
  const Redactor* redactor = nullptr;  ///< Null: nothing is redacted.
  Commit commit;                       ///< Needed with `redactor`.
  /// Bytes the object never exceeds (at least 4,096); what has to be cut for it is named in "cut".
  /// The default leaves a trail entry of 60,000 bytes room for its envelope.
  size_t size_bytes_max = 56'000;
  /// Every event carries everything known about its process and container, instead of only those
  /// that start one. Costs about 1.5 kB for each event.
  bool full_context = false;
};

/// Ancestors listed in an event, nearest first.
inline constexpr unsigned kAncestorsMax = 10;

/// Appends the object to `out`: valid JSON whatever the event's strings hold, members in a fixed
/// order, equal events give equal bytes. docs/formats/event.md describes it. Members that are not
/// known are left out.
void append_json(std::string& out, const Event& event, const JsonOptions& options);

/// Appends the members from `kind` on, without type and times and without braces: for entries that
/// are about an event and have their own.
void append_json_members(std::string& out, const Event& event, const JsonOptions& options);

}  // namespace coff::schema
