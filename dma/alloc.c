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
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "dma/cache.h"
#include "dma/view.h"
#include "dma/window.h"
#include "host/memory.h"

/* The whole of what dma_alloc_attrs() gave at @addr, where it is memory. */
static int alloc_memory(struct dma_view *view, dma_addr_t addr, size_t size, phys_addr_t *phys)
{
	struct dma_reach at;

	if (!view || dma_view_reach(view, addr, size, 0, &at) != DMA_FAULT_NONE || at.slot ||
	    at.len < size || !dma_view_has(view, addr, size))
		return -ENXIO;
	*phys = at.phys;
	return 0;
}

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

int dma_get_sgtable_attrs(struct device *dev, struct sg_table *sgt, void *cpu, dma_addr_t addr,
			  size_t size, unsigned long attrs)
{
	phys_addr_t phys;
	int ret;

	size = PAGE_ALIGN(size);
	ret = alloc_memory(dma_view_of(dev), addr, size, &phys);
	if (!ret)
		ret = sg_alloc_table(sgt, 1, GFP_KERNEL);
	if (!ret)
		sg_set_page(sgt->sgl, phys_to_page(phys), size, 0);
	return ret;
}

/* The part of @size bytes at @phys that @vma asks for. */
static int map_part(struct vm_area_struct *vma, phys_addr_t phys, size_t size)
{
	unsigned long have = PAGE_ALIGN(size) >> PAGE_SHIFT, want = vma_pages(vma);

	if (vma->vm_pgoff >= have || want > have - vma->vm_pgoff)
		return -ENXIO;
	return remap_pfn_range(vma, vma->vm_start, (phys >> PAGE_SHIFT) + vma->vm_pgoff,
			       want << PAGE_SHIFT, vma->vm_page_prot);
}

int dma_mmap_attrs(struct device *dev, struct vm_area_struct *vma, void *cpu, dma_addr_t addr,
		   size_t size, unsigned long attrs)
{
	struct dma_view *view = dma_view_of(dev);
	phys_addr_t phys;
	int ret;

	ret = alloc_memory(view, addr, PAGE_ALIGN(size), &phys);
	if (!ret && !view->coherent)
		ret = -ENXIO;
	return ret ?: map_part(vma, phys, size);
}

/* --- memory that is synced -------------------------------------------------------------------- */

struct noncontiguous {
	struct sg_table table; /* one entry */
	enum dma_data_direction dir;
};

/* @own has its list. Returns 0, or -ENOMEM without memory or addresses. */
static int noncontiguous_fill(struct device *dev, struct noncontiguous *own, size_t size, gfp_t gfp)
{
	struct scatterlist *sg = own->table.sgl;
	void *memory = alloc_pages_exact(size, gfp | __GFP_ZERO | __GFP_NOWARN);

	if (!memory)
		return -ENOMEM;
	sg_set_page(sg, virt_to_page(memory), size, 0);
	sg_dma_address(sg) = dma_map_page_attrs(dev, sg_page(sg), 0, size, own->dir, 0);
	sg_dma_len(sg) = size;
	if (sg_dma_address(sg) != DMA_MAPPING_ERROR)
		return 0;
	free_pages_exact(memory, size);
	return -ENOMEM;
}

struct sg_table *dma_alloc_noncontiguous(struct device *dev, size_t size,
					 enum dma_data_direction dir, gfp_t gfp,
					 unsigned long attrs)
{
	struct noncontiguous *own;

	if (!dma_view_of(dev) ||
	    WARN(attrs & ~DMA_ATTR_ALLOC_SINGLE_PAGES, "DMA-API: %s: attributes %#lx",
		 dev_name(dev), attrs) ||
	    WARN(!size, "DMA-API: %s: nothing is allocated", dev_name(dev)) ||
	    size > UINT_MAX - PAGE_SIZE)
		return NULL;
	own = kzalloc(sizeof(*own), gfp);
	if (!own)
		return NULL;
	own->dir = dir;
	if (sg_alloc_table(&own->table, 1, gfp))
		goto free_own;
	if (noncontiguous_fill(dev, own, PAGE_ALIGN(size), gfp))
		goto free_table;
	return &own->table;

free_table:
	sg_free_table(&own->table);
free_own:
	kfree(own);
	return NULL;
}

void dma_free_noncontiguous(struct device *dev, size_t size, struct sg_table *sgt,
			    enum dma_data_direction dir)
{
	struct noncontiguous *own = container_of(sgt, struct noncontiguous, table);
	dma_addr_t addr = sg_dma_address(sgt->sgl);
	struct dma_view *view = dma_view_of(dev);
	void *memory = sg_virt(sgt->sgl);

	size = PAGE_ALIGN(size);
	if (!view || WARN(!dma_view_has(view, addr, size) || own->dir != dir,
			  "DMA-API: %s: free of what was not allocated [0x%llx]", dev_name(dev),
			  (unsigned long long)addr))
		return;
	dma_unmap_page_attrs(dev, addr, size, dir, 0);
	sg_free_table(sgt);
	kfree(own);
	free_pages_exact(memory, size);
}

void *dma_vmap_noncontiguous(struct device *dev, size_t size, struct sg_table *sgt)
{
	return sg_virt(sgt->sgl);
}

void dma_vunmap_noncontiguous(struct device *dev, void *vaddr)
{
}

int dma_mmap_noncontiguous(struct device *dev, struct vm_area_struct *vma, size_t size,
			   struct sg_table *sgt)
{
	return map_part(vma, sg_phys(sgt->sgl), size);
}
