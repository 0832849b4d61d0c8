/* SPDX-License-Identifier: MIT */
/*
 * conformance.h - /dev/conformance: runs one conformance case inside Linux
 *
 * Errors: ENOENT - there is no case of that number.
 */
#ifndef KMOD_QEMU_CONFORMANCE_H
#define KMOD_QEMU_CONFORMANCE_H

#include <linux/ioctl.h>
#include <linux/types.h>

enum conformance_answer { CONFORMANCE_HOLDS, CONFORMANCE_BROKEN, CONFORMANCE_LEFT_OUT };

struct conformance_call {
	__u32 number;             /* from 0 */
	__u32 wrapped;            /* each buffer is one of /dev/dmabuf-cache's */
	__u64 page;               /* PAGE_SIZE bytes of the caller's that the case may use */
	__u32 answer;             /* enum conformance_answer */
	__u32 name_only;          /* it is not run */
	__u32 broken_off, unused; /* one of its runs ended in its middle, with what it had mapped */
	char name[64], text[256];
};

#define CONFORMANCE_CALL _IOWR('C', 1, struct conformance_call)

#endif
