/* SPDX-License-Identifier: MIT */
/* ioport.h - what a device takes up: addresses of the bus, interrupts */
#ifndef _LINUX_IOPORT_H
#define _LINUX_IOPORT_H

#include <linux/types.h>

typedef phys_addr_t resource_size_t;

struct resource {
	resource_size_t start, end; /* the first and the last */
	const char *name;
	unsigned long flags; /* of what kind it is: IORESOURCE_* */
};

#define IORESOURCE_TYPE_BITS 0x00001f00
#define IORESOURCE_MEM 0x00000200
#define IORESOURCE_IRQ 0x00000400
#define IORESOURCE_DMA 0x00000800

static inline resource_size_t resource_size(const struct resource *res)
{
	return res->end - res->start + 1;
}

#endif
