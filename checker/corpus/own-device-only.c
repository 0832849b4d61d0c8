/* SPDX-License-Identifier: MIT */
/*
 * own-device-only.c - an exporter whose CPU access syncs a mapping of its own, and no importer's
 *
 * Report: xbmc/xbmc#28983 (and raspberrypi/linux#6995): udmabuf's begin and end sync the table of
 *	udmabuf's own device
 * Wrong: the importers keep what they had; frames that the CPU wrote are torn on the screen
 * Rule: after the CPU's access every device that has the buffer mapped finds what the CPU wrote
 */
#include "pages.h"

#ifndef FIXED
/* The exporter's device; here that of the first who attaches, as long as he is attached. */
struct own {
	struct dma_buf_attachment *of;
	struct device *dev;
	struct sg_table sgt;
};

static int own_attach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct pages *pages = dmabuf->priv;
	struct own *own;
	int ret;

	if (pages->own)
		return 0;
	own = kzalloc(sizeof(*own), GFP_KERNEL);
	if (!own)
		return -ENOMEM;
	own->of = attach;
	own->dev = attach->dev;
	ret = pages_table_map(pages, &own->sgt, own->dev, DMA_BIDIRECTIONAL, 0);
	if (ret) {
		kfree(own);
		return ret;
	}
	pages->own = own;
	return 0;
}

static void own_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct pages *pages = dmabuf->priv;
	struct own *own = pages->own;

	if (!own || own->of != attach)
		return;
	pages->own = NULL;
	pages_table_unmap(&own->sgt, own->dev, DMA_BIDIRECTIONAL, DMA_ATTR_SKIP_CPU_SYNC);
	kfree(own);
}

static int own_begin(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct own *own = ((struct pages *)dmabuf->priv)->own;

	if (own)
		dma_sync_sgtable_for_cpu(own->dev, &own->sgt, DMA_BIDIRECTIONAL);
	return 0;
}

static int own_end(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct own *own = ((struct pages *)dmabuf->priv)->own;

	if (own)
		dma_sync_sgtable_for_device(own->dev, &own->sgt, DMA_BIDIRECTIONAL);
	return 0;
}
#endif

static const struct dma_buf_ops own_ops = {
#ifdef FIXED
	PAGES_CPU_OPS,
#else
	.attach = own_attach,
	.detach = own_detach,
	.begin_cpu_access = own_begin,
	.end_cpu_access = own_end,
	.vmap = pages_vmap,
	.mmap = pages_mmap,
#endif
	PAGES_DEVICE_OPS,
	.release = pages_release,
};

static int __init own_init(void)
{
	return pages_heap_add("own-device-only", &own_ops);
}
module_init(own_init);
MODULE_LICENSE("Dual MIT/GPL");
