/* SPDX-License-Identifier: MIT */
/*
 * io.h - a device's registers for the CPU
 *
 * DIFFERS: no machine here has any, so ioremap() fails as it does in Linux where nothing is.  A
 * device's own memory has an iomem pointer without it.
 */
#ifndef _LINUX_IO_H
#define _LINUX_IO_H

#include <linux/compiler.h>
#include <linux/types.h>

/** ioremap - @size bytes of registers at @offset: NULL */
static inline void __iomem *ioremap(phys_addr_t offset, size_t size)
{
	return NULL;
}

static inline void iounmap(volatile void __iomem *addr)
{
}

#endif
