/* SPDX-License-Identifier: MIT */
/*
 * exporters.c - buffers that Linux's exporters make, each as a program gets it
 *
 * Heaps through their node below /dev, videobuf2 as VIDIOC_EXPBUF does, drm_prime.c by handle.
 */
#include <sys/mman.h>
#include <unistd.h>

#include <linux/dma-map-ops.h>
#include <linux/file.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/udmabuf.h>
#include <media/videobuf2-dma-contig.h>
#include <media/videobuf2-dma-sg.h>
#include <media/videobuf2-vmalloc.h>
#include <uapi/linux/dma-heap.h>

#include "dma/view.h"
#include "host/file.h"
#include "upstream/drivers/rig.h"

/* --- heaps ------------------------------------------------------------------------------------ */

static struct cma area = { .name = "reserved" };
struct cma *dma_contiguous_default_area = &area;

static int heap_open(struct exported *buffer, const char *path, size_t size)
{
	struct dma_heap_allocation_data data = { .len = size, .fd_flags = O_RDWR | O_CLOEXEC };
	int heap = host_open(path, O_RDWR);
	int ret;

	if (heap < 0)
		return heap;
	ret = host_ioctl(heap, DMA_HEAP_IOCTL_ALLOC, (unsigned long)&data);
	host_close(heap);
	if (ret)
		return ret;
	buffer->dmabuf = dma_buf_get(data.fd);
	host_close(data.fd);
	return PTR_ERR_OR_ZERO(buffer->dmabuf);
}

static void heap_close(struct exported *buffer)
{
	dma_buf_put(buffer->dmabuf);
}

static int system_heap_open(struct exported *buffer, struct device *dev, size_t size)
{
	return heap_open(buffer, "/dev/dma_heap/system", size);
}

static int cma_heap_open(struct exported *buffer, struct device *dev, size_t size)
{
	return heap_open(buffer, "/dev/dma_heap/reserved", size);
}

/* --- a program's own memory ------------------------------------------------------------------- */

/* As a virtual machine: its memory is a memfd, of which its guest's buffer is every second page. */
static int udmabuf_create(int node, size_t size)
{
	size_t count = size >> PAGE_SHIFT;
	struct udmabuf_create_list *list = kzalloc(struct_size(list, list, count), GFP_KERNEL);
	int memfd = memfd_create("guest", MFD_ALLOW_SEALING | MFD_CLOEXEC), ret = -ENOMEM;

	if (!list || memfd < 0 || ftruncate(memfd, 2 * size) ||
	    fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK))
		goto close_memfd;
	list->flags = UDMABUF_FLAGS_CLOEXEC;
	list->count = count;
	for (size_t i = 0; i < count; i++)
		list->list[i] = (struct udmabuf_create_item){
			.memfd = memfd,
			.offset = 2 * i * PAGE_SIZE,
			.size = PAGE_SIZE,
		};
	ret = host_ioctl(node, UDMABUF_CREATE_LIST, (unsigned long)list);
close_memfd:
	if (memfd >= 0)
		close(memfd);
	kfree(list);
	return ret;
}

/* Its device takes part in no bus; Linux lets it map as one of the machine's that reaches all memory. */
static int udmabuf_open(struct exported *buffer, struct device *dev, size_t size)
{
	struct dma_view *owner = dev->dma, *view = kzalloc(sizeof(*view), GFP_KERNEL);
	int node = host_open("/dev/udmabuf", O_RDWR);
	int fd = -ENOMEM;

	if (!view || node < 0 ||
	    dma_view_init(view, owner->machine, udmabuf_device, owner->coherent))
		goto close_node;
	udmabuf_device->dma = view;
	buffer->own = view;
	fd = udmabuf_create(node, size);
	if (fd < 0)
		goto fini_view;
	host_close(node);
	buffer->dmabuf = dma_buf_get(fd);
	host_close(fd);
	return PTR_ERR_OR_ZERO(buffer->dmabuf);

fini_view:
	udmabuf_device->dma = NULL;
	dma_view_fini(view);
close_node:
	host_close(node);
	kfree(view);
	return fd;
}

static void udmabuf_close(struct exported *buffer)
{
	dma_buf_put(buffer->dmabuf);
	flush_delayed_fput();
	dma_view_close(buffer->own);
	udmabuf_device->dma = NULL;
	dma_view_fini(buffer->own);
	kfree(buffer->own);
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
	struct gem_device *gem = gem_device_create(dev);
	u32 handle;
	int fd, ret;

	if (!gem)
		return -ENOMEM;
	ret = gem_device_new(gem, size, &handle);
	if (ret)
		goto destroy;
	fd = gem_device_export(gem, handle);
	/* The buffer keeps the object; a program that closes its handle is nothing special. */
	gem_device_delete(gem, handle);
	ret = fd;
	if (fd < 0)
		goto destroy;
	buffer->dmabuf = dma_buf_get(fd);
	buffer->own = gem;
	host_close(fd);
	return PTR_ERR_OR_ZERO(buffer->dmabuf);

destroy:
	gem_device_destroy(gem);
	return ret;
}

static void gem_close(struct exported *buffer)
{
	dma_buf_put(buffer->dmabuf);
	gem_device_destroy(buffer->own);
}

const struct linux_exporter linux_exporters[] = {
	{ "system_heap", system_heap_open, heap_close },
	{ "cma_heap", cma_heap_open, heap_close },
	{ "udmabuf", udmabuf_open, udmabuf_close },
	{ "drm_prime", gem_open, gem_close },
	{ "videobuf2-dma-sg", vb2_dma_sg_open, vb2_close },
	{ "videobuf2-dma-contig", vb2_dma_contig_open, vb2_close },
	{ "videobuf2-vmalloc", vb2_vmalloc_open, vb2_close },
	{},
};
