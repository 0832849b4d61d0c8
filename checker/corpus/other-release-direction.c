/* SPDX-License-Identifier: MIT */
/*
 * other-release-direction.c - an exporter that unmaps its own table with another direction
 *
 * Report: Linux, drivers/dma-buf/udmabuf.c, "udmabuf: fix DMA direction mismatch in release" of
 *	2026, seen with GStreamer
 * Wrong: begin_cpu_access() maps with the caller's direction, release unmaps DMA_BIDIRECTIONAL; a
 *	machine that keeps books of it complains, and bounced bytes are copied the wrong way
 * Rule: unmap has map's direction
 */
#include "pages.h"

struct own {
	struct dma_buf_attachment *of;
	struct sg_table sgt;
	enum dma_data_direction dir;
	bool mapped;
};

/* udmabuf's own device; here that of the first who attaches, as long as he is attached. */
static int own_attach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct pages *pages = dmabuf->priv;
	struct own *own;

	if (pages->own)
		return 0;
	own = kzalloc(sizeof(*own), GFP_KERNEL);
	if (!own)
		return -ENOMEM;
	if (pages_table(pages, &own->sgt)) {
		kfree(own);
		return -ENOMEM;
	}
	own->of = attach;
	pages->own = own;
	return 0;
}

static void own_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct pages *pages = dmabuf->priv;
	struct own *own = pages->own;
	enum dma_data_direction dir = DMA_BIDIRECTIONAL;

	if (!own || own->of != attach)
		return;
#ifdef FIXED
	dir = own->dir;
#endif
	pages->own = NULL;
	if (own->mapped)
		dma_unmap_sgtable(attach->dev, &own->sgt, dir, DMA_ATTR_SKIP_CPU_SYNC);
	sg_free_table(&own->sgt);
	kfree(own);
}

static int own_begin(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct own *own = ((struct pages *)dmabuf->priv)->own;
	int ret;

	if (own && !own->mapped) {
		ret = dma_map_sgtable(own->of->dev, &own->sgt, dir, DMA_ATTR_SKIP_CPU_SYNC);
		if (ret)
			return ret;
		own->dir = dir;
		own->mapped = true;
	}
	return pages_begin_cpu_access(dmabuf, dir);
}

static const struct dma_buf_ops own_ops = {
	.attach = own_attach,
	.detach = own_detach,
	PAGES_DEVICE_OPS,
	.begin_cpu_access = own_begin,
	.end_cpu_access = pages_end_cpu_access,
	.vmap = pages_vmap,
	.mmap = pages_mmap,
	.release = pages_release,
};

static int __init own_init(void)
{
	return pages_heap_add("other-release-direction", &own_ops);
}
module_init(own_init);
MODULE_LICENSE("Dual MIT/GPL");
