// A finding as an entry of the trail: what the rule says, the event, and what came before it.
#pragma once

#include <optional>

#include "agent/detector.hpp"
#include "agent/event_window.hpp"
#include "schema/redact.hpp"

namespace coff::agent {

/// What an entry is made with; borrowed.
struct FindingContext {
  const schema::UserNames& names;
  const schema::Redactor& redactor;
  schema::Commit commit;
  const EventWindow& window;
  size_t events_before = 0;
  std::optional<std::uint64_t> number;  ///< Of the event's own entry, where it has one.
};

/// The entry of docs/formats/event.md, at most 58,000 bytes.
FindingEntry make_finding_entry(const Found& found, const FindingContext& context);

}  // namespace coff::agent
