/* SPDX-License-Identifier: MIT */
/* dma-direct.h - where a device's address lies in memory, for drivers that have to know */
#ifndef _LINUX_DMA_DIRECT_H
#define _LINUX_DMA_DIRECT_H

#include <linux/dma-mapping.h>

phys_addr_t dma_to_phys(struct device *dev, dma_addr_t addr);

#endif
