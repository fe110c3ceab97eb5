// One event as one readable line: the live feed.
#pragma once

#include <string>

#include "schema/event.hpp"
#include "schema/redact.hpp"
#include "schema/user_names.hpp"

namespace coff::schema {

struct SentenceOptions {
  const UserNames* names = nullptr;    ///< Null: users appear as numbers.
  const Redactor* redactor = nullptr;  ///< Secrets of command lines appear as "***"; null: shown.
  bool colour = false;                 ///< ANSI colours (SGR), reset before the end of the line.
  bool utc = false;                    ///< Time of day in UTC instead of local time.
};

/// Longest text that a sentence takes from one untrusted string, bytes before escaping; the rest
/// becomes "…".
inline constexpr unsigned kSentenceTextMax = 200;

/// Appends one line without a newline. Safe for a terminal: whatever the event's strings hold
/// appears escaped (append_printable), the only control bytes are our own colours.
///
///   12:00:01.123 web(shop/web:1.2) nginx[412] exec /bin/sh -c id  by alice (login) as root
void append_sentence(std::string& out, const Event& event, const SentenceOptions& options);

}  // namespace coff::schema
