/* SPDX-License-Identifier: MIT */
/*
 * view.c - see view.h
 */
#include <linux/bug.h>
#include <linux/dma-mapping.h>
#include <linux/slab.h>
#include "dma/view.h"
#include "dma/window.h"
#include "host/memory.h"

struct dma_view *dma_view_of(const struct device *dev)
{
	if (WARN(!dev || !dev->dma, "DMA-API: device %s belongs to no machine",
		 dev ? dev_name(dev) : "NULL"))
		return NULL;
	return dev->dma;
}

int dma_view_init(struct dma_view *view, struct machine *machine, struct device *dev, bool coherent)
{
	int err;

	view->machine = machine;
	view->dev = dev;
	view->coherent = coherent;
	spin_lock_init(&view->lock);
	err = page_table_init(&view->table);
	if (err)
		return err;
	err = keyed_init(&view->live);
	if (err)
		goto err_table;
	if (machine->type->iommu) {
		err = iova_init(&view->iova);
		if (err)
			goto err_live;
	}
	return 0;

err_live:
	keyed_fini(&view->live);
err_table:
	page_table_fini(&view->table);
	return err;
}

size_t dma_view_close(struct dma_view *view)
{
	struct keyed_node *node;
	struct dma_live *live;
	size_t left = 0;

	for (;;) {
		spin_lock(&view->lock);
		view->gone = true;
		node = keyed_pop(&view->live);
		spin_unlock(&view->lock);
		if (!node)
			break;
		live = container_of(node, struct dma_live, by_addr);
		if (live->iova)
			iommu_unmap(view, live);
		kvfree(live->index);
		kfree(live);
		left++;
	}
	/* without an IOMMU the words stay, but nobody follows them any more: see dma_view_reach()
	 */
	if (left)
		bounce_put_all(&view->machine->bounce, view);
	return left;
}

void dma_view_fini(struct dma_view *view)
{
	if (view->machine->type->iommu)
		iova_fini(&view->iova);
	keyed_fini(&view->live);
	page_table_fini(&view->table);
}

bool dma_direction_is_wrong(const struct dma_view *view, enum dma_data_direction dir)
{
	return WARN(!valid_dma_direction(dir), "DMA-API: %s: direction %s is not a mapping's",
		    dev_name(view->dev), dir == DMA_NONE ? "NONE" : "invalid");
}

bool dma_view_add(struct dma_view *view, struct dma_live *live, dma_addr_t addr)
{
	bool gone;

	spin_lock(&view->lock);
	gone = view->gone;
	if (!gone)
		keyed_add(&view->live, &live->by_addr, addr);
	spin_unlock(&view->lock);
	return !WARN(gone, "DMA-API: device %s has been removed", dev_name(view->dev));
}

bool dma_view_has(struct dma_view *view, dma_addr_t addr, size_t bytes)
{
	struct keyed_node *node;
	struct dma_live *live;
	bool found = false;

	spin_lock(&view->lock);
	for (node = keyed_first(&view->live, addr); node && !found; node = keyed_same(node)) {
		live = container_of(node, struct dma_live, by_addr);
		found = live->single && live->bytes == bytes;
	}
	spin_unlock(&view->lock);
	return found;
}

enum dma_domain dma_view_domain(const struct dma_view *view)
{
	const struct machine *machine = view->machine;
	u64 last = HOST_PHYS_BASE + HOST_MEMORY_BYTES - 1 + machine->offset;

	if (!machine->type->iommu && dma_get_mask(view->dev) < last)
		return DMA_DOMAIN_BOUNCE;
	return view->coherent ? DMA_DOMAIN_CACHES : DMA_DOMAIN_MEMORY;
}

enum dma_domain dma_device_domain(struct device *dev)
{
	struct dma_view *view = dma_view_of(dev);

	return view ? dma_view_domain(view) : DMA_DOMAIN_CACHES;
}

enum dma_fault_reason dma_view_reach(struct dma_view *view, dma_addr_t addr, size_t len,
				     unsigned int may, struct dma_reach *at)
{
	enum dma_fault_reason reason;

	if (READ_ONCE(view->gone))
		return DMA_FAULT_UNMAPPED;
	reason = view->machine->type->iommu ? iommu_reach(view, addr, len, may, at)
					    : direct_reach(view, addr, len, may, at);
	if (reason == DMA_FAULT_NONE && dma_phys_is_window(at->phys)) {
		at->slot = dma_window_find(view->machine, at->phys, &at->len);
		if (!at->slot)
			return DMA_FAULT_NOBODY;
	}
	return reason;
}
