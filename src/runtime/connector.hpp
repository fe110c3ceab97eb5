// How an engine is reached: something that gives connected sockets.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace coff::runtime {

/// Gives a new connected stream socket to one engine each time it is called. Called on the
/// engine's thread; it should answer within a second, since nothing else is read meanwhile. A
/// process without rights of its own gets one that asks its supervisor.
using Connector = std::function<Result<Fd>()>;

/// Connects to the Unix socket at `path` each time, so a replaced file is followed. Never
/// blocks: an engine whose queue of connections is full is an Error (kBusy).
Connector connect_to(std::string path);

/// Process at the other end of a Unix socket (of who listened there); 0 when not known.
pid_t peer_of(const Fd& socket);

}  // namespace coff::runtime
