/* SPDX-License-Identifier: MIT */
/*
 * alloc.c - memory that CPU and device may use at the same time; see linux/dma-mapping.h
 *
 * The CPU gets the address under which it sees what the device sees: the linear one where the
 * device snoops, the alias behind the caches where it does not, the slots' where it bounces.
 */
#include <linux/bug.h>
#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/string.h>
#include "dma/cache.h"
#include "dma/view.h"
#include "dma/window.h"
#include "host/memory.h"

/* The CPU's address of what the device sees at @addr, and where that memory is. */
static void *alloc_cpu(struct dma_view *view, dma_addr_t addr, size_t size, phys_addr_t *phys)
{
	struct dma_reach at;

	if (dma_view_reach(view, addr, size, 0, &at) != DMA_FAULT_NONE ||
	    dma_phys_is_window(at.phys))
		return NULL;
	*phys = at.phys;
	if (at.slot)
		return at.slot;
	return view->coherent ? host_phys_to_virt(at.phys) : cache_behind(at.phys);
}

void *dma_alloc_attrs(struct device *dev, size_t size, dma_addr_t *handle, gfp_t gfp,
		      unsigned long attrs)
{
	struct dma_view *view = dma_view_of(dev);
	phys_addr_t phys;
	void *memory, *cpu;

	*handle = DMA_MAPPING_ERROR;
	if (!view || WARN(!size, "DMA-API: %s: nothing is allocated", dev_name(dev)) ||
	    size > UINT_MAX - PAGE_SIZE)
		return NULL;
	size = PAGE_ALIGN(size);
	memory = alloc_pages_exact(size, gfp | __GFP_ZERO | __GFP_NOWARN);
	if (!memory)
		return NULL;
	*handle = dma_map_page_attrs(dev, virt_to_page(memory), 0, size, DMA_BIDIRECTIONAL,
				     DMA_ATTR_SKIP_CPU_SYNC);
	if (*handle == DMA_MAPPING_ERROR)
		goto err_memory;
	if (*handle + size - 1 > dev->coherent_dma_mask)
		goto err_map;
	cpu = alloc_cpu(view, *handle, size, &phys);
	if (!cpu)
		goto err_map;
	/* no dirty line may be left that the hardware writes back some day */
	if (!view->coherent)
		cache_maintain(phys, size, DMA_TABLE_CLEAN);
	memset(cpu, 0, size);
	return cpu;

err_map:
	dma_unmap_page_attrs(dev, *handle, size, DMA_BIDIRECTIONAL, DMA_ATTR_SKIP_CPU_SYNC);
	*handle = DMA_MAPPING_ERROR;
err_memory:
	free_pages_exact(memory, size);
	return NULL;
}

void dma_free_attrs(struct device *dev, size_t size, void *cpu, dma_addr_t handle,
		    unsigned long attrs)
{
	struct dma_view *view = dma_view_of(dev);
	phys_addr_t phys;

	if (!view || !cpu)
		return;
	size = PAGE_ALIGN(size);
	if (WARN(alloc_cpu(view, handle, size, &phys) != cpu || !dma_view_has(view, handle, size),
		 "DMA-API: %s: free of what was not allocated [0x%llx]", dev_name(dev),
		 (unsigned long long)handle))
		return;
	dma_unmap_page_attrs(dev, handle, size, DMA_BIDIRECTIONAL, DMA_ATTR_SKIP_CPU_SYNC);
	free_pages_exact(host_phys_to_virt(phys), size);
}
