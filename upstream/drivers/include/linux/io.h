/* SPDX-License-Identifier: MIT */
/* io.h - memory that is a device's, beside <linux/io.h> */
#ifndef UPSTREAM_IO_H
#define UPSTREAM_IO_H

#include_next <linux/io.h>

#include <linux/string.h>

void __iomem *ioremap_wc(phys_addr_t phys, size_t size);

static inline void memset_io(void __iomem *dst, int value, size_t count)
{
	memset((void __force *)dst, value, count);
}

#endif
