/* SPDX-License-Identifier: MIT */
/* balance.c - an importer that undoes what it does, once, with what it got */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/iosys-map.h>

#include "breaks.h"

static void unmap(struct dma_buf_attachment *attach, struct sg_table *sgt)
{
	if (breaks("BAL-02"))
		return;
	dma_buf_unmap_attachment_unlocked(attach, sgt,
					  breaks("DIR-01") ? DMA_BIDIRECTIONAL : DMA_TO_DEVICE);
	if (breaks("BAL-06"))
		dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
}

static void detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	if (breaks("BAL-01"))
		return;
	dma_buf_detach(dmabuf, attach);
	if (breaks("BAL-07"))
		dma_buf_detach(dmabuf, attach);
}

static void move_notify(struct dma_buf_attachment *attach)
{
}

static const struct dma_buf_attach_ops importer_ops = { .move_notify = move_notify };

static void pin(struct dma_buf_attachment *attach)
{
	dma_resv_lock(attach->dmabuf->resv, NULL);
	if (!dma_buf_pin(attach) && !breaks("BAL-03"))
		dma_buf_unpin(attach);
	if (breaks("BAL-08"))
		dma_buf_unpin(attach);
	dma_resv_unlock(attach->dmabuf->resv);
}

static void cpu(struct dma_buf *dmabuf)
{
	struct iosys_map map;

	if (!dma_buf_vmap_unlocked(dmabuf, &map) && !breaks("BAL-04")) {
		if (breaks("BAL-09"))
			iosys_map_incr(&map, 1);
		dma_buf_vunmap_unlocked(dmabuf, &map);
	}
	if (!dma_buf_begin_cpu_access(dmabuf, DMA_TO_DEVICE) && !breaks("BAL-05"))
		dma_buf_end_cpu_access(dmabuf, breaks("DIR-02") ? DMA_FROM_DEVICE : DMA_TO_DEVICE);
	if (breaks("BAL-10"))
		dma_buf_end_cpu_access(dmabuf, DMA_TO_DEVICE);
}

static int run(struct device *dev, struct dma_buf *dmabuf)
{
	struct dma_buf_attachment *attach = dma_buf_attach(dmabuf, dev);
	struct sg_table *sgt;

	if (IS_ERR(attach))
		return PTR_ERR(attach);
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
	if (!IS_ERR(sgt))
		unmap(attach, sgt);
	detach(dmabuf, attach);

	attach = dma_buf_dynamic_attach(dmabuf, dev, &importer_ops, NULL);
	if (IS_ERR(attach))
		return PTR_ERR(attach);
	pin(attach);
	dma_buf_detach(dmabuf, attach);
	cpu(dmabuf);
	if (breaks("BAL-11"))
		get_dma_buf(dmabuf);
	return 0;
}

DMABUF_CHECK({ .name = "balance", .run = run });
