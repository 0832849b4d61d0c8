/* SPDX-License-Identifier: MIT */
/*
 * vb2.c - an allocator for videobuf2 that has the library's system heap's buffers
 *
 * It syncs what it has imported around each job, whatever the core says: other devices have it, too.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/slab.h>
#include <media/videobuf2-v4l2.h>

#include "drivers/exporters/system-heap.h"

struct memory {
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach; /* of an imported one, with all that follows */
	struct sg_table *sgt;
	struct device *dev;
	enum dma_data_direction dir;
};

static void *keeper_alloc(struct vb2_buffer *vb, struct device *dev, unsigned long size)
{
	struct memory *memory = kzalloc(sizeof(*memory), GFP_KERNEL);
	struct dma_buf *dmabuf;

	if (!memory)
		return ERR_PTR(-ENOMEM);
	dmabuf = system_heap_allocate_flags(size, O_RDWR | O_CLOEXEC);
	if (IS_ERR(dmabuf)) {
		kfree(memory);
		return ERR_CAST(dmabuf);
	}
	memory->dmabuf = dmabuf;
	return memory;
}

static void keeper_put(void *priv)
{
	struct memory *memory = priv;

	dma_buf_put(memory->dmabuf);
	kfree(memory);
}

static struct dma_buf *keeper_get_dmabuf(struct vb2_buffer *vb, void *priv, unsigned long flags)
{
	struct memory *memory = priv;

	get_dma_buf(memory->dmabuf);
	return memory->dmabuf;
}

static void *keeper_attach(struct vb2_buffer *vb, struct device *dev, struct dma_buf *dmabuf,
			   unsigned long size)
{
	struct memory *memory = kzalloc(sizeof(*memory), GFP_KERNEL);
	struct dma_buf_attachment *attach;

	if (!memory)
		return ERR_PTR(-ENOMEM);
	attach = dma_buf_attach(dmabuf, dev);
	if (IS_ERR(attach)) {
		kfree(memory);
		return ERR_CAST(attach);
	}
	memory->attach = attach;
	memory->dev = dev;
	memory->dir = vb->vb2_queue->dma_dir;
	return memory;
}

static void keeper_detach(void *priv)
{
	struct memory *memory = priv;

	dma_buf_detach(memory->attach->dmabuf, memory->attach);
	kfree(memory);
}

static int keeper_map(void *priv)
{
	struct memory *memory = priv;
	struct sg_table *sgt = dma_buf_map_attachment_unlocked(memory->attach, memory->dir);

	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	memory->sgt = sgt;
	return 0;
}

static void keeper_unmap(void *priv)
{
	struct memory *memory = priv;

	dma_buf_unmap_attachment_unlocked(memory->attach, memory->sgt, memory->dir);
	memory->sgt = NULL;
}

static void keeper_prepare(void *priv)
{
	struct memory *memory = priv;

	if (memory->sgt)
		dma_sync_sgtable_for_device(memory->dev, memory->sgt, memory->dir);
}

static void keeper_finish(void *priv)
{
	struct memory *memory = priv;

	if (memory->sgt)
		dma_sync_sgtable_for_cpu(memory->dev, memory->sgt, memory->dir);
}

static void *keeper_cookie(struct vb2_buffer *vb, void *priv)
{
	struct memory *memory = priv;

	return memory->sgt;
}

extern const struct vb2_mem_ops keeper_memops;
const struct vb2_mem_ops keeper_memops = {
	.alloc = keeper_alloc,
	.put = keeper_put,
	.get_dmabuf = keeper_get_dmabuf,
	.attach_dmabuf = keeper_attach,
	.detach_dmabuf = keeper_detach,
	.map_dmabuf = keeper_map,
	.unmap_dmabuf = keeper_unmap,
	.prepare = keeper_prepare,
	.finish = keeper_finish,
	.cookie = keeper_cookie,
};
