// Entries of the trail about who does what: requests to engines, and sessions.
// docs/formats/access.md describes them.
#pragma once

#include <cstdint>
#include <string>

#include "access/connections.hpp"
#include "access/sessions.hpp"
#include "schema/redact.hpp"
#include "schema/user_names.hpp"

namespace coff::access {

/// How entries are made. Borrows what it points to.
struct EntryOptions {
  const schema::Redactor& redactor;
  schema::Commit commit;
  const schema::UserNames& names;
};

/// What the directory of containers knows of the target.
struct Target {
  std::string id;  ///< "" = the request names none, or it is not known.
  std::string name;
  std::string image;
};

/// One JSON object of at most some 40 kB, whatever the request held: texts and lists are cut.
std::string request_entry(const Exchange& exchange, const Target& target,
                          const EntryOptions& options);
std::string session_begin_entry(const Session& session, const EntryOptions& options);
std::string session_end_entry(const Session& session, std::uint64_t boot_ns, std::int64_t wall_ns,
                              const EntryOptions& options);

}  // namespace coff::access
