/* SPDX-License-Identifier: MIT */
/*
 * drive-vb2.c - an allocator of videobuf2's, as the core of videobuf2 calls it; see drive.h
 *
 * A buffer that is imported is attached and mapped when it is queued first and stays so until its
 * queue goes; each job is prepared and finished with the hints that the core sets for a dma-buf: the
 * exporter keeps it coherent.
 */
#include "checker/check/own.h"

#include <linux/dma-mapping.h>
#include <linux/slab.h>
#include <media/videobuf2-v4l2.h>

#include <stdlib.h>
#include <string.h>

#include "checker/check/drive.h"
#include "checker/check/watch.h"

static const struct vb2_mem_ops *tried;

struct queued {
	struct vb2_queue queue;
	struct vb2_buffer vb;
	void *mem;
	struct scatterlist piece; /* of who tells its device one address */
	struct sg_table table;
};

static struct queued *queued_new(enum dma_data_direction dir)
{
	struct queued *queued = calloc(1, sizeof(*queued));

	queued->queue.dma_dir = dir;
	queued->vb.vb2_queue = &queued->queue;
	return queued;
}

/* --- VIDIOC_REQBUFS and VIDIOC_EXPBUF --------------------------------------------------------- */

static int vb2_export(struct check_export *buffer)
{
	struct queued *queued = queued_new(DMA_BIDIRECTIONAL);
	struct dma_buf *dmabuf;
	int ret;

	queued->mem = tried->alloc(&queued->vb, buffer->dev, buffer->size);
	if (IS_ERR_OR_NULL(queued->mem)) {
		ret = queued->mem ? PTR_ERR(queued->mem) : -ENOMEM;
		goto free_queued;
	}
	dmabuf = tried->get_dmabuf(&queued->vb, queued->mem, O_RDWR);
	if (IS_ERR_OR_NULL(dmabuf)) {
		ret = -EINVAL;
		goto put_mem;
	}
	buffer->dmabuf = dmabuf;
	buffer->own = queued;
	return 0;

put_mem:
	tried->put(queued->mem);
free_queued:
	free(queued);
	return ret;
}

static void vb2_release(struct check_export *buffer)
{
	struct queued *queued = buffer->own;

	dma_buf_put(buffer->dmabuf);
	tried->put(queued->mem);
	free(queued);
}

/* --- V4L2_MEMORY_DMABUF ----------------------------------------------------------------------- */

/* What the device is told: the table that the driver mapped, or its first address alone. */
static void tell(struct check_import *import, struct queued *queued, const struct sg_table *sgt)
{
	const dma_addr_t *address = tried->cookie ? tried->cookie(&queued->vb, queued->mem) : NULL;

	import->sgt = sgt;
	if (!address || (const void *)address == sgt || *address != sg_dma_address(sgt->sgl))
		return;
	sg_init_table(&queued->piece, 1);
	queued->piece.dma_address = *address;
	queued->piece.dma_length = import->dmabuf->size;
	queued->table = (struct sg_table){ .sgl = &queued->piece, .nents = 1 };
	import->sgt = &queued->table;
}

static int vb2_import(struct check_import *import)
{
	struct queued *queued = queued_new(import->dir);
	struct watched mapped;
	int ret;

	dma_set_max_seg_size(import->dev, UINT_MAX);
	queued->vb.skip_cache_sync_on_prepare = 1;
	queued->vb.skip_cache_sync_on_finish = 1;
	queued->mem = tried->attach_dmabuf(&queued->vb, import->dev, import->dmabuf,
					   import->dmabuf->size);
	if (IS_ERR_OR_NULL(queued->mem)) {
		ret = queued->mem ? PTR_ERR(queued->mem) : -EINVAL;
		goto free_queued;
	}
	ret = tried->map_dmabuf(queued->mem);
	if (ret)
		goto detach;
	if (watch_find(WATCHED_MAP, NULL, NULL, &mapped) && mapped.dmabuf == import->dmabuf)
		tell(import, queued, mapped.key);
	else
		import->vaddr = tried->vaddr(&queued->vb, queued->mem);
	import->own = queued;
	return 0;

detach:
	tried->detach_dmabuf(queued->mem);
free_queued:
	free(queued);
	return ret;
}

static int vb2_access(struct check_import *import)
{
	struct queued *queued = import->own;
	int ret;

	if (tried->prepare)
		tried->prepare(queued->mem);
	ret = import->sgt ? check_device_runs(import, import->sgt)
			  : check_cpu_copies(import, import->vaddr);
	if (tried->finish)
		tried->finish(queued->mem);
	return ret;
}

static void vb2_close(struct check_import *import)
{
	struct queued *queued = import->own;

	tried->unmap_dmabuf(queued->mem);
	tried->detach_dmabuf(queued->mem);
	free(queued);
}

bool drive_is_vb2(const char *name, size_t size)
{
	return size >= sizeof(*tried) && size < 2 * sizeof(*tried) &&
	       (strstr(name, "memops") || strstr(name, "mem_ops"));
}

const struct check_adapter *drive_vb2(const char *name, const void *object)
{
	struct check_adapter *adapter = calloc(1, sizeof(*adapter));

	tried = object;
	adapter->name = strdup(name);
	if (tried->alloc && tried->put && tried->get_dmabuf) {
		adapter->export = vb2_export;
		adapter->release = vb2_release;
	}
	if (tried->attach_dmabuf && tried->detach_dmabuf && tried->map_dmabuf &&
	    tried->unmap_dmabuf) {
		adapter->open = vb2_import;
		adapter->access = vb2_access;
		adapter->close = vb2_close;
	}
	return adapter;
}
