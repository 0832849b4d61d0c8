/* SPDX-License-Identifier: MIT */
/*
 * foreign-address.c - an exporter that gives every device the addresses of the first one
 *
 * Report: amd/xdna-driver#1466, review of amdxdna_cma_buf.c: map_dma_buf() returns the address its
 *	own device has, whoever attached
 * Wrong: behind an IOMMU the importer's device faults, or reads what lies there for it; behind bounce
 *	buffers it has the other device's slots
 * Rule: map_dma_buf() maps for attach->dev
 */
#include "pages.h"

#ifndef FIXED
struct shared {
	struct dma_buf_attachment *of;
	struct sg_table sgt;
	unsigned int users;
};

/* Reservation held. */
static struct sg_table *foreign_map(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	struct pages *pages = attach->dmabuf->priv;
	struct shared *shared = pages->own;
	int ret;

	if (shared) {
		shared->users++;
		return &shared->sgt;
	}
	shared = kzalloc(sizeof(*shared), GFP_KERNEL);
	if (!shared)
		return ERR_PTR(-ENOMEM);
	ret = pages_table_map(pages, &shared->sgt, attach->dev, DMA_BIDIRECTIONAL, 0);
	if (ret) {
		kfree(shared);
		return ERR_PTR(ret);
	}
	shared->of = attach;
	shared->users = 1;
	pages->own = shared;
	return &shared->sgt;
}

static void foreign_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
			  enum dma_data_direction dir)
{
	struct pages *pages = attach->dmabuf->priv;
	struct shared *shared = pages->own;

	if (--shared->users)
		return;
	pages_table_unmap(&shared->sgt, shared->of->dev, DMA_BIDIRECTIONAL, 0);
	kfree(shared);
	pages->own = NULL;
}
#endif

static const struct dma_buf_ops foreign_ops = {
#ifdef FIXED
	PAGES_DEVICE_OPS,
#else
	.map_dma_buf = foreign_map,
	.unmap_dma_buf = foreign_unmap,
#endif
	PAGES_CPU_OPS,
	.release = pages_release,
};

static int __init foreign_init(void)
{
	return pages_heap_add("foreign-address", &foreign_ops);
}
module_init(foreign_init);
MODULE_LICENSE("Dual MIT/GPL");
