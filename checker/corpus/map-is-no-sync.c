/* SPDX-License-Identifier: MIT */
/*
 * map-is-no-sync.c - an exporter whose first CPU access maps where it must sync
 *
 * Report: raspberrypi/linux#6995: udmabuf's first begin_cpu_access() maps its table, all later ones
 *	sync it
 * Wrong: a map makes memory ready for a device, which on arm64 cleans the cache whatever the
 *	direction; the first read of a decoded picture finds what the cache had before
 * Rule: after begin_cpu_access() the CPU reads what devices wrote, also the first time
 */
#include "pages.h"

static int first_begin(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
#ifndef FIXED
	struct pages *pages = dmabuf->priv;
	struct pages_mapping *mapping;

	if (!pages->own) {
		mutex_lock(&pages->lock);
		list_for_each_entry(mapping, &pages->mappings, node)
			dma_sync_sgtable_for_device(mapping->dev, &mapping->sgt, mapping->dir);
		mutex_unlock(&pages->lock);
		pages->own = pages;
		return 0;
	}
#endif
	return pages_begin_cpu_access(dmabuf, dir);
}

static const struct dma_buf_ops first_ops = {
	PAGES_DEVICE_OPS,
	.begin_cpu_access = first_begin,
	.end_cpu_access = pages_end_cpu_access,
	.vmap = pages_vmap,
	.mmap = pages_mmap,
	.release = pages_release,
};

static int __init first_init(void)
{
	return pages_heap_add("map-is-no-sync", &first_ops);
}
module_init(first_init);
MODULE_LICENSE("Dual MIT/GPL");
