/* SPDX-License-Identifier: MIT */
/* dma-mapping.h - what a driver whose device belongs to no bus calls, beside <linux/dma-mapping.h> */
#ifndef UPSTREAM_DMA_MAPPING_H
#define UPSTREAM_DMA_MAPPING_H

#include_next <linux/dma-mapping.h>

/**
 * dma_coerce_mask_and_coherent - as if @dev's bus had said so
 *
 * @dev need belong to no machine yet: upstream/drivers/heaps.c lends it one.  Returns 0.
 */
int dma_coerce_mask_and_coherent(struct device *dev, u64 mask);

static inline int dma_mmap_wc(struct device *dev, struct vm_area_struct *vma, void *cpu_addr,
			      dma_addr_t dma_addr, size_t size)
{
	return dma_mmap_attrs(dev, vma, cpu_addr, dma_addr, size, DMA_ATTR_WRITE_COMBINE);
}

#endif
