// Private to the room: the kernel programs that follow the sockets of container engines.
#pragma once

struct cofferdam_bpf;

namespace coff::sensor {

/// Marks them as not to be loaded where this kernel has no tracepoints for them.
void leave_out_api_programs(cofferdam_bpf& opened);

}  // namespace coff::sensor
