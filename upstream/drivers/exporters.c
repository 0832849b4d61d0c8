/* SPDX-License-Identifier: MIT */
/*
 * exporters.c - buffers that Linux's exporters make, each as a program gets it
 *
 * Heaps and udmabuf by upstream/drivers/heaps.c, videobuf2 as VIDIOC_EXPBUF does, drm_prime.c by handle.
 */
#include <linux/slab.h>
#include <media/videobuf2-dma-contig.h>
#include <media/videobuf2-dma-sg.h>
#include <media/videobuf2-vmalloc.h>

#include "upstream/drivers/heaps.h"
#include "upstream/drivers/rig.h"

/* --- heaps ------------------------------------------------------------------------------------ */

static int heap_open(struct exported *buffer, const char *name, struct device *dev, size_t size)
{
	buffer->own = (void *)linux_heap_find(name);
	buffer->dmabuf = linux_heap_find(name)->allocate(dev, size);
	return PTR_ERR_OR_ZERO(buffer->dmabuf);
}

static void heap_close(struct exported *buffer)
{
	const struct stage_heap *heap = buffer->own;

	heap->put(buffer->dmabuf);
}

static int system_heap_open(struct exported *buffer, struct device *dev, size_t size)
{
	return heap_open(buffer, "linux-system", dev, size);
}

static int cma_heap_open(struct exported *buffer, struct device *dev, size_t size)
{
	return heap_open(buffer, "linux-cma", dev, size);
}

static int udmabuf_open(struct exported *buffer, struct device *dev, size_t size)
{
	return heap_open(buffer, "linux-udmabuf", dev, size);
}

/* --- videobuf2 -------------------------------------------------------------------------------- */

struct vb2_export {
	const struct vb2_mem_ops *ops;
	struct vb2_queue queue;
	struct vb2_buffer vb;
	void *mem;
};

static int vb2_open(struct exported *buffer, struct device *dev, size_t size,
		    const struct vb2_mem_ops *ops)
{
	struct vb2_export *own = kzalloc(sizeof(*own), GFP_KERNEL);
	int ret;

	if (!own)
		return -ENOMEM;
	own->ops = ops;
	own->queue.dma_dir = DMA_BIDIRECTIONAL;
	own->vb.vb2_queue = &own->queue;
	own->mem = ops->alloc(&own->vb, dev, size);
	if (IS_ERR(own->mem)) {
		ret = PTR_ERR(own->mem);
		goto free_own;
	}
	buffer->dmabuf = ops->get_dmabuf(&own->vb, own->mem, O_RDWR);
	if (IS_ERR_OR_NULL(buffer->dmabuf)) {
		ret = -EINVAL; /* as VIDIOC_EXPBUF */
		goto put_mem;
	}
	buffer->own = own;
	return 0;

put_mem:
	ops->put(own->mem);
free_own:
	kfree(own);
	return ret;
}

static void vb2_close(struct exported *buffer)
{
	struct vb2_export *own = buffer->own;

	dma_buf_put(buffer->dmabuf);
	own->ops->put(own->mem);
	kfree(own);
}

static int vb2_dma_sg_open(struct exported *buffer, struct device *dev, size_t size)
{
	return vb2_open(buffer, dev, size, &vb2_dma_sg_memops);
}

static int vb2_dma_contig_open(struct exported *buffer, struct device *dev, size_t size)
{
	return vb2_open(buffer, dev, size, &vb2_dma_contig_memops);
}

static int vb2_vmalloc_open(struct exported *buffer, struct device *dev, size_t size)
{
	return vb2_open(buffer, dev, size, &vb2_vmalloc_memops);
}

/* --- DRM -------------------------------------------------------------------------------------- */

static int gem_open(struct exported *buffer, struct device *dev, size_t size)
{
	buffer->own = gem_device_share(dev, size, &buffer->dmabuf);
	return PTR_ERR_OR_ZERO(buffer->own);
}

static void gem_close(struct exported *buffer)
{
	dma_buf_put(buffer->dmabuf);
	gem_device_destroy(buffer->own);
}

const struct linux_exporter linux_exporters[] = {
	{ "system_heap", system_heap_open, heap_close },
	{ "cma_heap", cma_heap_open, heap_close },
	{ "udmabuf", udmabuf_open, heap_close },
	{ "drm_prime", gem_open, gem_close },
	{ "videobuf2-dma-sg", vb2_dma_sg_open, vb2_close },
	{ "videobuf2-dma-contig", vb2_dma_contig_open, vb2_close },
	{ "videobuf2-vmalloc", vb2_vmalloc_open, vb2_close },
	{},
};
