// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* The 32-bit entry for system calls, watched at its own function. */
#include "compat.h"

#if defined(__TARGET_ARCH_x86)

SEC("fentry/ia32_sys_call")
int on_compat_call(void *ctx)
{
	tell_compat_call();
	return 0;
}

#endif
