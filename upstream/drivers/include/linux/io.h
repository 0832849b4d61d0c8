/* SPDX-License-Identifier: MIT */
/* io.h - a device's registers for the CPU: no machine here has any, so there is nothing to map */
#ifndef _LINUX_IO_H
#define _LINUX_IO_H

#include <linux/compiler.h>
#include <linux/types.h>

static inline void __iomem *ioremap(phys_addr_t offset, size_t size)
{
	return NULL;
}

static inline void iounmap(volatile void __iomem *addr)
{
}

#endif
