/* SPDX-License-Identifier: MIT */
/* xen.h - addresses of a guest and of its host */
#ifndef _XEN_XEN_H
#define _XEN_XEN_H

#include <linux/pfn.h>
#include <linux/types.h>

#define XEN_PFN_DOWN(addr) PFN_DOWN(addr)

/* Here there is one kind of addresses. */
static inline unsigned long bfn_to_pfn(unsigned long bfn)
{
	return bfn;
}

static inline unsigned long pfn_to_gfn(unsigned long pfn)
{
	return pfn;
}

#endif
