// Where a login came from: the other end of the connection that its server holds.
#pragma once

#include <string>

#include "access/sessions.hpp"
#include "schema/event.hpp"

namespace coff::agent {

/// Reads /proc of `server`, which holds the accepted connection of the one who logs in: the
/// connected TCP socket with the lowest descriptor. Never from the environment, which the client
/// may set. Nothing when the process has ended or has no such socket.
access::Origin find_login_origin(const Process& server);

/// The remote end of the socket with this inode in a table as /proc/net/tcp or tcp6 has it.
access::Origin origin_in_table(std::string_view table, std::string_view inode);

}  // namespace coff::agent
