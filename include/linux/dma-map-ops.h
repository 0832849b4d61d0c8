/* SPDX-License-Identifier: MIT */
/*
 * dma-map-ops.h - the area that a device without one of its own takes contiguous memory from
 *
 * Of what Linux has here there is nothing else: a machine's way of mapping is dma/'s.
 */
#ifndef _LINUX_DMA_MAP_OPS_H
#define _LINUX_DMA_MAP_OPS_H

#include <linux/cma.h>
#include <linux/device.h>

/* Never NULL.  Constant once drivers register: who wants another name sets it before (linux/init.h). */
extern struct cma *dma_contiguous_default_area;

/** dev_get_cma_area - @dev's area: no device here has its own. Context: any */
static inline struct cma *dev_get_cma_area(struct device *dev)
{
	return dma_contiguous_default_area;
}

#endif
