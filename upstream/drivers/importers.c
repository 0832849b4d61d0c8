/* SPDX-License-Identifier: MIT */
/*
 * importers.c - a buffer in the hands of Linux's importers
 *
 * videobuf2 as its core imports for a queue, with the cache hints the core sets for a dma-buf;
 * drm_prime.c by descriptor; umem_dmabuf.c pinned, as a memory region that stays registered.
 */
#include <linux/slab.h>
#include <media/videobuf2-dma-contig.h>
#include <media/videobuf2-dma-sg.h>
#include <media/videobuf2-vmalloc.h>
#include <rdma/ib_umem.h>

#include "host/file.h"
#include "upstream/drivers/rig.h"

/* --- videobuf2 -------------------------------------------------------------------------------- */

struct vb2_import {
	const struct vb2_mem_ops *ops;
	struct vb2_queue queue;
	struct vb2_buffer vb;
	void *mem;
	struct scatterlist piece; /* dma-contig: all that the device is told */
	struct sg_table table;
};

static int vb2_open(struct imported *buffer, struct dma_buf *dmabuf, struct device *dev,
		    enum dma_data_direction dir, const struct vb2_mem_ops *ops)
{
	struct vb2_import *own = kzalloc(sizeof(*own), GFP_KERNEL);
	int ret;

	if (!own)
		return -ENOMEM;
	own->ops = ops;
	own->queue.dma_dir = dir;
	own->vb.vb2_queue = &own->queue;
	own->vb.skip_cache_sync_on_prepare = 1;
	own->vb.skip_cache_sync_on_finish = 1;
	own->mem = ops->attach_dmabuf(&own->vb, dev, dmabuf, dmabuf->size);
	if (IS_ERR(own->mem)) {
		ret = PTR_ERR(own->mem);
		goto free_own;
	}
	ret = ops->map_dmabuf(own->mem);
	if (ret)
		goto detach;
	if (ops->prepare)
		ops->prepare(own->mem);
	buffer->own[0] = own;
	return 0;

detach:
	ops->detach_dmabuf(own->mem);
free_own:
	kfree(own);
	return ret;
}

static void vb2_close(struct imported *buffer)
{
	struct vb2_import *own = buffer->own[0];

	if (own->ops->finish)
		own->ops->finish(own->mem);
	own->ops->unmap_dmabuf(own->mem);
	own->ops->detach_dmabuf(own->mem);
	kfree(own);
}

static int vb2_dma_sg_open(struct imported *buffer, struct dma_buf *dmabuf, struct device *dev,
			   enum dma_data_direction dir)
{
	int ret = vb2_open(buffer, dmabuf, dev, dir, &vb2_dma_sg_memops);
	struct vb2_import *own = buffer->own[0];

	if (!ret)
		buffer->table = own->ops->cookie(&own->vb, own->mem);
	return ret;
}

static int vb2_dma_contig_open(struct imported *buffer, struct dma_buf *dmabuf, struct device *dev,
			       enum dma_data_direction dir)
{
	struct vb2_import *own;
	int ret;

	ret = vb2_dma_contig_set_max_seg_size(dev, UINT_MAX);
	if (!ret)
		ret = vb2_open(buffer, dmabuf, dev, dir, &vb2_dma_contig_memops);
	if (ret)
		return ret;
	own = buffer->own[0];
	sg_init_table(&own->piece, 1);
	own->piece.dma_address = *(dma_addr_t *)own->ops->cookie(&own->vb, own->mem);
	own->piece.dma_length = dmabuf->size;
	own->table = (struct sg_table){ .sgl = &own->piece, .nents = 1 };
	buffer->table = &own->table;
	return 0;
}

static int vb2_vmalloc_open(struct imported *buffer, struct dma_buf *dmabuf, struct device *dev,
			    enum dma_data_direction dir)
{
	int ret = vb2_open(buffer, dmabuf, dev, dir, &vb2_vmalloc_memops);
	struct vb2_import *own = buffer->own[0];

	if (!ret)
		buffer->vaddr = own->ops->vaddr(&own->vb, own->mem);
	return ret;
}

/* --- DRM -------------------------------------------------------------------------------------- */

static int gem_open(struct imported *buffer, struct dma_buf *dmabuf, struct device *dev,
		    enum dma_data_direction dir)
{
	struct gem_device *gem = gem_device_create(dev);
	u32 handle;
	int fd, ret;

	if (!gem)
		return -ENOMEM;
	get_dma_buf(dmabuf);
	fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	if (fd < 0) {
		dma_buf_put(dmabuf);
		ret = fd;
		goto destroy;
	}
	ret = gem_device_import(gem, fd, &handle);
	host_close(fd);
	if (ret)
		goto destroy;
	buffer->table = gem_device_table(gem, handle);
	buffer->own[0] = gem;
	buffer->own[1] = (void *)(uintptr_t)handle;
	return 0;

destroy:
	gem_device_destroy(gem);
	return ret;
}

static void gem_close(struct imported *buffer)
{
	gem_device_delete(buffer->own[0], (uintptr_t)buffer->own[1]);
	gem_device_destroy(buffer->own[0]);
}

/* --- RDMA ------------------------------------------------------------------------------------- */

static int umem_open(struct imported *buffer, struct dma_buf *dmabuf, struct device *dev,
		     enum dma_data_direction dir)
{
	struct ib_device *ib = kzalloc(sizeof(*ib), GFP_KERNEL);
	struct ib_umem_dmabuf *umem;
	int fd, ret;

	if (!ib)
		return -ENOMEM;
	ib->dma_device = dev;
	get_dma_buf(dmabuf);
	fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	if (fd < 0) {
		dma_buf_put(dmabuf);
		ret = fd;
		goto free_ib;
	}
	umem = ib_umem_dmabuf_get_pinned(ib, 0, dmabuf->size, fd, IB_ACCESS_LOCAL_WRITE);
	host_close(fd);
	if (IS_ERR(umem)) {
		ret = PTR_ERR(umem);
		goto free_ib;
	}
	buffer->table = &umem->umem.sgt_append.sgt;
	buffer->own[0] = umem;
	buffer->own[1] = ib;
	return 0;

free_ib:
	kfree(ib);
	return ret;
}

static void umem_close(struct imported *buffer)
{
	struct ib_umem_dmabuf *umem = buffer->own[0];

	ib_umem_release(&umem->umem);
	kfree(buffer->own[1]);
}

const struct linux_importer linux_importers[] = {
	{ "videobuf2-dma-sg", false, vb2_dma_sg_open, vb2_close },
	{ "videobuf2-dma-contig", false, vb2_dma_contig_open, vb2_close },
	{ "videobuf2-vmalloc", true, vb2_vmalloc_open, vb2_close },
	{ "drm_prime", false, gem_open, gem_close },
	{ "umem_dmabuf", false, umem_open, umem_close },
	{},
};
