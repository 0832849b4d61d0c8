/* SPDX-License-Identifier: MIT */
/*
 * no-cpu-access.c - an exporter that never syncs: its mappings skip it, and it has no CPU access ops
 *
 * Report: raspberrypi/linux#5727, #5734: buffers of DRM's GEM helpers come out green when the
 *	importer's device is behind bounce buffers
 * Wrong: nothing is ever copied into the importer's slots, nor cleaned out of the CPU's cache; right
 *	only where all devices snoop and reach all memory
 * Rule: who maps with DMA_ATTR_SKIP_CPU_SYNC syncs by himself
 */
#include "pages.h"

#ifndef FIXED
static struct sg_table *skip_map(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	struct sg_table *sgt = kzalloc(sizeof(*sgt), GFP_KERNEL);
	int ret;

	if (!sgt)
		return ERR_PTR(-ENOMEM);
	ret = pages_table_map(attach->dmabuf->priv, sgt, attach->dev, dir, DMA_ATTR_SKIP_CPU_SYNC);
	if (ret) {
		kfree(sgt);
		return ERR_PTR(ret);
	}
	return sgt;
}

static void skip_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		       enum dma_data_direction dir)
{
	pages_table_unmap(sgt, attach->dev, dir, DMA_ATTR_SKIP_CPU_SYNC);
	kfree(sgt);
}
#endif

static const struct dma_buf_ops skip_ops = {
#ifdef FIXED
	PAGES_DEVICE_OPS,
	PAGES_CPU_OPS,
#else
	.map_dma_buf = skip_map,
	.unmap_dma_buf = skip_unmap,
	.vmap = pages_vmap,
	.mmap = pages_mmap,
#endif
	.release = pages_release,
};

static int __init skip_init(void)
{
	return pages_heap_add("no-cpu-access", &skip_ops);
}
module_init(skip_init);
MODULE_LICENSE("Dual MIT/GPL");
