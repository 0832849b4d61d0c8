/* SPDX-License-Identifier: MIT */
/*
 * resource.c - addresses for memory without pages; see linux/dma-mapping.h
 */
#include <linux/bug.h>
#include <linux/dma-mapping.h>
#include <linux/pfn.h>
#include <linux/slab.h>
#include "dma/view.h"

dma_addr_t dma_map_resource(struct device *dev, phys_addr_t phys, size_t size,
			    enum dma_data_direction dir, unsigned long attrs)
{
	struct dma_view *view = dma_view_of(dev);
	struct dma_live *live;
	dma_addr_t addr;
	int err;

	if (!view || dma_direction_is_wrong(view, dir))
		return DMA_MAPPING_ERROR;
	if (WARN(!size || phys + size < phys, "DMA-API: %s: no resource is mapped", dev_name(dev)))
		return DMA_MAPPING_ERROR;
	if (WARN(pfn_valid(PHYS_PFN(phys)) || pfn_valid(PHYS_PFN(phys + size - 1)),
		 "DMA-API: %s: memory with pages is mapped as a resource", dev_name(dev)))
		return DMA_MAPPING_ERROR;
	live = kzalloc(sizeof(*live), GFP_ATOMIC);
	if (!live)
		return DMA_MAPPING_ERROR;
	live->dir = dir;
	live->resource = true;
	live->bytes = size;
	err = view->machine->type->iommu ? iommu_map_range(view, live, phys, &addr)
					 : direct_map_range(view, live, phys, &addr);
	if (err)
		goto err_live;
	if (!dma_view_add(view, live, addr))
		goto err_map;
	return addr;

err_map:
	if (live->iova)
		iommu_unmap(view, live);
	else
		direct_unmap_range(view, live, addr);
err_live:
	kfree(live);
	return DMA_MAPPING_ERROR;
}

void dma_unmap_resource(struct device *dev, dma_addr_t addr, size_t size,
			enum dma_data_direction dir, unsigned long attrs)
{
	struct dma_view *view = dma_view_of(dev);
	struct dma_live *live = NULL, *second = NULL;
	struct keyed_node *node;

	if (!view || dma_direction_is_wrong(view, dir))
		return;
	spin_lock(&view->lock);
	for (node = keyed_first(&view->live, addr); node; node = keyed_same(node)) {
		live = container_of(node, struct dma_live, by_addr);
		if (!live->resource || live->bytes != size)
			continue;
		second = live;
		if (live->dir == dir)
			break;
	}
	live = second;
	if (live)
		keyed_del(&view->live, &live->by_addr);
	spin_unlock(&view->lock);
	if (WARN(!live, "DMA-API: %s: unmap of what is not mapped [resource 0x%llx, %zu bytes]",
		 dev_name(dev), (unsigned long long)addr, size))
		return;
	WARN(live->dir != dir, "DMA-API: %s: unmap with another direction [resource 0x%llx]",
	     dev_name(dev), (unsigned long long)addr);
	if (live->iova)
		iommu_unmap(view, live);
	else
		direct_unmap_range(view, live, addr);
	kfree(live);
}
