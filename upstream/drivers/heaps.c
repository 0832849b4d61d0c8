/* SPDX-License-Identifier: MIT */
/*
 * heaps.c - see heaps.h
 *
 * Invariant LH1: while a buffer of udmabuf's is open, its device maps as one of the machine that the
 * first of them was made for; all are of one machine.
 */
#include <sys/mman.h>
#include <unistd.h>

#include <linux/dma-buf.h>
#include <linux/file.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/udmabuf.h>
#include <uapi/linux/dma-heap.h>

#include "dma/view.h"
#include "host/file.h"
#include "upstream/drivers/heaps.h"
#include "upstream/drivers/rig.h"

/* The buffer of a program's descriptor, which is closed. */
static struct dma_buf *take(int fd)
{
	struct dma_buf *dmabuf = dma_buf_get(fd);

	host_close(fd);
	return dmabuf;
}

static void put(struct dma_buf *dmabuf)
{
	dma_buf_put(dmabuf);
}

/* --- heaps ------------------------------------------------------------------------------------ */

static struct dma_buf *heap_allocate(const char *path, size_t bytes)
{
	struct dma_heap_allocation_data data = { .len = bytes, .fd_flags = O_RDWR | O_CLOEXEC };
	int heap = host_open(path, O_RDWR);
	int ret;

	if (heap < 0)
		return ERR_PTR(heap);
	ret = host_ioctl(heap, DMA_HEAP_IOCTL_ALLOC, (unsigned long)&data);
	host_close(heap);
	return ret ? ERR_PTR(ret) : take(data.fd);
}

static struct dma_buf *system_allocate(struct device *dev, size_t bytes)
{
	return heap_allocate("/dev/dma_heap/system", bytes);
}

static struct dma_buf *cma_allocate(struct device *dev, size_t bytes)
{
	return heap_allocate("/dev/dma_heap/reserved", bytes);
}

/* --- udmabuf ---------------------------------------------------------------------------------- */

/*
 * Its device takes part in no bus; Linux lets it map as one that reaches all memory.
 */
static struct dma_view udmabuf_view;
static unsigned int udmabufs;

static int view_get(const struct dma_view *of)
{
	int ret;

	if (udmabufs++)
		return 0;
	udmabuf_view = (struct dma_view){};
	ret = dma_view_init(&udmabuf_view, of->machine, udmabuf_device, of->coherent);
	if (ret)
		udmabufs--;
	else
		udmabuf_device->dma = &udmabuf_view;
	return ret;
}

static void view_put(void)
{
	if (--udmabufs)
		return;
	dma_view_close(&udmabuf_view);
	udmabuf_device->dma = NULL;
	dma_view_fini(&udmabuf_view);
}

static int guest_memory(size_t bytes)
{
	int memfd = memfd_create("guest", MFD_ALLOW_SEALING | MFD_CLOEXEC);

	if (memfd < 0)
		return -EMFILE;
	if (!ftruncate(memfd, bytes) && !fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK))
		return memfd;
	close(memfd);
	return -ENOMEM;
}

/* Every second page of @memfd, as many as fit into one item each; large buffers have longer pieces. */
static long udmabuf_create(int memfd, size_t bytes)
{
	size_t piece = roundup(DIV_ROUND_UP(bytes, 1024), PAGE_SIZE),
	       count = DIV_ROUND_UP(bytes, piece);
	struct udmabuf_create_list *list = kzalloc(struct_size(list, list, count), GFP_KERNEL);
	int node = host_open("/dev/udmabuf", O_RDWR);
	long ret = list ? node : -ENOMEM;

	if (!list || node < 0)
		goto close_node;
	list->flags = UDMABUF_FLAGS_CLOEXEC;
	list->count = count;
	for (size_t i = 0; i < count; i++)
		list->list[i] = (struct udmabuf_create_item){
			.memfd = memfd,
			.offset = 2 * i * piece,
			.size = min(piece, bytes - i * piece),
		};
	ret = host_ioctl(node, UDMABUF_CREATE_LIST, (unsigned long)list);
close_node:
	host_close(node);
	kfree(list);
	return ret;
}

static struct dma_buf *udmabuf_allocate(struct device *dev, size_t bytes)
{
	struct dma_buf *dmabuf;
	int memfd;
	long fd;

	bytes = PAGE_ALIGN(bytes);
	memfd = guest_memory(2 * bytes);
	if (memfd < 0)
		return ERR_PTR(memfd);
	fd = view_get(dev->dma);
	if (fd)
		goto close_memfd;
	fd = udmabuf_create(memfd, bytes);
	if (fd < 0)
		view_put();
close_memfd:
	close(memfd);
	dmabuf = fd < 0 ? ERR_PTR(fd) : take(fd);
	return dmabuf;
}

static void udmabuf_put(struct dma_buf *dmabuf)
{
	dma_buf_put(dmabuf);
	flush_delayed_fput();
	view_put();
}

const struct stage_heap linux_heaps[] = {
	{ "linux-system", system_allocate, put },
	{ "linux-cma", cma_allocate, put },
	{ "linux-udmabuf", udmabuf_allocate, udmabuf_put },
	{},
};

const struct stage_heap *linux_heap_find(const char *name)
{
	const struct stage_heap *heap = linux_heaps;

	while (heap->name && strcmp(heap->name, name))
		heap++;
	return heap->name ? heap : NULL;
}
