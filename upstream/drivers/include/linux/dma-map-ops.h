/* SPDX-License-Identifier: MIT */
/* dma-map-ops.h - the area that a device without one of its own takes contiguous memory from */
#ifndef _LINUX_DMA_MAP_OPS_H
#define _LINUX_DMA_MAP_OPS_H

#include <linux/cma.h>
#include <linux/device.h>

extern struct cma *dma_contiguous_default_area;

static inline struct cma *dev_get_cma_area(struct device *dev)
{
	return dma_contiguous_default_area;
}

#endif
