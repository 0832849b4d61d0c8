/* SPDX-License-Identifier: MIT */
/*
 * dma.c - the calls of the DMA API that only Linux's drivers need
 *
 * What dma_alloc_noncontiguous() gives is one piece, as Linux gives without an IOMMU.
 */
#include <linux/dma-mapping.h>
#include <linux/slab.h>

#include "dma/view.h"
#include "dma/window.h"
#include "host/memory.h"
#include "upstream/drivers/rig.h"

struct device *udmabuf_device;

int dma_coerce_mask_and_coherent(struct device *dev, u64 mask)
{
	udmabuf_device = dev;
	dev->dma_mask = &dev->coherent_dma_mask;
	dev->coherent_dma_mask = mask;
	return 0;
}

/* The memory behind what dma_alloc_attrs() returned. */
static int memory_of(struct device *dev, dma_addr_t addr, size_t size, phys_addr_t *phys)
{
	struct dma_view *view = dma_view_of(dev);
	struct dma_reach at;

	if (!view || dma_view_reach(view, addr, size, 0, &at) != DMA_FAULT_NONE || at.slot)
		return -ENXIO;
	*phys = at.phys;
	return 0;
}

int dma_get_sgtable_attrs(struct device *dev, struct sg_table *sgt, void *cpu_addr,
			  dma_addr_t dma_addr, size_t size, unsigned long attrs)
{
	phys_addr_t phys;
	int ret = memory_of(dev, dma_addr, size, &phys);

	if (ret)
		return ret;
	ret = sg_alloc_table(sgt, 1, GFP_KERNEL);
	if (!ret)
		sg_set_page(sgt->sgl, phys_to_page(phys), PAGE_ALIGN(size), 0);
	return ret;
}

int dma_mmap_attrs(struct device *dev, struct vm_area_struct *vma, void *cpu_addr,
		   dma_addr_t dma_addr, size_t size, unsigned long attrs)
{
	phys_addr_t phys;
	int ret = memory_of(dev, dma_addr, size, &phys);

	if (ret)
		return ret;
	if (vma->vm_pgoff + vma_pages(vma) > PAGE_ALIGN(size) >> PAGE_SHIFT)
		return -ENXIO;
	return remap_pfn_range(vma, vma->vm_start, (phys >> PAGE_SHIFT) + vma->vm_pgoff,
			       vma->vm_end - vma->vm_start, vma->vm_page_prot);
}

struct sg_table *dma_alloc_noncontiguous(struct device *dev, size_t size,
					 enum dma_data_direction dir, gfp_t gfp,
					 unsigned long attrs)
{
	struct sg_table *sgt = kzalloc(sizeof(*sgt), gfp);
	void *memory;

	if (!sgt)
		return NULL;
	memory = alloc_pages_exact(size, gfp | __GFP_ZERO);
	if (!memory)
		goto free_sgt;
	if (sg_alloc_table(sgt, 1, gfp))
		goto free_memory;
	sg_set_page(sgt->sgl, virt_to_page(memory), PAGE_ALIGN(size), 0);
	if (dma_map_sgtable(dev, sgt, dir, attrs))
		goto free_table;
	return sgt;

free_table:
	sg_free_table(sgt);
free_memory:
	free_pages_exact(memory, size);
free_sgt:
	kfree(sgt);
	return NULL;
}

void dma_free_noncontiguous(struct device *dev, size_t size, struct sg_table *sgt,
			    enum dma_data_direction dir)
{
	void *memory = sg_virt(sgt->sgl);

	dma_unmap_sgtable(dev, sgt, dir, 0);
	sg_free_table(sgt);
	kfree(sgt);
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
	if (vma->vm_pgoff + vma_pages(vma) > PAGE_ALIGN(size) >> PAGE_SHIFT)
		return -ENXIO;
	return remap_pfn_range(vma, vma->vm_start, page_to_pfn(sg_page(sgt->sgl)) + vma->vm_pgoff,
			       vma->vm_end - vma->vm_start, vma->vm_page_prot);
}
