/* SPDX-License-Identifier: MIT */
/*
 * remap-in-place.c - an exporter that maps a table again which an importer is using
 *
 * Report: Linux 6.12, drivers/media/common/videobuf2/videobuf2-dma-sg.c: vb2 keeps one mapping for
 *	an attachment, with the direction of its last map
 * Wrong: a map with another direction unmaps and maps the same table in place; who mapped first now
 *	has addresses of another permission, and whoever unmaps last gets none of his bytes synced
 * Rule: a mapping is valid, with its direction, until its importer unmaps it
 */
#include "pages.h"

#ifndef FIXED
struct attachment {
	struct sg_table sgt;
	enum dma_data_direction dir; /* DMA_NONE: not mapped yet */
};

static int place_attach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct attachment *a = kzalloc(sizeof(*a), GFP_KERNEL);

	if (!a)
		return -ENOMEM;
	if (pages_table(dmabuf->priv, &a->sgt)) {
		kfree(a);
		return -ENOMEM;
	}
	a->dir = DMA_NONE;
	attach->priv = a;
	return 0;
}

static void place_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct attachment *a = attach->priv;

	if (a->dir != DMA_NONE)
		dma_unmap_sgtable(attach->dev, &a->sgt, a->dir, 0);
	sg_free_table(&a->sgt);
	kfree(a);
}

static struct sg_table *place_map(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	struct attachment *a = attach->priv;
	int ret;

	if (a->dir == dir)
		return &a->sgt;
	if (a->dir != DMA_NONE) {
		dma_unmap_sgtable(attach->dev, &a->sgt, a->dir, 0);
		a->dir = DMA_NONE;
	}
	ret = dma_map_sgtable(attach->dev, &a->sgt, dir, 0);
	if (ret)
		return ERR_PTR(ret);
	a->dir = dir;
	return &a->sgt;
}

/* Kept for the next map. */
static void place_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
			enum dma_data_direction dir)
{
}
#endif

static const struct dma_buf_ops place_ops = {
#ifdef FIXED
	PAGES_DEVICE_OPS,
#else
	.attach = place_attach,
	.detach = place_detach,
	.map_dma_buf = place_map,
	.unmap_dma_buf = place_unmap,
#endif
	PAGES_CPU_OPS,
	.release = pages_release,
};

static int __init place_init(void)
{
	return pages_heap_add("remap-in-place", &place_ops);
}
module_init(place_init);
MODULE_LICENSE("Dual MIT/GPL");
