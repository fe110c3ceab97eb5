// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* The kernel half of the sensor, as one object: each family below is a file of its own. */
#include "api.bpf.c"
#include "call.bpf.c"
#include "compat.bpf.c"
#include "file.bpf.c"
#include "net.bpf.c"
#include "proc.bpf.c"
#include "map.bpf.c"  /* uses what file.bpf.c tells of a file */
#include "iter.bpf.c" /* uses what proc.bpf.c reads of a task */
#include "flow.bpf.c"
#include "flow_iter.bpf.c" /* uses what flow.bpf.c notes, and iter.bpf.c knows of iterators */

char LICENSE[] SEC("license") = "GPL";
