/* SPDX-License-Identifier: MIT */
/* iova.h - a range of a device's addresses, for drivers that keep their own; with Linux 6.12's names */
#ifndef _LINUX_IOVA_H
#define _LINUX_IOVA_H

#include <linux/types.h>

struct iova {
	unsigned long pfn_lo;
	unsigned long pfn_hi;
};

struct iova_domain {
	unsigned int granule_bits;
};

static inline dma_addr_t iova_dma_addr(struct iova_domain *domain, struct iova *iova)
{
	return (dma_addr_t)iova->pfn_lo << domain->granule_bits;
}

#endif
