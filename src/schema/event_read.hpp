// Reads the JSON of an event back: for rules that are tried on recorded or on written events.
#pragma once

#include <boost/json/object.hpp>

#include "base/result.hpp"
#include "schema/event.hpp"

namespace coff::schema {

struct EventReadOptions {
  /// Members that are not of docs/formats/event.md are errors, instead of being ignored.
  bool strict = false;
};

/// The event that a record describes, as far as it does: a record that is not one of full context
/// says little of its process, and redacted values stay redacted. Beside the record's own members
/// `ancestors` may have `exe`, `args` and `env`, and a record may lack `time`, `boot`, `syscall`
/// (the usual one of its kind is taken) and everything that does not matter. Hostile input;
/// kInvalid names the member that is wrong.
Result<Event> read_event(const boost::json::object& record, const EventReadOptions& options = {});

}  // namespace coff::schema
