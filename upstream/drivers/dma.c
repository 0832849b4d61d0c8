/* SPDX-License-Identifier: MIT */
/* dma.c - the device of a driver that belongs to no bus: udmabuf.c's */
#include <linux/dma-mapping.h>

#include "upstream/drivers/rig.h"

struct device *udmabuf_device;

int dma_coerce_mask_and_coherent(struct device *dev, u64 mask)
{
	udmabuf_device = dev;
	dev->dma_mask = &dev->coherent_dma_mask;
	dev->coherent_dma_mask = mask;
	return 0;
}
