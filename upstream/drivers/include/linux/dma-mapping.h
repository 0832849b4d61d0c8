/* SPDX-License-Identifier: MIT */
/*
 * dma-mapping.h - the calls of the DMA API that only Linux's drivers need, beside <linux/dma-mapping.h>
 *
 * Semantics: Linux 6.12.  Implemented in upstream/drivers/dma.c.
 */
#ifndef UPSTREAM_DMA_MAPPING_H
#define UPSTREAM_DMA_MAPPING_H

#include_next <linux/dma-mapping.h>

struct vm_area_struct;

/** dma_get_cache_alignment - what two owners' bytes must be apart */
static inline int dma_get_cache_alignment(void)
{
	return 64;
}

/** dma_max_mapping_size - the longest entry that can be mapped: any */
static inline size_t dma_max_mapping_size(struct device *dev)
{
	return SIZE_MAX;
}

/** dma_coerce_mask_and_coherent - as if the device's bus had said so; it need belong to no machine */
int dma_coerce_mask_and_coherent(struct device *dev, u64 mask);

/**
 * dma_get_sgtable_attrs - the memory that dma_alloc_attrs() returned, as a list
 *
 * Context: may sleep.  Ownership: the caller gives @sgt to sg_free_table(); the memory stays as it is.
 * Returns 0; -ENOMEM; -ENXIO when the memory is a bounce slot's, which has no pages.
 */
int dma_get_sgtable_attrs(struct device *dev, struct sg_table *sgt, void *cpu_addr,
			  dma_addr_t dma_addr, size_t size, unsigned long attrs);

/** dma_mmap_attrs - map such memory into a program; -ENXIO as above, else as remap_pfn_range() */
int dma_mmap_attrs(struct device *dev, struct vm_area_struct *vma, void *cpu_addr,
		   dma_addr_t dma_addr, size_t size, unsigned long attrs);

/**
 * dma_alloc_noncontiguous - memory mapped for @dev, that is synced as mappings are
 *
 * Context: may sleep as @gfp says.  Returns NULL without memory.
 * Ownership: the caller's until dma_free_noncontiguous() with the same values.
 */
struct sg_table *dma_alloc_noncontiguous(struct device *dev, size_t size,
					 enum dma_data_direction dir, gfp_t gfp,
					 unsigned long attrs);
void dma_free_noncontiguous(struct device *dev, size_t size, struct sg_table *sgt,
			    enum dma_data_direction dir);
void *dma_vmap_noncontiguous(struct device *dev, size_t size, struct sg_table *sgt);
void dma_vunmap_noncontiguous(struct device *dev, void *vaddr);
int dma_mmap_noncontiguous(struct device *dev, struct vm_area_struct *vma, size_t size,
			   struct sg_table *sgt);

#endif
